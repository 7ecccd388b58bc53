"""Calling the C++ libraries that read and write images: quietly, and with points in numbers."""

from __future__ import annotations

import locale
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_one_at_a_time = threading.RLock()


@contextmanager
def native_libraries() -> Iterator[None]:
    """Let ITK write as if it were alone in the process, while the block runs.

    The process's stderr goes to nowhere: SimpleITK's own switch silences ITK's warnings only, and
    MetaIO, niftilib, zlib and GDCM print straight to the file descriptor. The user gets one clear
    sentence instead.

    Numbers have points: where the host's locale has decimal commas, as Slicer and notebooks may,
    ITK would write a spacing of 1.25 mm as two numbers.

    Both hold for the whole process, other threads included: keep blocks short.
    """
    with _one_at_a_time, decimal_points(), _no_stderr():
        yield


@contextmanager
def decimal_points() -> Iterator[None]:
    """Let C and C++ libraries read and write numbers with points, while the block runs."""
    before = locale.setlocale(locale.LC_NUMERIC)
    locale.setlocale(locale.LC_NUMERIC, "C")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


@contextmanager
def _no_stderr() -> Iterator[None]:
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
