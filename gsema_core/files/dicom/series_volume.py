"""A volume that came from a DICOM series, and what a report may say of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gsema_core.grids.volume import Volume


@dataclass(frozen=True, eq=False)
class SeriesVolume(Volume):
    """A volume with its origin.

    Attributes:
        series: number, description, slices, class, image type and a hash in place of identifiers.
        notes: what else there was to say, a sentence each.
    """

    series: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
