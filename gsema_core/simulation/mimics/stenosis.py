"""A stenosis, and the moderate widening that follows behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, Course, draw_tube
from gsema_core.simulation.mimics.tubes import in_one_piece, pieces
from gsema_core.simulation.trees.artery_tree import ArteryTree

NARROWEST = (0.4, 0.75)
"""Width at the stenosis over the vessel's own: 25 to 60 % by diameter, moderate (NASCET's scale).
Narrower ones would vanish in voxels of 0.4 mm."""

WIDEST = (1.1, 1.35)
"""Width behind it over the vessel's own. Below 1.5, from which a widening is called a fusiform
aneurysm (Johnston et al., J Vasc Surg 1991); a voxel's rounding keeps it below too."""

LEAST_LUMEN_MM = 0.4
"""Radius that is left at least: one voxel of the label maps at hand."""


def narrow_and_widen(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Narrow an artery and widen it a little behind; see `gsema_core.simulation.trees`."""
    for _ in range(6):
        course = draw_tube(tree, box, filled, (0.8, 2.8), rng.uniform(11.0, 17.0), rng)
        if course is None:
            return None
        radius = float(np.median(course.radii))
        least = float(np.clip(LEAST_LUMEN_MM / radius, NARROWEST[0], NARROWEST[1]))
        narrow, wide = float(rng.uniform(least, NARROWEST[1])), float(rng.uniform(*WIDEST))
        factor = _profile(course, narrow, wide, rng)
        if _apply(tree, labels, course, factor):
            middle = course.points[int(factor.argmin())]
            return {
                "kind": "stenosis",
                "at": [round(float(value), 1) for value in middle],
                "radius_mm": round(radius, 2),
                "narrow": round(narrow, 2),
                "wide": round(wide, 2),
            }
    return None


def _profile(
    course: Course, narrow: float, wide: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(P,) width over the vessel's own: down to ``narrow``, then up to ``wide``, 1 at both ends."""
    way = course.way / course.way[-1]
    at, behind = rng.uniform(0.28, 0.4), rng.uniform(0.6, 0.72)
    throat = np.exp(-0.5 * ((way - at) / rng.uniform(0.06, 0.1)) ** 2)
    bulge = np.exp(-0.5 * ((way - behind) / rng.uniform(0.09, 0.12)) ** 2)
    fade = np.clip(np.minimum(way, 1.0 - way) / 0.1, 0.0, 1.0)
    return np.asarray(1.0 + fade * ((narrow - 1.0) * throat + (wide - 1.0) * bulge))


def _apply(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    course: Course,
    factor: npt.NDArray[np.float64],
) -> bool:
    """Shift the wall along the course; leave all as it was where something would break."""
    spacing = tree.spacing
    reach = float(course.radii.max()) / spacing + 2
    low, high = course.points.min(axis=0) - 2 * reach, course.points.max(axis=0) + 2 * reach
    near = np.flatnonzero(np.all((tree.voxels >= low) & (tree.voxels <= high), axis=1))
    line = cKDTree(course.points)
    apart, at = line.query(tree.voxels[near])
    mine = apart * spacing < 1.3 * course.radii[at] + spacing
    inner = (at > 0) & (at < len(factor) - 1)
    taken = near[mine & inner & (tree.radius[near] < (1 - factor[at]) * course.radii[at])]
    added = _added(tree, course, factor, near, mine)
    if added is None or not len(taken) or not len(added):
        return False
    old, new = tree.voxels[taken], added
    changed = np.concatenate([old, new])
    before, kept = pieces(labels, changed), labels[tuple(old.T)].copy()
    if (labels[tuple(changed.T)] > VESSEL).any():
        return False
    labels[tuple(old.T)] = BACKGROUND
    labels[tuple(new.T)] = VESSEL
    if in_one_piece(labels, changed, before):
        return True
    labels[tuple(old.T)], labels[tuple(new.T)] = kept, BACKGROUND
    return False


def _added(
    tree: ArteryTree,
    course: Course,
    factor: npt.NDArray[np.float64],
    near: npt.NDArray[Any],
    mine: npt.NDArray[np.bool_],
) -> npt.NDArray[Any] | None:
    """Voxels outside the wall that the widening takes; None where another vessel is in its way."""
    spacing = tree.spacing
    reach = int(np.ceil(1.6 * course.radii.max() / spacing)) + 1
    low = np.maximum(np.floor(course.points.min(axis=0)).astype(int) - reach, 0)
    high = np.minimum(np.ceil(course.points.max(axis=0)).astype(int) + reach + 1, tree.labels.shape)
    part = tree.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    outside = np.argwhere(part == 0) + low
    own = tree.voxels[near[mine]]
    # From the wall, which lies half a voxel beyond the last voxel inside.
    beyond = cKDTree(own).query(outside)[0] * spacing - spacing / 2
    at = cKDTree(course.points).query(outside)[1]
    new = outside[beyond < (factor[at] - 1) * course.radii[at]]
    others = tree.voxels[near[~mine]]
    if len(others) and len(new) and (cKDTree(others).query(new)[0] * spacing < 0.8).any():
        return None
    return np.asarray(new)
