"""What a piece of work takes in a process of its own: seconds, and main memory at its peak."""

from __future__ import annotations

import ctypes
import math
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status_mb(key: str) -> float:
    found = re.search(rf"^{key}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return int(found[1]) / 2**10 if found else 0.0


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Fill in ``seconds``, and ``memory_mb`` above what the process had before (Linux only).

    Freed memory is given back first and the kernel's high-water mark reset, so that neither the
    imports nor a warm-up count, and nothing that was freed hides what is taken.
    """
    values = {"seconds": math.nan, "memory_mb": math.nan}
    linux = sys.platform.startswith("linux")
    if linux:
        with suppress(OSError, AttributeError):  # a C library other than GNU's
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        before = _status_mb("VmRSS")
        CLEAR.write_text("5")
    started = time.perf_counter()
    yield values
    values["seconds"] = round(time.perf_counter() - started, 3)
    if linux:
        values["memory_mb"] = round(_status_mb("VmHWM") - before, 1)
