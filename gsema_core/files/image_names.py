"""What image files are called: by their suffixes their formats are told."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".hdr", ".mha", ".mhd")
"""Of the files that are read."""

WRITTEN_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")

SEGMENTATION_SUFFIX = ".seg.nrrd"
"""Of label maps that Slicer loads as segmentations."""

DICOM_SUFFIX = ".dcm"

DICOM_SEGMENTATION_SUFFIX, DICOM_REPORT_SUFFIX = ".seg.dcm", ".sr.dcm"
"""What a result's DICOM objects are called where nobody names them."""

ARCHIVES = (
    ".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".mrb", ".xz", ".bz2",
)  # fmt: skip
"""Never unpacked: an archive can hold paths to anywhere and more than the disk takes."""


def image_stem(name: str, suffixes: Sequence[str] = SUFFIXES) -> str | None:
    """A file's name without the longest of the suffixes that it has; None where it has none.

    >>> image_stem("scan.NII.gz"), image_stem("notes.txt")
    ('scan', None)
    """
    ends = [end for end in suffixes if name.lower().endswith(end.lower())]
    return name[: -len(max(ends, key=len))] if ends else None


def is_dicom_name(path: str | os.PathLike[str]) -> bool:
    """Whether an output is to be a DICOM object, as its name says."""
    return os.fspath(path).lower().endswith(DICOM_SUFFIX)


def beside(labels: Path, suffix: str) -> Path:
    """The path of another file of a result, beside its label map or segmentation.

    >>> beside(Path("case.nii.gz"), ".seg.dcm").name, beside(Path("a.seg.dcm"), ".sr.dcm").name
    ('case.seg.dcm', 'a.sr.dcm')
    """
    ends = (*SUFFIXES, SEGMENTATION_SUFFIX, DICOM_SUFFIX, DICOM_SEGMENTATION_SUFFIX)
    return labels.with_name((image_stem(labels.name, ends) or labels.name) + suffix)
