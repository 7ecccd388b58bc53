"""How many CPU threads the libraries use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk
import torch


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Let torch and SimpleITK use that many CPU threads in the block; None changes nothing."""
    if threads is None:
        yield
        return
    before = torch.get_num_threads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    torch.set_num_threads(threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])
