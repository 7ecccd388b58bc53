"""Telling DICOM files by their first bytes; needs no DICOM library."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

MAXIMUM_FILES = 20_000
"""Files looked at in a folder before it is taken for the wrong one. Our choice."""

FILES_BEFORE_FIRST = 200
"""Other files that may come before a folder's first DICOM file. Our choice."""

_FIRST_KINDS = {b"UL", b"OB", b"UI", b"CS", b"DA", b"SH", b"TM", b"LO", b"DT"}
"""Value representations that a data set can begin with."""

_RESULTS = re.compile(rb"\x02\0\x02\0UI..1\.2\.840\.10008\.5\.1\.4\.1\.1\.(66|88)\.", re.DOTALL)
"""The element that says what a file holds, where that is segments, surfaces or a report."""


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM mark, or begins as a data set does where the mark is missing."""
    try:
        if not path.is_file():  # a pipe would wait for a writer
            return False
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:
        return False
    return head[128:] == b"DICM" or _begins_with_element(head)


def may_be_scan(path: Path) -> bool:
    """Whether a file is DICOM, and neither a segmentation nor a report as far as it begins."""
    return is_dicom(path) and not _RESULTS.search(_head(path))


def has_scan(folder: Path) -> bool:
    """Whether a folder, or one below it, may have a DICOM scan, as far as its first files tell."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return any(may_be_scan(path) for path in islice(files, FILES_BEFORE_FIRST))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(400)
    except OSError:
        return b""


def _begins_with_element(head: bytes) -> bool:
    """Whether the first element is one of group 2 or 8, explicit or implicit, and short."""
    if len(head) < 132 or head[:2] not in (b"\2\0", b"\x08\0"):
        return False
    number, length = int.from_bytes(head[2:4], "little"), int.from_bytes(head[4:8], "little")
    return number <= 0x20 and (head[4:6] in _FIRST_KINDS or 0 < length <= 64)
