"""Where networks claim aneurysms in arteries that have none: bends, wide forks, ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.simulation.trees.artery_tree import ArteryTree

Ints = npt.NDArray[np.integer[Any]]

APART_MM = 3.0
"""Places of one kind are at least this far from each other."""

WIDE_MM = 0.8
"""Least radius at bends and forks: false claims sit at the carotid's (measured on whole trees)."""

FROM_SAC_MM = 6.0
"""Nearer to a sac, the place would show it."""

BEND_DEG = 35.0
"""From this turn over about two widths on, a tube counts as a bend (ours)."""


@dataclass(frozen=True, eq=False)
class HardPlaces:
    """Numbers of a tree's medial voxels, the hardest first.

    Args:
        bends: of tubes, the sharpest first.
        forks: the widest first: the carotid's T, the basilar's tip.
        ends: where arteries stop, the widest first.
    """

    bends: Ints
    forks: Ints
    ends: Ints

    def draw(self, rng: np.random.Generator, hardest: int = 12) -> int | None:
        """One of the hardest places of a kind, all kinds alike; None where there is no place."""
        kinds = [kind[:hardest] for kind in (self.bends, self.forks, self.ends) if len(kind)]
        if not kinds:
            return None
        kind = kinds[int(rng.integers(len(kinds)))]
        return int(kind[rng.integers(len(kind))])


@lru_cache(maxsize=2)
def hard_places(tree: ArteryTree) -> HardPlaces:
    """The places of a tree at which a false claim is likely; it takes about a second, once a tree.

    Args:
        tree: the arteries of a patient.
    """
    medial = tree.medial[~tree.in_sac[tree.medial]]
    medial = _away_from_sacs(tree, medial)
    wide = medial[tree.radius[medial] >= WIDE_MM]
    wide = wide[np.argsort(-tree.radius[wide], kind="stable")]
    bends: list[tuple[float, int]] = []
    forks: list[tuple[float, int]] = []
    for number in _thinned(tree, wide, APART_MM / 2):
        crossings = tree.crossings(tree.voxels[number])
        if len(crossings) == 2:
            cosine = -float(crossings[0].direction @ crossings[1].direction)
            turn = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
            if turn >= BEND_DEG:
                bends.append((turn, int(number)))
        elif len(crossings) == 3:
            forks.append((float(tree.radius[number]), int(number)))
    ends = _away_from_sacs(tree, tree.ends)
    near = cKDTree(tree.voxels[tree.medial])
    middles = tree.medial[near.query(tree.voxels[ends])[1]] if len(ends) else ends
    stops = [(float(tree.radius[number]), int(number)) for number in middles]
    return HardPlaces(*(_hardest(tree, found) for found in (bends, forks, stops)))


def _hardest(tree: ArteryTree, found: list[tuple[float, int]]) -> Ints:
    order = sorted(found, key=lambda pair: (-pair[0], pair[1]))
    return _thinned(tree, np.array([number for _, number in order], int), APART_MM)


def _thinned(tree: ArteryTree, numbers: Ints, apart_mm: float) -> Ints:
    """The first ones, and those of the others that lie apart from all taken before."""
    if not len(numbers):
        return numbers
    near = cKDTree(tree.voxels[numbers]).query_ball_point(
        tree.voxels[numbers], apart_mm / tree.spacing
    )
    free = np.ones(len(numbers), bool)
    taken = []
    for place in range(len(numbers)):
        if free[place]:
            taken.append(int(numbers[place]))
            free[near[place]] = False
    return np.array(taken, int)


def _away_from_sacs(tree: ArteryTree, numbers: Ints) -> Ints:
    if not tree.in_sac.any() or not len(numbers):
        return numbers
    distance = cKDTree(tree.voxels[tree.in_sac]).query(tree.voxels[numbers])[0]
    return np.asarray(numbers[distance * tree.spacing > FROM_SAC_MM])
