"""Going through a folder: in order, without what systems leave there, and never in circles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

Tell = Callable[[str], None]
"""Takes a sentence that the user should read."""

DEPTH = 6
"""Folders below the given one that are looked into. Our choice."""

_NOT_DATA = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def is_hidden(name: str) -> bool:
    """Whether a system or a program hides it, as macOS does its ``._`` files."""
    return name.startswith(".") or name in _NOT_DATA


def nothing_told(sentence: str) -> None:
    """For who needs no sentences."""


def walk(root: Path, tell: Tell = nothing_told) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every folder and the names of its files, both in order; links are followed.

    A link back to a folder that is being gone through is passed over. What lies deeper than
    ``DEPTH`` is told.

    Raises:
        OSError: a folder cannot be read.
    """
    is_told = False
    for parent, folders, names in os.walk(root, onerror=_raise, followlinks=True):
        here = Path(parent)
        inside = [name for name in sorted(folders) if not is_hidden(name)]
        if len(here.relative_to(root).parts) >= DEPTH and inside:
            if not is_told:
                tell(f"Folders more than {DEPTH} below {root} are not looked into.")
            is_told, inside = True, []
        folders[:] = [name for name in inside if not _leads_back(here, name)]
        yield here, tuple(sorted(name for name in names if not is_hidden(name)))


def _leads_back(here: Path, name: str) -> bool:
    path = here / name
    if not path.is_symlink():
        return False
    real = Path(os.path.realpath(path))
    return Path(os.path.realpath(here)).is_relative_to(real)


def _raise(error: OSError) -> None:
    raise error
