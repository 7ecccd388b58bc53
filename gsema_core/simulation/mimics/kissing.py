"""Kissing vessels: a branch that touches another artery in passing and goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, Ints, candidates
from gsema_core.simulation.mimics.new_branch import (
    Floats,
    Start,
    inside_field,
    leave_wall,
    lumen_near,
)
from gsema_core.simulation.mimics.tubes import across, curve, free_of, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

OVERLAP_MM = (-0.3, 0.3)
"""From a gap narrower than a voxel, which no scan resolves, to walls pressed flat (ours)."""

REACH_MM = (5.0, 25.0)
"""How far from its origin a branch touches another artery (ours)."""

AWAY_MM = 6.0
"""From this far along the blood's way on, another place of the tree is another artery (ours)."""

RADIUS_MM = (0.5, 1.4)


def add_kissing(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Let a new branch touch an artery in passing; see `gsema_core.simulation.trees`."""
    parents = candidates(tree, box, filled, (0.8, 3.0))
    if len(parents) < 2:
        return None
    search = cKDTree(tree.voxels[parents])
    for number in rng.permutation(parents)[:80]:
        start = leave_wall(tree, int(number), rng)
        if start is None:
            continue
        touched = _other(tree, parents, search, int(number), start, rng)
        if touched is None:
            continue
        parent = float(tree.radius[number])
        radius = float(rng.uniform(RADIUS_MM[0], min(RADIUS_MM[1], 0.8 * parent)))
        overlap = float(rng.uniform(*OVERLAP_MM))
        passing = _passing(tree, touched, start, radius, overlap, rng)
        if passing is None or not _is_clear(tree, labels, box, *passing, start, radius):
            continue
        line, touch = passing
        width = np.maximum(radius * np.linspace(1.0, 0.85, len(line)), 0.9 * tree.spacing)
        voxels = tube_voxels(line, width, tree.spacing, labels.shape)
        labels[tuple(voxels[labels[tuple(voxels.T)] == BACKGROUND].T)] = VESSEL
        return {
            "kind": "kissing",
            "at": [round(float(value), 1) for value in touch],
            "radius_mm": round(radius, 2),
            "touched_mm": round(float(tree.radius[touched]), 2),
            "overlap_mm": round(overlap, 2),
        }
    return None


def _other(
    tree: ArteryTree,
    arteries: Ints,
    search: cKDTree,
    number: int,
    start: Start,
    rng: np.random.Generator,
) -> int | None:
    """A place of another artery, in front of the wall that the branch leaves through."""
    near = np.array(search.query_ball_point(start.point, REACH_MM[1] / tree.spacing), int)
    near = arteries[near]
    off = tree.voxels[near] - start.point
    distance = np.linalg.norm(off, axis=1)
    ahead = off @ start.direction > 0.3 * distance
    far = distance * tree.spacing > REACH_MM[0]
    way = np.abs(tree.shortest_way[near] - tree.shortest_way[number])
    near = near[ahead & far & (way > AWAY_MM) | (ahead & far & (distance * tree.spacing > 12.0))]
    return int(rng.choice(near)) if len(near) else None


def _passing(
    tree: ArteryTree,
    touched: int,
    start: Start,
    radius_mm: float,
    overlap_mm: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats] | None:
    """A way past a place of an artery, at its side, and the place where they touch."""
    crossings = tree.crossings(tree.voxels[touched])
    if len(crossings) != 2:
        return None
    spacing, middle = tree.spacing, tree.voxels[touched].astype(float)
    along = crossings[0].direction - crossings[1].direction
    along /= max(float(np.linalg.norm(along)), 1e-9)
    toward = start.point - middle
    side = toward - (toward @ along) * along + 0.2 * np.linalg.norm(toward) * across(along, rng)[0]
    side -= (side @ along) * along
    side /= max(float(np.linalg.norm(side)), 1e-9)
    apart = (float(tree.radius[touched]) + radius_mm - overlap_mm) / spacing
    touch = middle + apart * side
    # Both arteries run nearly side by side, or cross at an angle.
    angle = rng.uniform(0.0, np.pi)
    heading = np.cos(angle) * along + np.sin(angle) * np.cross(side, along)
    if heading @ (touch - start.point) < 0:
        heading = -heading
    arm = rng.uniform(2.0, 4.0) / spacing
    out = start.point + start.direction * (start.exit_mm + radius_mm + 1.0) / spacing
    knots = [start.point, out, touch - arm * heading + 0.35 * arm * side, touch,
             touch + arm * heading + 0.35 * arm * side,
             touch + 2.5 * arm * heading + 1.2 * arm * side]  # fmt: skip
    return curve(knots), touch


def _is_clear(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    line: Floats,
    touch: Floats,
    start: Start,
    radius_mm: float,
) -> bool:
    """Whether the way touches nothing but where it begins and where it shall."""
    spacing = tree.spacing
    shape = np.array(labels.shape)
    if ((line < 2) | (line > shape - 3)).any():
        return False
    seen = inside_field(line, box)
    others = lumen_near(labels, line, 3.0 / spacing)
    way = np.arange(len(line)) * 0.5 * spacing
    at_parent = way < start.exit_mm + radius_mm + 1.2
    at_touch = np.linalg.norm(line - touch, axis=1) * spacing < 3.0
    free = free_of(line, radius_mm, others, spacing, 0.6)
    deepest = cKDTree(others).query(line)[0] * spacing
    pressed = at_touch & (deepest < radius_mm - OVERLAP_MM[1] - 0.6 * spacing)
    return bool(seen[at_touch].all() and (free | at_parent | at_touch).all() and not pressed.any())
