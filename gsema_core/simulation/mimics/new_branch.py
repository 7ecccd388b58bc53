"""A new branch: where it leaves its parent and how it runs between the other arteries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.simulation.mimics.courses import Box
from gsema_core.simulation.mimics.tubes import any_direction, free_of
from gsema_core.simulation.trees.artery_tree import ArteryTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer[Any]]

BEND_MM = 6.0
"""Typical radius of curvature of a small artery's course (ours)."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where a branch leaves.

    Args:
        point: (3,) k, j, i in voxels, in the middle of the parent.
        direction: (3,) unit vector out of it.
        exit_mm: way to the wall.
    """

    point: Floats
    direction: Floats
    exit_mm: float


def leave_wall(tree: ArteryTree, number: int, rng: np.random.Generator) -> Start | None:
    """A way out through the side wall of an artery at a medial voxel; None at a bifurcation."""
    point = tree.voxels[number].astype(float)
    crossings = tree.crossings(point)
    if len(crossings) != 2:
        return None
    along = crossings[0].direction - crossings[1].direction
    along /= max(float(np.linalg.norm(along)), 1e-9)
    outward = any_direction(rng)
    outward -= 0.85 * (outward @ along) * along
    outward /= np.linalg.norm(outward)
    radius = float(tree.radius[number])
    steps = np.arange(0.0, 2.0 * radius + 1.0, 0.1)
    inside = tree.number_at(np.round(point + np.outer(steps / tree.spacing, outward))
                            .astype(int)) >= 0  # fmt: skip
    if inside.all() or steps[np.argmin(inside)] > 1.5 * radius + 0.4:
        return None
    return Start(point, outward, float(steps[np.argmin(inside)]))


def lumen_near(labels: npt.NDArray[np.uint8], points: Floats, reach: float) -> Ints:
    """(N, 3) voxels of the lumen in the box around some points."""
    low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int), 0)
    high = np.ceil(points.max(axis=0) + reach).astype(int) + 1
    part = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return np.asarray(np.argwhere(part > 0) + low)


def draw_course(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    start: Start,
    radius_mm: float,
    length_mm: float,
    rng: np.random.Generator,
    tries: int = 8,
) -> Floats | None:
    """A smoothly bending way from a parent's middle that stays clear of all other arteries.

    Returns:
        (P, 3) k, j, i, half a voxel apart, at least 60 % of the length; None where none is free.
    """
    step = 0.5
    count = int(length_mm / tree.spacing / step)
    for _ in range(tries):
        heading, turn = start.direction, rng.standard_normal(3)
        points = [start.point]
        straight = (start.exit_mm + 1.5) / tree.spacing
        for n in range(count):
            turn = 0.97 * turn + np.sqrt(1.0 - 0.97**2) * rng.standard_normal(3)
            if n * step > straight:
                heading = heading + step * tree.spacing / BEND_MM * turn
                heading = heading / np.linalg.norm(heading)
            points.append(points[-1] + step * heading)
        line = np.array(points)
        good = clear_until(tree, labels, box, line, start, radius_mm)
        if good >= 0.6 * count:
            return line[:good]
    return None


def inside_field(points: Floats, box: Box) -> npt.NDArray[np.bool_]:
    """(P,) which points lie in the field of view."""
    return np.asarray(np.all((points >= box[0]) & (points < box[1]), axis=1))


def clear_until(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    line: Floats,
    start: Start,
    radius_mm: float,
) -> int:
    """How many points of a way, half a voxel apart, are free and in the field, from its start."""
    shape = np.array(labels.shape)
    inside = inside_field(line, box) & np.all((line > 2) & (line < shape - 3), axis=1)
    others = lumen_near(labels, line, 3.0 / tree.spacing)
    free = inside & free_of(line, radius_mm, others, tree.spacing)
    way = np.arange(len(line)) * 0.5 * tree.spacing
    free |= inside & (way < start.exit_mm + radius_mm + 1.2)  # still beside the parent
    return len(line) if free.all() else int(np.argmin(free))
