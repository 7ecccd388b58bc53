"""Whether an error of PyTorch's means that memory is full."""

from __future__ import annotations

import torch

ALLOCATION_TEXTS = (
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
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in ALLOCATION_TEXTS)
