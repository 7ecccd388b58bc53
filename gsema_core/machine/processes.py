"""One kind of work on many things, by several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from gsema_core.errors import UserError

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Thing], Result], things: Sequence[Thing], jobs: int
) -> Iterator[Result]:
    """The results of ``work`` on each thing, in their order, as they come.

    Args:
        work: a function that can be pickled.
        things: what it is given, one by one.
        jobs: processes, each on one thread; with 1, this one does everything.

    Raises:
        UserError: a process was ended from outside.
    """
    if jobs == 1 or len(things) < 2:
        yield from map(work, things)
        return
    # Spawned, because ITK's thread pool does not survive a fork.
    pool = ProcessPoolExecutor(min(jobs, len(things)), get_context("spawn"), _begin)
    try:
        yield from pool.map(work, things)
    except BrokenProcessPool as error:
        raise UserError(
            f"One of the {jobs} processes was ended, most likely because the memory did not "
            "suffice: use fewer --jobs."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """One thread of ITK each; Ctrl-C is for the process that waits for this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
