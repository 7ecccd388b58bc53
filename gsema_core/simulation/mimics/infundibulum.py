"""An infundibulum: the funnel-shaped origin of a small branch, which leaves from its apex."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, beyond, candidates, course_to
from gsema_core.simulation.mimics.new_branch import draw_course, leave_wall
from gsema_core.simulation.mimics.tubes import curve, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

WIDEST_MM = 3.0
"""Radiology calls a funnel at the origin of a branch infundibulum up to this width, if it is round
and the branch leaves from its apex; else aneurysm (Saltzman 1959)."""

MOUTH_MM, HEIGHT_MM = (1.7, 2.7), (1.8, 3.2)
"""Diameter at the parent's wall, below `WIDEST_MM` after rounding to voxels, and height (ours)."""

BRANCH_MM = (0.4, 0.75)
"""Radius of the branch at the apex: posterior communicating, anterior choroidal (ours)."""


def add_infundibulum(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Widen the origin of a small branch, or add one with such an origin.

    See `gsema_core.simulation.trees` for the arguments.
    """
    parents = candidates(tree, box, filled, (1.0, 3.0))
    tries = rng.permutation(parents)[:80]
    if rng.random() < 0.6:
        for number in tries:
            line = _small_branch(tree, int(number))
            if line is not None:
                record = _funnel(tree, labels, int(number), *line, rng)
                if record is not None:
                    return {**record, "branch": "own"}
    for number in tries[:30]:
        start = leave_wall(tree, int(number), rng)
        if start is None:
            continue
        radius = float(rng.uniform(*BRANCH_MM))
        points = draw_course(tree, labels, box, start, radius, rng.uniform(8.0, 25.0), rng)
        if points is None:
            continue
        taper = radius * np.linspace(1.0, 0.8, len(points))
        voxels = tube_voxels(points, np.maximum(taper, 0.9 * tree.spacing), tree.spacing,
                             labels.shape)  # fmt: skip
        record = _funnel(tree, labels, int(number), points, radius, rng)
        if record is not None:
            _add(labels, voxels)
            return {**record, "branch": "new"}
    return None


def _small_branch(tree: ArteryTree, number: int) -> tuple[npt.NDArray[np.float64], float] | None:
    """Middle line and radius of a branch, much smaller than its parent, that leaves near here."""
    crossings = tree.crossings(tree.voxels[number])
    parent = float(tree.radius[number])
    if len(crossings) != 3:
        return None
    smallest = min(crossings, key=lambda crossing: crossing.size)
    at = int(tree.number_at(smallest.voxel))
    if at < 0 or tree.shortest_way[at] <= tree.shortest_way[number]:
        return None
    end = beyond(tree, at, 3.0)
    course = None if end is None else course_to(tree, end, 3.0)
    if course is None or tree.in_sac[course.numbers].any():
        return None
    radius = float(np.median(course.radii))
    if not BRANCH_MM[0] <= radius <= min(BRANCH_MM[1] + 0.15, 0.55 * parent):
        return None
    return curve(np.concatenate([[tree.voxels[number]], course.points[::3]])), radius


def _funnel(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    number: int,
    points: npt.NDArray[np.float64],
    radius: float,
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Draw a round funnel around the first part of a branch's middle line."""
    spacing = tree.spacing
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    outside = way * spacing - float(tree.radius[number])
    mouth = min(rng.uniform(*MOUTH_MM) / 2, 0.85 * float(tree.radius[number]))
    height = rng.uniform(*HEIGHT_MM)
    if mouth < 1.25 * radius or outside[-1] < height:
        return None
    inside = outside <= height
    share = np.clip(outside[inside] / height, 0.0, 1.0)
    width = radius + (mouth - radius) * (1.0 - share ** rng.uniform(0.8, 1.3))
    voxels = tube_voxels(points[inside], np.maximum(width, 0.9 * spacing), spacing, labels.shape)
    new = voxels[labels[tuple(voxels.T)] == BACKGROUND]
    if len(new) * spacing**3 < 1.0:  # lost in the wall
        return None
    _add(labels, voxels)
    return {
        "kind": "infundibulum",
        "at": [round(float(value), 1) for value in points[inside][-1]],
        "mouth_mm": round(2 * mouth, 2),
        "height_mm": round(float(height), 2),
        "branch_mm": round(2 * radius, 2),
    }


def _add(labels: npt.NDArray[np.uint8], voxels: npt.NDArray[Any]) -> None:
    """Label as vessel what is background."""
    free = labels[tuple(voxels.T)] == BACKGROUND
    labels[tuple(voxels[free].T)] = VESSEL
