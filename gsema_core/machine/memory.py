"""How much memory a process has taken or may take, and what is said when it is full.

No torch here: what reads files asks too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsema_core.errors import UserError

STATUS = Path("/proc/self/status")
"""Where Linux tells what a process takes."""

ALLOCATION_TEXTS = ("allocate memory", "not enough memory", "bad allocation", "bad_alloc")
"""How SimpleITK and C++ tell in a RuntimeError that the main memory is full."""

TORCH_TEXTS = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUSPARSE_STATUS_ALLOC_FAILED",
    "CUFFT_ALLOC_FAILED",
    "DefaultCPUAllocator",
)
"""How an allocation that failed is told by PyTorch, the CUDA runtime and NVIDIA's libraries, which
raise RuntimeErrors without a type of their own. Their documentation gives other causes too for
``CUDNN_STATUS_INTERNAL_ERROR``, ``CUDNN_STATUS_EXECUTION_FAILED`` and
``CUBLAS_STATUS_NOT_INITIALIZED``: less work at once would not mend those, so they are not here."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an operation failed because the device, or the machine, had no memory left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in TORCH_TEXTS)


def peak_memory_mb(device: str = "cpu") -> float | None:
    """The most memory that this process has had so far, in MB of 2^20 bytes.

    Args:
        device: on a GPU its memory counts, as far as PyTorch took it; else the main memory.

    Returns:
        None where nobody tells.
    """
    if device.startswith("cuda"):
        import torch

        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    if STATUS.is_file():  # what rusage says on Linux begins with the starting process's peak
        found = re.search(r"^VmHWM:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
        if found:
            return round(int(found[1]) / 2**10, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a full memory into a sentence.

    Raises:
        UserError: the block ran out of memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error) or any(text in str(error) for text in ALLOCATION_TEXTS):
            raise UserError(
                "The memory did not suffice for this scan: close other programs or crop it."
            ) from error
        raise


def check_memory(bytes_needed: int, limit_gb: float | None) -> None:
    """Refuse a run beyond its limit (GB of 10^9 bytes).

    There is nothing to shrink: every run already keeps its sums and its tiles small.

    Raises:
        UserError: it is beyond.
    """
    if limit_gb is not None and bytes_needed > limit_gb * 1e9:
        raise UserError(
            f"This scan needs about {bytes_needed / 1e9:.1f} GB of memory where {limit_gb:g} GB "
            "are allowed: allow more, or crop the scan."
        )
