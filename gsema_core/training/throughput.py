"""How many patches each process of a run makes a second, and what it waits for meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import torch

from gsema_core.training.ranks import Ranks


class Throughput:
    """Counts from one `measure` to the next, between which steps are made and nothing else.

    Args:
        ranks: this process among others; what it waits for them is counted there.
        patches: of all ranks in a step; a source patch and its target count as one.

    Attributes:
        text: what the last measure found, to go on a sentence; empty before the first.
    """

    def __init__(self, ranks: Ranks, patches: int) -> None:
        self.ranks = ranks
        self.patches = patches
        self.data_s = 0.0
        self.text = ""

    @contextmanager
    def waiting_for_data(self) -> Iterator[None]:
        """Count the time of the block as one in which patches are waited for."""
        began = perf_counter()
        yield
        self.data_s += perf_counter() - began

    def measure(self, seconds: float, steps: int) -> None:
        """Find out what the last steps were like, on every rank; all ranks ask at the same time.

        Args:
            seconds: that this rank's steps took.
            steps: how many.
        """
        ranks, clock = self.ranks, self.ranks.clock
        shares = torch.zeros(ranks.size, 2, dtype=torch.float64)
        shares[ranks.rank] = torch.tensor([self.data_s, clock.seconds]) / max(seconds, 1e-9)
        self.data_s = clock.seconds = 0.0
        ranks.sum_(shares)
        rate = self.patches * steps / max(seconds, 1e-9)
        data, others = ([f"{100 * share:.0f}" for share in each] for each in shares.T.tolist())
        if ranks.size == 1:
            self.text = f", {rate:.3g} patches/s, {data[0]} % of the time waiting for them"
            return
        self.text = (
            f", {rate:.3g} patches/s by {ranks.size} processes, {rate / ranks.size:.3g} each; of "
            f"the time, each waits for patches {', '.join(data)} %, for the others "
            f"{', '.join(others)} %"
        )
