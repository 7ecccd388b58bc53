"""A patient's folder as the ADAM challenge lays it out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

MASK = "aneurysms.nii.gz"
SCAN = "pre/TOF.nii.gz"
_FILES = {MASK, SCAN, "pre/struct_aligned.nii.gz", "orig/TOF.nii.gz", "orig/struct.nii.gz"}


def adam_scan(folder: Path) -> tuple[Path, Path] | None:
    """The scan and the label map of a patient of ADAM; None where the folder is laid out otherwise.

    A patient has ``aneurysms.nii.gz`` and ``pre/TOF.nii.gz``, which is ``orig/TOF.nii.gz`` without
    its bias field, on the same grid. The challenge is about the one in ``pre``; structural images
    are no angiography.
    """
    scan, mask = folder / SCAN, folder / MASK
    return (scan, mask) if mask.is_file() and scan.is_file() else None


def is_of_adam(path: Path, patients: Collection[Path]) -> bool:
    """Whether a file is one of those that ADAM has of each patient.

    Args:
        path: the file.
        patients: the folders that ``adam_scan`` knew.
    """
    homes = [home for home in (path.parent, path.parent.parent) if home in patients]
    return any(path.relative_to(home).as_posix() in _FILES for home in homes)
