"""Keeping what C++ libraries print away from the user, who gets one clear sentence instead."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_one_at_a_time = threading.RLock()


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Send the process's stderr to nowhere while the block runs.

    SimpleITK's own switch silences ITK's warnings only: MetaIO, niftilib, zlib and GDCM print
    straight to the file descriptor. Keep blocks short: other threads' stderr is lost as well.
    """
    with _one_at_a_time:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:  # no stderr at all, as in a windowed program on Windows
            yield
            return
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
