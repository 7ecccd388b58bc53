"""A volume that came from a DICOM series, what a report may say of that, and what lies where."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gsema_core.grids.volume import Volume


@dataclass(frozen=True, repr=False)
class SourceSlice:
    """Where the voxels of one plane come from.

    Attributes:
        kind, instance: identifiers of the file's class and of its object.
        frame: its number in a file of many frames, from 1 on; 0 in a file of one.
        position: mm (LPS) of its first voxel, as the file says.
    """

    path: Path
    kind: str
    instance: str
    frame: int
    position: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class SeriesSource:
    """The files behind a volume: what a DICOM object made from it has to refer to.

    It has identifiers, so it enters no report, message or log.

    Attributes:
        uid: the series' identifier.
        orientation: unit vectors (LPS) along a row and down a column, as the files say.
        slices: in the order of the volume's planes.
    """

    uid: str
    orientation: tuple[float, ...]
    slices: tuple[SourceSlice, ...]


@dataclass(frozen=True, eq=False)
class SeriesVolume(Volume):
    """A volume with its origin.

    Attributes:
        series: number, description, slices, class, image type and a hash in place of identifiers.
        notes: what else there was to say, a sentence each.
        source: the files.
    """

    series: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    source: SeriesSource | None = field(default=None, repr=False)


def source_of(volume: Volume) -> SeriesSource | None:
    """The files behind a volume; None where it came from no DICOM series."""
    return volume.source if isinstance(volume, SeriesVolume) else None
