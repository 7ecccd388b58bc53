"""Arteries that stop: cut by a plane, as segmented ones are, or short stumps of branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, candidates, course_to, reachable
from gsema_core.simulation.mimics.new_branch import clear_until, leave_wall
from gsema_core.simulation.mimics.tubes import pieces, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

BEHIND_MM = 60.0
"""An artery is cut only where what it feeds ends within this way (ours)."""

RAGGED_MM = (0.0, 0.5)
"""Roughness of the cut: from a plane to the edge that a threshold leaves in noise (ours)."""

STUMP_MM, STUMP_RADIUS_MM = (1.2, 4.0), (0.4, 0.65)
"""Length and radius of a stump. It tapers, and is never wider than 1.3 mm, so that nobody takes it
for a bleb (ours)."""


def cut_end(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Take away all that the blood reaches behind a place; see `gsema_core.simulation.trees`."""
    places = candidates(tree, box, filled, (0.6, 1.8))
    for number in rng.permutation(places)[:40]:
        course = course_to(tree, int(number), 4.0)
        if course is None or len(tree.crossings(tree.voxels[number])) != 2:
            continue
        behind = _behind(tree, int(number))
        if behind is None or tree.in_sac[behind].any():
            continue
        along = course.direction(len(course.points) - 1)
        ragged = float(rng.uniform(*RAGGED_MM))
        tilt = along + rng.uniform(0.0, 0.5) * rng.normal(size=3)
        height = (tree.voxels[behind] - course.points[-1]) @ (tilt / np.linalg.norm(tilt))
        height = height * tree.spacing + ragged * rng.standard_normal(len(behind))
        near = np.linalg.norm(tree.voxels[behind] - course.points[-1], axis=1) * tree.spacing
        gone = behind[(height > 0) | (near > 2.0 * float(tree.radius[number]) + 1.0)]
        voxels = tree.voxels[gone]
        if len(gone) * tree.spacing**3 < 3.0 or (labels[tuple(voxels.T)] > VESSEL).any():
            continue
        before, kept = pieces(labels, tree.voxels[behind]), labels[tuple(voxels.T)].copy()
        labels[tuple(voxels.T)] = BACKGROUND
        if pieces(labels, tree.voxels[behind]) > before:
            labels[tuple(voxels.T)] = kept
            continue
        return {
            "kind": "cut_end",
            "at": [round(float(value), 1) for value in course.points[-1]],
            "radius_mm": round(float(tree.radius[number]), 2),
            "ragged_mm": round(ragged, 2),
            "taken_mm3": round(len(gone) * tree.spacing**3, 1),
        }
    return None


def add_stump(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Let a thin branch leave an artery and end soon; see `gsema_core.simulation.trees`."""
    parents = candidates(tree, box, filled, (0.9, 3.0))
    for number in rng.permutation(parents)[:40]:
        start = leave_wall(tree, int(number), rng)
        if start is None:
            continue
        radius = float(rng.uniform(*STUMP_RADIUS_MM))
        length = float(rng.uniform(*STUMP_MM))
        count = round((start.exit_mm + length) / tree.spacing / 0.5)
        line = start.point + 0.5 * np.arange(count)[:, None] * start.direction
        if clear_until(tree, labels, box, line, start, radius) < count:
            continue
        outside = np.clip(np.arange(count) * 0.5 * tree.spacing - start.exit_mm, 0.0, None)
        width = np.maximum(radius * (1.0 - 0.4 * outside / length), 0.75 * tree.spacing)
        voxels = tube_voxels(line, width, tree.spacing, labels.shape)
        new = voxels[labels[tuple(voxels.T)] == BACKGROUND]
        if not len(new):
            continue
        labels[tuple(new.T)] = VESSEL
        return {
            "kind": "stump",
            "at": [round(float(value), 1) for value in line[-1]],
            "radius_mm": round(radius, 2),
            "length_mm": round(length, 2),
        }
    return None


def _behind(tree: ArteryTree, number: int) -> npt.NDArray[Any] | None:
    """All that the blood reaches through a place; None where that is too much."""
    way = tree.shortest_way
    later = np.flatnonzero(np.isfinite(way) & (way >= way[number] - tree.spacing))
    behind = reachable(tree, later, number)
    if way[behind].max() > way[number] + BEHIND_MM:
        return None
    return behind
