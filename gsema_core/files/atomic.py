"""Writing files so that a crash, a full disk or a cancelled run never leaves half a file."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gsema_core.errors import UserError
from gsema_core.stop_signals import last_act

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

_WRITE_FAILURES = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO
}  # fmt: skip

TURN_SECONDS = 10.0
"""How long another process is waited for: renaming a few files takes milliseconds, unless that
process or the disk is stuck. Our choice."""


@contextmanager
def atomic_path(destination: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``destination``; rename it there when the block succeeds.

    The temporary name keeps all suffixes, because image writers choose the format by them. When
    the block fails, the temporary file is removed and an older ``destination`` stays as it was. A
    link stays a link: the file that it points to is replaced.

    Raises:
        UserError: the folder does not exist, or cannot be written to, or the disk is full.
    """
    destination = Path(destination)
    name = destination.name
    if destination.is_symlink():
        destination = _target(destination)
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
    with scratch, last_act(scratch.cleanup):
        temporary = Path(scratch.name) / name
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


def _target(link: Path) -> Path:
    try:
        target = link.resolve()
    except (OSError, RuntimeError):  # what it is depends on Python's version
        target = link
    if target.is_symlink():
        raise UserError(f"The output {link} is a link that leads to itself: give a file name.")
    return target


def check_writable(destination: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that ``atomic_path`` can write there; nothing stays behind.

    Raises:
        UserError: as for ``atomic_path``.
    """
    with suppress(_OnlyTrying), atomic_path(destination) as temporary:
        temporary.write_bytes(b"\0")
        raise _OnlyTrying


class _OnlyTrying(Exception):
    """Leaves ``atomic_path`` before it touches the destination."""


@contextmanager
def one_at_a_time(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Let one process after the other put files that belong together into a folder.

    Each rename is whole in itself, but two processes that both rename a label map and its report
    could leave one's map with the other's report. The lock is the folder's own, so it leaves no
    file, and the system lets go of it when the process ends. Where there is no such lock (Windows,
    some network drives), or after ``TURN_SECONDS``, nobody is waited for.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        deadline = time.monotonic() + TURN_SECONDS
        while not _take_turn(descriptor) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _take_turn(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether a file or folder exists; a name that no system takes, as lists may have, does not."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


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
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _explained(destination: Path, error: OSError) -> UserError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return UserError(
        f"Could not write {destination} ({reason}): free some space or choose a folder that "
        "you may write to; an older file of that name is unchanged."
    )
