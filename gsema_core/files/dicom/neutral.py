"""What is told of DICOM files in place of their folders' names, which are often patients' names.

Needs no DICOM library. A hash of a name would not hide it, as names can be tried one after the
other; the beginning of a file, with its unique identifiers and dates, cannot be guessed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from gsema_core.errors import Cancelled, UserError
from gsema_core.files.dicom.mark import MAXIMUM_FILES, is_dicom, may_be_scan

HEAD_BYTES = 2**16
"""What a name is made of: the identifiers of an object stand in its first 2 kB. Our choice."""
PREFIX = "dicom_"


def neutral_name(path: Path) -> str | None:
    """A name for DICOM files that stays the same wherever they lie; None for anything else.

    It is made of the first DICOM file in the folder, or of the file that is given.
    """
    first = path if path.is_file() else _first_file(path)
    if first is None or not is_dicom(first):
        return None
    try:
        with first.open("rb") as file:
            return PREFIX + hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()[:12]
    except OSError:  # it vanished just now
        return f"{PREFIX}unreadable"


def shown_name(path: Path) -> str:
    """What a file or folder is called in everything that is written: neutrally if it is DICOM."""
    return neutral_name(path) or path.name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def told_as(name: str, path: Path) -> Iterator[Path]:
    """Let errors of the block call a scan by a name; where it lies may name a patient.

    Args:
        name: what stands for the scan in messages.
        path: where it lies.

    Yields:
        The path that the block must use: a short relative one would be found in any sentence.
    """
    whole = path.absolute()
    try:
        yield whole
    except UserError as error:
        message = error.full.replace(str(whole), name)
        if not whole.is_dir():
            message = message.replace(str(whole.parent), "its folder")
        raise UserError(message, error.table) from None


@contextmanager
def told_neutrally(path: Path) -> Iterator[Path]:
    """``told_as`` for DICOM files, by their neutral name; errors on other files tell the path."""
    name = neutral_name(path)
    if name is None:
        yield path
        return
    with told_as(name, path) as whole:
        yield whole


@contextmanager
def without_values() -> Iterator[None]:
    """Let no unexpected error of the block say what stands in a file: its kind and place remain."""
    try:
        yield
    except (UserError, Cancelled, MemoryError, ModuleNotFoundError):
        raise
    except OSError as error:
        raise UserError(
            f"A DICOM file could not be read ({error.strerror or type(error).__name__}): check "
            "that it is there and that you may read it."
        ) from None
    except Exception as error:
        raise UnreadableError(type(error).__name__).with_traceback(error.__traceback__) from None


class UnreadableError(Exception):
    """An unexpected error in the reader, by its kind alone."""


def _first_file(folder: Path) -> Path | None:
    """The first DICOM file in a folder and below it, by name; results count where nothing else is.

    So a study keeps its name when its segmentation is put beside it.
    """
    result = None
    for path in islice(_files(folder), MAXIMUM_FILES):
        if may_be_scan(path):
            return path
        if result is None and is_dicom(path):
            result = path
    return result


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("._"))
