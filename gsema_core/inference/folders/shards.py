"""The share of a process where torchrun or a cluster's scheduler starts several of them.

Scans need nothing of each other, so the processes need not talk: each takes its part of one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from gsema_core.machine.ranks_environment import RanksEnvironment

T = TypeVar("T")


def shard(items: Sequence[T], ranks: RanksEnvironment) -> list[T]:
    """Every ``size``-th item from the ``rank``-th on: each is in one process's share."""
    return list(items[ranks.rank :: ranks.size])


def own_device(device: str, ranks: RanksEnvironment) -> str:
    """Another GPU for each process of a machine, in turn, where the user named none."""
    if device not in ("auto", "cuda") or ranks.local_rank is None:
        return device
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{ranks.local_rank % count}" if count else device
