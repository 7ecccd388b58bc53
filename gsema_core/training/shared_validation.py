"""A validation by all processes of a run: each scores its part of the cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from gsema_core.datasets.cache import CachedVolume
from gsema_core.errors import Cancelled
from gsema_core.training.ranks import Ranks

Score = Callable[[CachedVolume], Mapping[str, float]]


def validate_together(
    ranks: Ranks,
    volumes: Sequence[CachedVolume],
    shown: Sequence[CachedVolume],
    score: Score,
    names: Sequence[str],
) -> dict[str, float]:
    """The mean scores of some cases, on every rank; the numbers are those of one rank alone.

    Args:
        ranks: this process among others, which all call this.
        volumes: the cases, at least one.
        shown: those among them that the first rank makes pictures of: it scores them itself.
        score: scores a case by the names of its scores.
        names: of the scores.

    Raises:
        Cancelled: ``score`` said so, here or on another rank.
    """
    table = torch.zeros(len(volumes), len(names), dtype=torch.float64)
    cancelled = False
    try:
        for number in shares(volumes, shown, ranks.size)[ranks.rank]:
            scores = score(volumes[number])
            table[number] = torch.tensor([scores[name] for name in names], dtype=torch.float64)
    except Cancelled:
        cancelled = True
    ranks.wait_for_first()
    if ranks.any(cancelled):
        raise Cancelled
    ranks.sum_(table)  # of zeros and one rank's scores: exact
    columns = table.T.tolist()
    return {name: float(np.mean(column)) for name, column in zip(names, columns, strict=True)}


def shares(
    volumes: Sequence[CachedVolume], shown: Sequence[CachedVolume], size: int
) -> list[list[int]]:
    """The numbers of each rank's cases: as many voxels as possible alike, largest cases first.

    The shown ones are the first rank's.
    """
    numbers: list[list[int]] = [[] for _ in range(size)]
    voxels = [0] * size
    order = sorted(range(len(volumes)), key=lambda n: -np.prod(volumes[n].shape("image")))
    pictured = [n for n in order if any(volumes[n] is each for each in shown)]
    for number in [*pictured, *(n for n in order if n not in pictured)]:
        rank = 0 if number in pictured else int(np.argmin(voxels))
        numbers[rank].append(number)
        voxels[rank] += int(np.prod(volumes[number].shape("image")))
    return [sorted(each) for each in numbers]
