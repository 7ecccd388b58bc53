"""Writing files so that a crash, a full disk or a cancelled run never leaves half a file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsema_core.errors import UserError

_WRITE_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextmanager
def atomic_path(destination: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``destination``; rename it there when the block succeeds.

    The temporary name keeps all suffixes, because image writers choose the format by them. When
    the block fails, the temporary file is removed and an older ``destination`` stays as it was.

    Raises:
        UserError: the folder does not exist, or cannot be written to, or the disk is full.
    """
    destination = Path(destination)
    folder = destination.parent
    if not folder.is_dir():
        raise UserError(f"The output folder {folder} does not exist: create it first.")
    if destination.is_dir():
        raise UserError(f"The output {destination} is a folder: give a file name in it.")
    try:
        # A folder of its own beside the file: a writer may drop side files, and all go at once.
        scratch = tempfile.TemporaryDirectory(prefix=".writing-", dir=folder)
    except OSError as error:
        raise _explained(destination, error) from error
    with scratch:
        temporary = Path(scratch.name) / destination.name
        try:
            yield temporary
            _flush_to_disk(temporary)
            os.replace(temporary, destination)  # noqa: PTH105 (what tests of full disks replace)
        except OSError as error:
            if not folder.is_dir():
                raise UserError(
                    f"Could not write {destination}: its folder was removed meanwhile."
                ) from error
            # NumPy reports a short write without a number.
            if error.errno is None or error.errno in _WRITE_FAILURES:
                raise _explained(destination, error) from error
            raise


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, and those above it, where it is missing.

    Raises:
        UserError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {path} cannot be made ({error.strerror}): choose a place that you may "
            "write to."
        ) from error
    return Path(path)


def _flush_to_disk(path: Path) -> None:
    """Make the bytes durable before the rename, or a power cut could leave an empty file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explained(destination: Path, error: OSError) -> UserError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return UserError(
        f"Could not write {destination} ({reason}): free some space or choose a folder that "
        "you may write to; an older file of that name is unchanged."
    )
