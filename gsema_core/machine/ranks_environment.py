"""What torchrun or a cluster's scheduler tells each of the processes that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gsema_core.errors import UserError


@dataclass(frozen=True)
class RanksEnvironment:
    """A process among others.

    Attributes:
        rank: its number, from 0.
        size: how many processes there are.
        local_rank: its number on its machine, from 0; None where nobody tells.
        local_size: how many there are on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int | None = None
    local_size: int = 1

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> RanksEnvironment:
        """Read ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK`` and ``LOCAL_WORLD_SIZE``.

        Without ``RANK`` this is the only process: some clusters set ``WORLD_SIZE`` for every
        program, and a part of a folder must not pass for all of it.

        Raises:
            UserError: rank and size are no such numbers.
        """
        rank = environment.get("RANK", "0")
        size = environment.get("WORLD_SIZE", "1") if "RANK" in environment else "1"
        if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
            raise UserError(
                f"The environment says RANK={rank} and WORLD_SIZE={size}: start the processes with "
                "torchrun, or set a number below WORLD_SIZE, or neither."
            )
        local_rank = environment.get("LOCAL_RANK", "")
        local_size = environment.get("LOCAL_WORLD_SIZE", "")
        return cls(
            int(rank),
            int(size),
            int(local_rank) if local_rank.isdecimal() else None,
            int(local_size) if local_size.isdecimal() else 1,
        )
