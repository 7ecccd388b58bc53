"""Several processes that train as one, started by torchrun; each has its share of every batch.

No DistributedDataParallel: a step needs three gradients apart, and their angle must be taken after
they are averaged, since the mean of the ranks' cosines is not the cosine of the means.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from gsema_core.errors import BrokenOffError, UserError
from gsema_core.machine.ranks_environment import RanksEnvironment

ANSWER = timedelta(minutes=5)
"""How long a rank may be behind the others within a step (ours: the slowest step is seconds)."""

WORK_OF_FIRST = timedelta(hours=24)
"""How long ranks wait where one works longer: preparing cases, validating, pausing."""

T = TypeVar("T")


@dataclass
class Clock:
    """Seconds of some kind."""

    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = perf_counter()
        yield
        self.seconds += perf_counter() - began


@dataclass(frozen=True)
class Ranks:
    """This process among those of the run; by default it is the only one.

    Attributes:
        rank: 0 is the first: it alone writes files and reports.
        size: how many there are.
        waiting: the process group of `wait_for_first`.
        local_rank: 0 is the first of its machine.
        clock: the time in which gradients and words traveled between ranks, or were waited for.
    """

    rank: int = 0
    size: int = 1
    waiting: Any = None
    local_rank: int = 0
    clock: Clock = field(default_factory=Clock, compare=False)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """This rank's samples of a batch that all ranks make together.

        Raises:
            UserError: the ranks cannot have equal shares.
        """
        if batch_size % self.size:
            raise UserError(
                f"Setting batch_size in [run] is {batch_size} and {self.size} processes share it: "
                f"give a multiple of {self.size}."
            )
        own = batch_size // self.size
        return slice(self.rank * own, (self.rank + 1) * own)

    def sum_(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all ranks; every rank gets the same bits."""
        if self.size > 1:
            _finish(tensor)  # what this rank computes is not what it waits for
            with _told(), self.clock.running():
                dist.all_reduce(tensor)
                _finish(tensor)

    def mean(self, values: Sequence[float]) -> list[float]:
        """The mean of each value over all ranks."""
        sums = torch.tensor(values, dtype=torch.float64)
        self.sum_(sums)
        return [value / self.size for value in sums.tolist()]

    def any(self, flag: bool) -> bool:
        """Whether any rank says so."""
        return self.mean([float(flag)])[0] > 0

    def from_first(self, value: T) -> T:
        """What rank 0 passed; the others' values are ignored."""
        if self.size == 1:
            return value
        values = [value]
        with _told(), self.clock.running():
            dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def wait_for_first(self) -> None:
        """Return once all ranks are here; they wait long, as one may have more to do."""
        if self.size > 1:
            with _told():
                dist.barrier(group=self.waiting)


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """Join the other processes of torchrun, or be alone where torchrun did not start this one.

    Gradients travel by nccl between GPUs and by gloo between CPUs, everything else by gloo.

    Raises:
        UserError: the others cannot be reached.
    """
    if RanksEnvironment.of(os.environ).size == 1:
        yield Ranks()
        return
    gpus = torch.cuda.is_available() and dist.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    with _told():
        dist.init_process_group(backend, timeout=ANSWER)
        waiting = dist.new_group(backend="gloo", timeout=WORK_OF_FIRST)
    try:
        here = RanksEnvironment.of(os.environ).local_rank or 0
        yield Ranks(dist.get_rank(), dist.get_world_size(), waiting, here)
    finally:
        dist.destroy_process_group()


def rank_device(device: torch.device) -> torch.device:
    """The GPU of this process where torchrun started several on a machine; else ``device``.

    Raises:
        UserError: the machine has fewer GPUs than processes.
    """
    ranks, count = RanksEnvironment.of(os.environ), torch.cuda.device_count()
    if device.type != "cuda" or ranks.local_size == 1 or ranks.local_rank is None:
        return device
    if ranks.local_size > count:  # gradients cannot travel between two processes on one GPU
        raise UserError(
            f"There are more processes than the {count} GPUs of this machine: call torchrun with "
            f"--nproc-per-node {count}."
        )
    device = torch.device("cuda", ranks.local_rank)
    torch.cuda.set_device(device)
    return device


def _finish(tensor: Tensor) -> None:
    """Wait until a GPU has done what it was told: its work goes on while Python does."""
    if tensor.is_cuda:
        torch.cuda.synchronize(tensor.device)


@contextmanager
def _told() -> Iterator[None]:
    """A rank that died or froze, in a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise BrokenOffError(
            "Another process of this run ended or gave no answer: look at its message, then start "
            "the same command again to go on from the last checkpoint."
        ) from error
