"""How many CPU threads the libraries use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk
import torch

from gsema_core.machine.cores import Cores, default_threads

_limited = False
"""Whether a ``thread_limit`` holds: what is left open within it is what it says."""


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Let torch and SimpleITK use that many CPU threads in the block.

    Args:
        threads: how many; None takes what a block around this one says, else
            ``default_threads``.
    """
    global _limited
    before = torch.get_num_threads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    inside = _limited
    if threads is None:
        _set(before if inside else _by_default(before))
    else:
        _set((threads, threads))
    _limited = True
    try:
        yield
    finally:
        _limited = inside
        _set(before)


def _by_default(library: tuple[int, int]) -> tuple[int, int]:
    cores = Cores.of_this_process()
    return (
        default_threads(cores, library[0], os.environ),
        default_threads(cores, library[1], os.environ),
    )


def _set(threads: tuple[int, int]) -> None:
    torch.set_num_threads(threads[0])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads[1])
