"""Results of an earlier run: whether they are whole, and what they were made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.dicom.mark import is_dicom
from gsema_core.files.image_files import check_image_file
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.measurements.aneurysm import is_current


def is_whole(labels: Path) -> bool:
    """Whether a label map of an earlier run is there and not damaged."""
    if not labels.is_file():
        return False
    try:
        check_image_file(labels)
    except (UserError, OSError):
        return False
    return True


def is_whole_object(path: Path) -> bool:
    """Whether a DICOM object of an earlier run is there and not damaged."""
    if not is_dicom(path):
        return False
    from gsema_core.files.dicom.picture import read_picture

    try:
        read_picture(path)
    except (DamagedFile, OSError):
        return False
    return True


def compared(report: Any, teacher_hash: str, settings: SegmentationSettings) -> str:
    """In words, how an earlier result was made, as against now.

    Args:
        report: what lies beside it, which anybody may have written; None without.
        teacher_hash: of the teacher that is to be used now.
        settings: likewise.
    """
    try:
        theirs, sha256 = report["settings"], report["teacher"]["sha256"]
        different = [name for name, value in settings.deciding.items() if theirs[name] != value]
    except (KeyError, TypeError):
        return "its output is there, without a report of how it was made"
    if sha256 != teacher_hash:
        return "its output is there, by another model: delete it to have it made again"
    if different:
        what = different[0].replace("_", " ")
        return f"its output is there, with another {what}: delete it to have it made again"
    if not is_current(report):
        return (
            "its output is there, its report by an earlier version's measurements: delete it to "
            "have it made again; the overview shows today's"
        )
    return "its output is there"
