"""The share of a process where torchrun or a cluster's scheduler starts several of them.

Scans need nothing of each other, so the processes need not talk: each takes its part of one list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from gsema_core.errors import UserError

T = TypeVar("T")


def rank_of(environment: Mapping[str, str]) -> tuple[int, int]:
    """This process's number, from 0, and how many there are, as torchrun tells them.

    Args:
        environment: ``RANK`` and ``WORLD_SIZE`` in it; without them this is the only process.

    Raises:
        UserError: they are no such numbers.
    """
    rank, size = environment.get("RANK", "0"), environment.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        raise UserError(
            f"The environment says RANK={rank} and WORLD_SIZE={size}: start the processes with "
            "torchrun, or set a number below WORLD_SIZE, or neither."
        )
    return int(rank), int(size)


def shard(items: Sequence[T], rank: int, size: int) -> list[T]:
    """Every ``size``-th item from the ``rank``-th on: each is in one process's share."""
    return list(items[rank::size])


def own_device(device: str, environment: Mapping[str, str]) -> str:
    """Another GPU for each process of a machine where none is named; ``LOCAL_RANK`` tells them."""
    local = environment.get("LOCAL_RANK", "")
    if device not in ("auto", "cuda") or not local.isdecimal():
        return device
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{int(local) % count}" if count else device
