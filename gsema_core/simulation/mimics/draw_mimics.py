"""Drawing what of all this one field of view holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.mimics.clips import add_clip
from gsema_core.simulation.mimics.coiled_sac import coil_sac
from gsema_core.simulation.mimics.courses import Box
from gsema_core.simulation.mimics.cut_ends import add_stump, cut_end
from gsema_core.simulation.mimics.fenestration import fenestrate
from gsema_core.simulation.mimics.infundibulum import add_infundibulum
from gsema_core.simulation.mimics.kissing import add_kissing
from gsema_core.simulation.mimics.loops import add_loop
from gsema_core.simulation.mimics.stenosis import narrow_and_widen
from gsema_core.simulation.mimics.veins import add_veins
from gsema_core.simulation.trees.artery_tree import ArteryTree

Change = Callable[
    [ArteryTree, npt.NDArray[np.uint8], Box, npt.NDArray[np.bool_], np.random.Generator],
    "dict[str, Any] | None",
]

CHANGES: dict[str, tuple[Change, float]] = {
    "cut_end": (cut_end, 1.0),
    "infundibulum": (add_infundibulum, 2.5),
    "fenestration": (fenestrate, 1.0),
    "kissing": (add_kissing, 2.0),
    "loop": (add_loop, 1.5),
    "stenosis": (narrow_and_widen, 2.5),
    "stump": (add_stump, 1.5),
}
"""Each kind and how often it is drawn beside the others (ours: more of those that a teacher takes
for aneurysms most often, and far more of all than in patients)."""

APART_MM = 5.0
"""Each is made at least so far from what was changed before it."""

VEINS, CLIP, COILS = 0.3, 0.04, 0.06
"""Shares of fields with veins and with a clip, and of fields with a large sac in which it is coiled
(ours)."""


@dataclass(frozen=True, eq=False)
class Mimics:
    """What was drawn.

    Args:
        records: JSON values of every change, in the order in which they were made.
        additions: what is filled or dense without a label; each holds its own record.
    """

    records: tuple[dict[str, Any], ...]
    additions: tuple[Addition, ...]


def draw_mimics(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    count: int,
) -> Mimics:
    """Add mimics of aneurysms to a field of view, and veins and metal by the shares above.

    Args:
        tree: the arteries before any change.
        labels: (k, j, i) a copy of the tree's, changed in place.
        box: the field of view.
        filled: (N,) which of the tree's voxels show contrast.
        rng: draws everything.
        count: how many changes are tried; where one finds no place, there are fewer.
    """
    records: list[dict[str, Any]] = []
    additions: list[Addition] = []
    if rng.random() < COILS:
        coils = coil_sac(tree, labels, box, filled, rng)
        additions += [] if coils is None else [coils]
    weights = np.array([weight for _, weight in CHANGES.values()])
    count = min(count, len(CHANGES))
    chosen = rng.choice(len(weights), count, replace=False, p=weights / weights.sum())
    changes = [list(CHANGES.values())[number][0] for number in chosen]
    for change in changes:
        record = change(tree, labels, box, filled & _unchanged(tree, labels), rng)
        records += [] if record is None else [record]
    if rng.random() < CLIP:
        clip = add_clip(tree, labels, box, filled & _unchanged(tree, labels), rng)
        additions += [] if clip is None else [clip]
    if rng.random() < VEINS:
        veins = add_veins(tree, labels, box, rng)
        additions += [] if veins is None else [veins]
    return Mimics(tuple(records), tuple(additions))


def _unchanged(tree: ArteryTree, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(N,) which of the tree's voxels lie apart from everything that was changed."""
    changed = np.argwhere(tree.labels != labels)
    if not len(changed):
        return np.ones(len(tree.voxels), bool)
    limit = APART_MM / tree.spacing
    distance, _ = cKDTree(changed).query(tree.voxels, distance_upper_bound=limit)
    return np.asarray(np.isinf(distance))
