"""What image files are called: by their suffixes their formats are told."""

from __future__ import annotations

from collections.abc import Sequence

SUFFIXES = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".hdr", ".mha", ".mhd")
"""Of the files that are read."""

WRITTEN_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")

SEGMENTATION_SUFFIX = ".seg.nrrd"
"""Of label maps that Slicer loads as segmentations."""

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
