"""Where on a tree an aneurysm may grow: at bifurcations, on the outer side of bends, on walls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.simulation.sacs.sac_plan import Place
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.trees.crossings import Crossing

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer[Any]]
Box = tuple[npt.NDArray[Any], npt.NDArray[Any]]

LOOKED_AT = 250
"""Places of a tree that are looked at before it is said to have none of a kind (ours)."""

WIDEST_MM = 3.2
"""Radius of the widest artery that gets a sac: wider ones are two that touch (a pilot's)."""

LEAST_RADIUS_MM = ((3.0, 0.75), (5.0, 0.95), (10.0, 1.0), (np.inf, 1.2))
"""Least radius of the artery for sacs up to so large (a pilot's up to 5 mm, ours beyond)."""

TUBE_MM = 0.95
"""Least radius of an artery that gets a fusiform piece (ours)."""

MOST_BRANCHES = 4
"""Where more vessels leave a small ball, some of them only touch there (ours)."""

BEND_DEG = 30.0
"""What turns by more within a few radii is a bend (a pilot's)."""

SPREAD = {"bifurcation": 0.15, "bend": 0.1, "side": 0.0}
"""Standard deviation that is added to each component of a sac's direction (a pilot's)."""


@dataclass(frozen=True, eq=False)
class SacSite:
    """A point in the middle of an artery, and the direction in which a sac grows from there.

    Args:
        voxel: number of the tree's voxel.
        point: (3,) its k, j, i.
        radius_mm: of the artery.
        outward: (3,) unit vector along k, j, i.
        wall_mm: way from the point to the wall.
        place: what kind of place it is.
    """

    voxel: int
    point: Floats
    radius_mm: float
    outward: Floats
    wall_mm: float
    place: Place


def least_radius_mm(diameter_mm: float) -> float:
    """Of an artery that may have a sac of this size."""
    return next(radius for size, radius in LEAST_RADIUS_MM if diameter_mm <= size)


def candidates(tree: ArteryTree, box: Box, filled: npt.NDArray[np.bool_], least_mm: float) -> Ints:
    """Numbers of medial voxels in the box that show contrast, of arteries at least so wide."""
    medial = tree.medial
    places = tree.voxels[medial]
    inside = np.all((places >= box[0]) & (places < box[1]), axis=1)
    radius = tree.radius[medial]
    wide = (radius >= least_mm) & (radius <= WIDEST_MM)
    return np.asarray(medial[inside & wide & filled[medial] & ~tree.in_sac[medial]])


def sac_sites(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    place: Place,
    diameter_mm: float,
    rng: np.random.Generator,
) -> Iterator[SacSite]:
    """Sites of one kind for a sac of a size that would lie in the box, in a random order."""
    order = rng.permutation(candidates(tree, box, filled, least_radius_mm(diameter_mm)))
    for voxel in order[:LOOKED_AT]:
        point = tree.voxels[voxel]
        if labels[tuple(point)] == 0:
            continue
        found = _direction(tree, tree.crossings(point, labels), rng)
        if found is None or found[0] != place:
            continue
        outward = found[1] + SPREAD[place] * rng.standard_normal(3)
        length = float(np.linalg.norm(outward))
        if length < 0.2:
            continue
        outward = outward / length
        radius = float(tree.radius[voxel])
        wall = _way_to_wall(labels, point, outward, radius, tree.spacing)
        if wall is None:
            continue
        middle = point + outward * (wall + 0.4 * diameter_mm) / tree.spacing
        reach = 0.4 * diameter_mm / tree.spacing
        if (middle - reach >= box[0]).all() and (middle + reach < box[1]).all():
            yield SacSite(int(voxel), point.astype(float), radius, outward, wall, place)


def tube_voxels(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Iterator[int]:
    """Numbers of medial voxels of arteries that neither end nor divide there, in random order."""
    for voxel in rng.permutation(candidates(tree, box, filled, TUBE_MM))[:LOOKED_AT]:
        point = tree.voxels[voxel]
        if labels[tuple(point)] and len(tree.crossings(point, labels)) == 2:
            yield int(voxel)


def _direction(
    tree: ArteryTree, crossings: tuple[Crossing, ...], rng: np.random.Generator
) -> tuple[Place, Floats] | None:
    """The kind of place and where a sac points; None at an end and where many vessels touch."""
    directions = [crossing.direction for crossing in crossings]
    if len(directions) == 2:
        one, other = directions
        if one @ other > -np.cos(np.deg2rad(BEND_DEG)):
            return "bend", -(one + other)
        along = (one - other) / np.linalg.norm(one - other)
        outward = rng.standard_normal(3)
        outward -= (outward @ along) * along
        return "side", outward / np.linalg.norm(outward)
    if not 3 <= len(directions) <= MOST_BRANCHES:
        return None
    # The jet of the parent, which lies the shortest way to the inflow, hits the apex.
    numbers = [int(tree.number_at(crossing.voxel)) for crossing in crossings]
    ways = [float(tree.shortest_way[n]) if n >= 0 else np.inf for n in numbers]
    parent = int(np.argmin(ways))
    jet = -directions[parent]
    between = np.sum([d for n, d in enumerate(directions) if n != parent], axis=0)
    length = float(np.linalg.norm(between))
    return "bifurcation", 0.5 * jet + between / length if length > 0.3 else jet


def _way_to_wall(
    labels: npt.NDArray[np.uint8], point: Ints, outward: Floats, radius: float, spacing: float
) -> float | None:
    """mm from a point to the wall; None where the lumen goes on farther than an artery is wide."""
    steps = np.arange(0.0, 2.2 * radius + 0.5, 0.1)
    ray = np.round(point + steps[:, None] / spacing * outward).astype(int)
    if (ray < 0).any() or (ray >= labels.shape).any():
        return None
    outside = labels[tuple(ray.T)] == 0
    return float(steps[outside.argmax()]) if outside.any() else None
