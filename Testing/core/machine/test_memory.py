from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.machine.memory import check_memory, enough_memory, is_out_of_memory, peak_memory_mb


def test_a_system_that_does_not_tell_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr("gsema_core.machine.memory.STATUS", Path("nowhere"))
    assert peak_memory_mb() is None


def test_the_peak_covers_what_was_freed() -> None:
    before = peak_memory_mb()
    assert before is not None
    big = np.ones(2**25)  # 256 MB, each page touched
    during = peak_memory_mb()
    del big
    after = peak_memory_mb()
    assert during is not None and after is not None
    assert during > 256
    assert after > during - 5  # the kernel counts in batches


def test_a_gpu_tells_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        torch.cuda, "max_memory_allocated", lambda device: asked.append(device) or 3 << 19
    )
    assert peak_memory_mb("cuda:1") == 1.5
    assert asked == ["cuda:1"]


def test_the_limit_decides() -> None:
    check_memory(10**12, None)
    check_memory(2_000_000_000, 2.0)
    with pytest.raises(UserError, match=r"needs about 2\.1 GB of memory where 2 GB are allowed"):
        check_memory(2_100_000_000, 2.0)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory"),
        RuntimeError("Exception thrown in SimpleITK Execute: Failed to allocate memory for image."),
        RuntimeError("std::bad_alloc"),
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
    ],
)
def test_a_full_memory_becomes_a_sentence(error: Exception) -> None:
    with pytest.raises(UserError, match="did not suffice for this scan"), enough_memory():
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes do not fit"), enough_memory():
        raise RuntimeError("shapes do not fit")


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be ..."),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
        MemoryError(),
    ],
)
def test_a_failed_allocation(error: BaseException) -> None:
    assert is_out_of_memory(error)


def test_the_cpus_own_allocator() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes differ"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(h)`"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: no kernel image is available for execution on the device"),
        ValueError("CUDA out of memory"),
        KeyboardInterrupt(),
    ],
)
def test_what_is_no_failed_allocation(error: BaseException) -> None:
    assert not is_out_of_memory(error)
