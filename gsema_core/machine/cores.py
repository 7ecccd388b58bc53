"""Which cores this process may use, and how its threads wait for each other. No torch.

OpenMP's threads meet at a barrier after each layer of a network, thousands of times a step. GNU's
libgomp, which PyTorch's packages for Linux bring along, spins there 300,000 times before it
sleeps. Where another program uses a core too, the thread that is waited for does not run meanwhile,
and the spinning uses up the time that the system would have given it. So threads wait passively
(``wait_passively``), and there are no more of them than cores (`Cores`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gsema_core.machine.ranks_environment import LAUNCHED, RanksEnvironment

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
"""What OpenMP's libraries read when they are loaded: those of Intel and LLVM the first, GNU's both.
1000 is what libgomp takes by itself where it knows of more threads than cores."""


def wait_passively(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait for each other sleep soon, in this process and those it starts.

    For programs, before they import torch: the libraries look once. Whoever has set one of
    ``PASSIVE`` keeps both as they are.
    """
    if not any(name in environment for name in PASSIVE):
        environment.update(PASSIVE)


@dataclass(frozen=True)
class Cores:
    """What of this computer's processor a process may use.

    Attributes:
        logical: processors, of which a core may have two.
        physical: cores.
        quota: cores' worth of time that a container or a cluster's job gets.
    """

    logical: int
    physical: int
    quota: float = math.inf

    @classmethod
    def of_this_process(cls) -> Cores:
        """Ask the system."""
        processors = set(range(os.cpu_count() or 1))
        with suppress(AttributeError, OSError):  # only Linux says which ones are this process's
            processors = os.sched_getaffinity(0)
        root = Path("/")
        return cls(len(processors), physical_cores(processors, root), quota(root))

    @property
    def usable(self) -> int:
        """As many as threads may be busy at once."""
        return max(1, math.floor(min(self.physical, self.quota)))

    @property
    def beside_another(self) -> int:
        """As many, with a processor left for the program that waits for this one."""
        return max(1, math.floor(min(self.usable, self.logical - 1, self.quota - 1)))


def default_threads(cores: Cores, library: int, environment: Mapping[str, str]) -> int:
    """CPU threads where nobody says how many.

    It depends on nothing that varies from minute to minute, as sums in another order are rounded
    otherwise: what runs twice on one machine gives the same numbers.

    Args:
        cores: of this process.
        library: the libraries' own number, which heeds ``OMP_NUM_THREADS``; never more than that.
        environment: torchrun sets ``OMP_NUM_THREADS`` to 1 where nobody did: that is no wish of
            anybody, and each of its processes gets its share of the cores.
    """
    ranks = RanksEnvironment.of(environment)
    share = max(1, cores.usable // ranks.local_size)
    torchruns = LAUNCHED in environment and ranks.local_size > 1
    if torchruns and environment.get("OMP_NUM_THREADS") == "1":
        return share
    return min(share, library)


def physical_cores(processors: set[int], root: Path) -> int:
    """How many cores these processors are; each one is its own where the system does not say."""
    return len({_siblings(root, number) for number in processors})


def quota(root: Path) -> float:
    """Cores' worth of time that Linux' control groups leave to this process; infinite without."""
    return min(_quotas(root), default=math.inf)


def _siblings(root: Path, processor: int) -> str:
    path = f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    return _text(root / path) or str(processor)


def _quotas(root: Path) -> Iterator[float]:
    """Of the groups that this process is in, and of those around them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        v2 = not controllers
        if not v2 and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("" if v2 else "cpu")
        inner = top / group.strip("/")
        for folder in (inner, *inner.parents):
            text = _text(folder / "cpu.max") if v2 else " ".join(
                _text(folder / f"cpu.cfs_{what}_us") for what in ("quota", "period")
            )  # fmt: skip
            amount, _, period = text.partition(" ")
            if amount.isdecimal() and period.isdecimal() and int(period):
                yield int(amount) / int(period)
            if folder == top:
                break


def _text(path: Path) -> str:
    with suppress(OSError, ValueError):
        return path.read_text(encoding="utf-8").strip()
    return ""
