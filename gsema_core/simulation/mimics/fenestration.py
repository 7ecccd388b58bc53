"""A fenestration: an artery that splits into two limbs, which join again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, Course, draw_tube
from gsema_core.simulation.mimics.tubes import across, pieces, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

LIMB = (0.6, 0.85)
"""Width of a limb over the vessel's; two equal limbs of Murray's law have 0.79."""

GAP_MM = (0.5, 2.5)
"""Between the limbs' walls where they are farthest apart: a slit to a window (ours)."""

APART_MM = 0.8
"""Other arteries stay at least so far from the limbs."""


def fenestrate(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Split a piece of an artery in two limbs; see `gsema_core.simulation.trees`."""
    for _ in range(8):
        course = draw_tube(tree, box, filled, (0.75, 2.2), rng.uniform(7.0, 14.0), rng)
        if course is None:
            return None
        gap = float(rng.uniform(*GAP_MM))
        limbs = _limbs(course, gap, rng)
        if _replace(tree, labels, course, limbs):
            middle = course.points[len(course.points) // 2]
            return {
                "kind": "fenestration",
                "at": [round(float(value), 1) for value in middle],
                "radius_mm": round(float(np.median(course.radii)), 2),
                "gap_mm": round(gap, 2),
                "length_mm": round(float(course.way[-1]), 1),
            }
    return None


def _limbs(
    course: Course, gap_mm: float, rng: np.random.Generator
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Middle (voxels) and radius (mm) of both limbs, which bow away from each other."""
    share = course.way / course.way[-1]
    bow = np.sin(np.pi * np.clip((share - 0.08) / 0.84, 0.0, 1.0)) ** 0.8
    sideways = across(course.direction(len(share) // 2), rng)[0]
    limbs = []
    widths = rng.uniform(*LIMB, 2)
    split = rng.uniform(0.3, 0.7)  # how far each of them leaves the old course
    for side, width, part in zip((1.0, -1.0), widths, (split, 1.0 - split), strict=True):
        radius = course.radii * (1.0 + (width - 1.0) * np.clip(2.5 * bow, 0.0, 1.0))
        radius = np.maximum(radius, 0.9 * course.spacing)
        away = part * (course.radii * widths.sum() + gap_mm) / course.spacing
        limbs.append((course.points + side * (bow * away)[:, None] * sideways, radius))
    return limbs


def _replace(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    course: Course,
    limbs: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
) -> bool:
    """Draw the limbs in place of the artery; leave all as it was where they touch another."""
    spacing = tree.spacing
    reach = 3.0 * float(course.radii.max()) / spacing + 4
    low, high = course.points.min(axis=0) - reach, course.points.max(axis=0) + reach
    near = tree.voxels[np.all((tree.voxels >= low) & (tree.voxels <= high), axis=1)]
    apart, at = cKDTree(course.points).query(near)
    count = len(course.points)
    mine = apart * spacing < 1.35 * course.radii[at] + spacing
    inner = mine & (at > 0.08 * count) & (at < 0.92 * count)
    new = [tube_voxels(*limb, spacing, labels.shape) for limb in limbs]
    drawn = np.unique(np.concatenate(new), axis=0)
    others = near[~mine]
    if len(others):
        ends = np.minimum(cKDTree(course.points[[0, -1]]).query(drawn)[0] * spacing, 99.0)
        close = cKDTree(others).query(drawn)[0] * spacing < APART_MM
        if (close & (ends > 2.0 * course.radii.max())).any():
            return False
    part = tuple(slice(int(a), int(b) + 1) for a, b in zip(np.maximum(low, 0), high, strict=True))
    kept = labels[part].copy()
    before = pieces(labels, near, 1)
    taken = near[inner]
    if (labels[tuple(near[mine].T)] > VESSEL).any():
        return False
    labels[tuple(taken.T)] = BACKGROUND
    free = labels[tuple(drawn.T)] == BACKGROUND
    labels[tuple(drawn[free].T)] = VESSEL
    if pieces(labels, near, 1) == before and _is_open(labels, limbs):
        return True
    labels[part] = kept
    return False


def _is_open(
    labels: npt.NDArray[np.uint8],
    limbs: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
) -> bool:
    """Whether background is seen between the limbs over at least a quarter of them."""
    (one, _), (other, _) = limbs
    shares = np.linspace(0.0, 1.0, 12)[:, None, None]
    places = np.round(one + shares * (other - one)).astype(int)  # (12, P, 3) from limb to limb
    background = labels[tuple(np.moveaxis(places, -1, 0))] == BACKGROUND
    return float(background.any(axis=0).mean()) >= 0.25
