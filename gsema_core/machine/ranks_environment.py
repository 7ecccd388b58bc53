"""What torchrun tells each of the processes that it starts.

One rule for training and for segmenting: only a process that torchrun launched has a rank. Clusters
and shells leave numbers behind (``WORLD_SIZE``, ``RANK``, those of SLURM and of MPI) that mean
other processes, and a part of a folder must not pass for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gsema_core.errors import UserError

LAUNCHED = "TORCHELASTIC_RUN_ID"
"""What torchrun alone sets; ``torch.distributed.is_torchelastic_launched`` asks for it too."""

COUNTS = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
"""How others than torchrun name the number of processes."""


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
        """Read ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK`` and ``LOCAL_WORLD_SIZE`` of a launched one.

        Raises:
            UserError: torchrun started it, but rank and size are no such numbers.
        """
        if LAUNCHED not in environment:
            return cls()
        rank = environment.get("RANK", "0")
        size = environment.get("WORLD_SIZE", "1") if "RANK" in environment else "1"
        if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
            raise UserError(
                f"The environment says RANK={rank} and WORLD_SIZE={size}, which torchrun would not "
                f"set: start the processes with torchrun, or unset {LAUNCHED}."
            )
        local_rank = environment.get("LOCAL_RANK", "")
        local_size = environment.get("LOCAL_WORLD_SIZE", "")
        return cls(
            int(rank),
            int(size),
            int(local_rank) if local_rank.isdecimal() else None,
            int(local_size) if local_size.isdecimal() else 1,
        )


def left_alone(environment: Mapping[str, str]) -> str:
    """A number of processes that torchrun did not set, as ``NAME=N``; empty where there is none."""
    if LAUNCHED in environment:
        return ""
    counts = {name: environment.get(name, "") for name in COUNTS}
    several = (f"{name}={n}" for name, n in counts.items() if n.isdecimal() and int(n) > 1)
    return next(several, "")
