"""One run at a time in a folder, by a lock that ends with its process."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gsema_core.errors import UserError

LOCK = "run.lock"

_held: set[Path] = set()
"""By this process. POSIX locks do not stop their own process, and go when it opens and closes the
file once more: such a folder must be known without a look at the file."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for one run. The system lets go of it when the process ends, however it does.

    Raises:
        UserError: another run holds it.
    """
    path = (folder / LOCK).resolve()
    if path in _held:
        raise UserError(_refusal(folder, os.getpid()))
    try:
        file = path.open("a+b")
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be written to ({error.strerror}): choose another output."
        ) from error
    with file:
        if not _take_patiently(file):
            raise UserError(_refusal(folder, _pid(path)))
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)


def holder(folder: Path) -> int | None:
    """The number of the process whose run holds a folder; None where none does.

    It is 0 where a run does but its number cannot be read.
    """
    path = (folder / LOCK).resolve()
    if path in _held:
        return os.getpid()
    try:
        with path.open("r+b") as file:
            return None if _take(file) else _pid(path)
    except OSError:
        return None


def _take_patiently(file: BinaryIO) -> bool:
    """Try a few times: `holder` holds the lock for the moment in which it looks."""
    for _ in range(4):
        if _take(file):
            return True
        time.sleep(0.05)
    return False


def _refusal(folder: Path, pid: int) -> str:
    return (
        f"Another run (process {pid}) is at work in {folder}: wait for its end, stop it, or choose "
        "another output folder."
    )


def _pid(path: Path) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return 0


if sys.platform == "win32":
    import msvcrt

    _BEYOND = 2**20  # a locked byte cannot be read: lock one that no number reaches

    def _take(file: BinaryIO) -> bool:
        file.seek(_BEYOND)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        file.seek(0)
        return True

else:
    import fcntl

    def _take(file: BinaryIO) -> bool:
        # lockf, not flock: the processes that prepare patches would inherit the latter, and hold
        # it for seconds after the run itself was killed.
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Other errors: a file system without locks, where runs go unguarded.
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True
