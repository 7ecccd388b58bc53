"""The length of the line along the middle of a sac, from the neck to the dome."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gsema_core.grids.components import connected_components
from gsema_core.measurements.interface import ROUNDING, Floats, Integers, Mask
from gsema_core.measurements.neck import Neck

CORE = 0.75
"""The least radius of the line's last sphere, as a share of the largest sphere's. The largest
connected part of such places is the core in Piccinelli et al.'s published programs (2012)."""

SMOOTHING_STEPS = 20
"""How often each point of the line moves half of the way to the middle of its neighbors, as in the
same programs."""

STEEPEST = 0.75
"""The steepest slope of the distance to the wall at the line's end: it is 1 off the middle of a
lumen, less in the middle and 0 at a sphere's center. Our choice; 0.6 and 0.9 give the same within
0.1 voxels on the shapes of Testing/benchmarks/measurements.py."""

LENGTH_LOSS = 0.35
"""Voxels that a line through voxel centers lacks at its last sphere; our fit, see below."""

MOST_NODES = 50_000
"""Of sacs of more voxels every second or third along each axis is taken, which is enough for a
line and bounds its time (0.3 s). Our choice."""


def sac_centerline_length_mm(
    sac: Mask, vessel: Mask, neck: Neck, spacing: Floats, start: Integers
) -> float:
    """The length in mm of the sac's centerline, from the neck's center to the dome's wall.

    The "sac centerline length" of Piccinelli et al. (Annals of Biomedical Engineering 40:2188,
    2012), which they divide by the neck's hydraulic diameter for their aspect ratio, and by the
    vessel's for their size ratio. The line goes through the middle of the sac, where the integral
    of 1 / r along it is least (r the radius of the largest sphere within the lumen), to the sphere
    that reaches furthest from the neck's center of those in the core (``CORE``, ``STEEPEST``); that
    sphere's radius is added. Of lobes it goes to the one with the largest part of the core. For a
    sphere it is the height; for a bent sac it follows the bend.

    Errors in random places and rotations, spacing up to 1:1:2, in voxels of the coarsest axis (200
    shapes each, Testing/benchmarks/measurements.py): spheres cut by planes 0.2 +- 0.1, at most
    0.65, and 0.7 +- 0.3, at most 2.0, where less than a hemisphere is left; ellipsoids up to 1:2
    -0.1 +- 0.3, bent tubes 0.0 +- 0.2, both at most 1.0.

    Args:
        sac: (k, j, i) with a voxel of margin where the label map has one.
        vessel: (k, j, i) likewise; the lumen that the sac opens into is no wall.
        neck: the opening.
        spacing: (3,) in mm along (k, j, i).
        start: (3,) index of the masks' first voxel in the array that they were cut from.
    """
    distances = ndimage.distance_transform_edt(np.pad(sac | vessel, 1), sampling=spacing)
    slopes = _slopes(distances, spacing)[1:-1, 1:-1, 1:-1][sac]
    distances = distances[1:-1, 1:-1, 1:-1]
    points, radii = (np.argwhere(sac) + start) * spacing, distances[sac]
    away = np.linalg.norm(points - neck.center, axis=1)
    wide, _ = connected_components(sac & (distances >= CORE * radii.max() - ROUNDING))
    sizes = np.bincount(wide[wide > 0])
    core = (sizes == sizes.max())[wide[sac]]
    middle = core & (slopes <= STEEPEST + ROUNDING)
    # A shallow sac is part of a sphere around a place in the vessel and has no middle of its own:
    # its line is the radius at the neck.
    target = int(np.where(middle, away + radii, 0.0).argmax() if middle.any() else away.argmin())
    line = _smooth(_path(neck.center, points[target], sac, distances, spacing, start))
    length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() + radii[target])
    return float(length + LENGTH_LOSS * np.prod(spacing) ** (1 / 3))


def _path(
    begin: Floats, end: Floats, sac: Mask, distances: Floats, spacing: Floats, start: Integers
) -> Floats:
    """(N, 3) points in mm of the cheapest path through the sac between two points."""
    stride = max(1, math.ceil((np.count_nonzero(sac) / MOST_NODES) ** (1 / 3)))
    every = (slice(None, None, stride),) * 3
    nodes = sac[every]
    points = (np.argwhere(nodes) * stride + start) * spacing
    graph = _graph(nodes, points, distances[every][nodes])
    last = int(np.linalg.norm(points - end, axis=1).argmin())
    costs, before = dijkstra(graph, indices=last, return_predecessors=True)
    joined = np.flatnonzero(np.isfinite(costs))
    node = int(joined[np.linalg.norm(points[joined] - begin, axis=1).argmin()])
    line = [begin, points[node]]
    while node != last:
        node = int(before[node])
        line.append(points[node])
    return np.array([*line, end])


def _slopes(distances: Floats, spacing: Floats) -> Floats:
    """How steeply a distance rises, from differences over four voxels along each axis."""
    squares = [
        ((np.roll(distances, -2, axis) - np.roll(distances, 2, axis)) / (4 * spacing[axis])) ** 2
        for axis in range(3)
    ]
    return np.asarray(np.sqrt(np.sum(squares, axis=0)))


def _graph(nodes: Mask, points: Floats, radii: Floats) -> csr_matrix:
    """Between neighbors, what a step costs: its length over the mean radius of both."""
    numbers = np.pad(np.full(nodes.shape, -1), 1, constant_values=-1)
    numbers[1:-1, 1:-1, 1:-1][nodes] = np.arange(len(points))
    pairs = []
    for step in itertools.product((-1, 0, 1), repeat=3):
        if step > (0, 0, 0):
            moved = tuple(slice(1 + s, n + 1 + s) for s, n in zip(step, nodes.shape, strict=True))
            neighbors = numbers[moved][nodes]
            pairs.append(np.stack([np.arange(len(points)), neighbors])[:, neighbors >= 0])
    first, second = np.concatenate(pairs, axis=1)
    lengths = np.linalg.norm(points[first] - points[second], axis=1)
    costs = 2 * lengths / (radii[first] + radii[second])
    graph = csr_matrix((costs, (first, second)), shape=(len(points), len(points)))
    return graph + graph.T


def _smooth(line: Floats) -> Floats:
    for _ in range(SMOOTHING_STEPS):
        line[1:-1] += ((line[:-2] + line[2:]) / 2 - line[1:-1]) / 2
    return line
