"""What every run begins with: a scan that is read, and a teacher on a device."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.dicom.mark import MAXIMUM_FILES
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.files.dicom.series_volume import SeriesVolume
from gsema_core.grids import Volume
from gsema_core.teachers import find_teacher, load_teacher

if TYPE_CHECKING:
    from gsema_core.inference.segmenter import Segmenter


def read_scan(path: str | os.PathLike[str], series: int | None = None) -> Volume:
    """``read_volume``, for a file that somebody may still be writing.

    Raises:
        UserError: the scan cannot be read, or changed meanwhile.
    """
    before = _state(Path(path))
    volume = read_volume(path, series)
    if _state(Path(path)) != before:
        raise UserError(f"The scan {path} changed while it was read: wait until it is complete.")
    return volume


def _state(path: Path) -> list[tuple[str, int, int]]:
    """When the scan's files were changed, and their sizes: of a folder, all in it."""
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [(file, file.stat()) for file in files[:MAXIMUM_FILES]]
    except (OSError, ValueError):  # reading it tells why
        return []
    return [(str(file), state.st_mtime_ns, state.st_size) for file, state in found]


def tell_series(report: dict[str, Any], volume: Volume) -> None:
    """Put into a report which DICOM series the scan was; a hash stands for its identifiers."""
    if isinstance(volume, SeriesVolume):
        report["series"] = volume.series
        report["notes"] += volume.notes


def tell_input(report: dict[str, Any], path: Path) -> None:
    """Put into a report what was given; folders are often named after patients."""
    report["input"] = shown_name(path)


def load_segmenter(teacher: str | os.PathLike[str], device: str, network: str = "") -> Segmenter:
    """A teacher on a device; ``network`` as for ``segment``.

    Raises:
        UserError: one of them cannot be used.
    """
    from gsema_core.inference.segmenter import Segmenter  # torch takes seconds: not before

    return Segmenter(load_teacher(find_teacher(teacher), network=network), device)
