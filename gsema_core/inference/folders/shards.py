"""The share of a process where several of them do a folder's scans.

Scans need nothing of each other, so each process takes its part of one list.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from gsema_core.errors import Cancelled, UserError
from gsema_core.machine.ranks_environment import RanksEnvironment

T = TypeVar("T")

LOOK_S = 0.2
"""How often a process that is through looks whether the others are (ours)."""


def shard(items: Sequence[T], ranks: RanksEnvironment) -> list[T]:
    """Every ``size``-th item from the ``rank``-th on: each is in one process's share."""
    return list(items[ranks.rank :: ranks.size])


def parse_share(text: str) -> RanksEnvironment:
    """``3/8``, the third of eight shares, as a process among others.

    Raises:
        UserError: it is no such thing.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise UserError(
            f"The share {text!r} is none: give its number and how many there are, such as 3/8; the "
            "first is 1/8. A SLURM array has its numbers from 1 on by --array=1-8."
        )
    return RanksEnvironment(number - 1, count)


def own_device(device: str, ranks: RanksEnvironment) -> str:
    """Another GPU for each process of a machine, in turn, where the user named none."""
    if device not in ("auto", "cuda") or ranks.local_rank is None:
        return device
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{ranks.local_rank % count}" if count else device


def any_failed(failed: bool, ranks: RanksEnvironment, stop: Callable[[], bool]) -> bool:
    """Whether any process has failed, once all are through: torchrun would end those that are not.

    Args:
        failed: whether this one has.
        ranks: this process among those of torchrun.
        stop: asked while it waits.

    Raises:
        Cancelled: ``stop`` said True.
    """
    if ranks.size == 1:
        return failed
    from torch.distributed.rendezvous import rendezvous

    try:
        store, _, _ = next(rendezvous("env://"))
        store.add("failed", int(failed))
        store.add("through", 1)
        while store.add("through", 0) < ranks.size:
            if stop():
                raise Cancelled
            time.sleep(LOOK_S)
        return bool(store.add("failed", 0))
    except RuntimeError:  # torchrun itself is gone, and the other processes with it
        return failed
