"""Where a surface runs through itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def crossing_triangles(points: Floats, triangles: Integers) -> Integers:
    """The pairs of triangles without a common corner of which an edge goes through the other.

    Args:
        points: (N, 3).
        triangles: (T, 3) indices of the corners, of about one size all over the surface.

    Returns:
        (P, 2) indices of triangles.
    """
    corners = points[triangles]
    middles = corners.mean(axis=1)
    reach = np.linalg.norm(corners - middles[:, None], axis=2).max(axis=1)
    pairs = cKDTree(middles).query_pairs(2 * reach.max(initial=0.0), output_type="ndarray")
    one, other = pairs.T
    near = np.linalg.norm(middles[one] - middles[other], axis=1) <= reach[one] + reach[other]
    pairs = pairs[near]
    one, other = pairs.T
    shared = (triangles[one][:, :, None] == triangles[other][:, None]).any(axis=(1, 2))
    pairs = pairs[~shared]
    one, other = pairs.T
    crosses = _goes_through(corners[one], corners[other])
    crosses |= _goes_through(corners[other], corners[one])
    return np.asarray(pairs[crosses], np.int64)


def _goes_through(edged: Floats, flat: Floats) -> npt.NDArray[np.bool_]:
    """Whether an edge of the first of each two (P, 3, 3) triangles goes through the second."""
    normals = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    heights = np.einsum("pci,pi->pc", edged - flat[:, :1], normals)
    found = np.zeros(len(flat), bool)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        chosen = np.flatnonzero(heights[:, start] * heights[:, end] < 0)
        share = heights[chosen, start] / (heights[chosen, start] - heights[chosen, end])
        way = edged[chosen, end] - edged[chosen, start]
        place = edged[chosen, start] + share[:, None] * way
        inside = np.ones(len(chosen), bool)
        for corner in range(3):
            side = flat[chosen, (corner + 1) % 3] - flat[chosen, corner]
            turn = np.cross(side, place - flat[chosen, corner])
            inside &= np.einsum("pi,pi->p", turn, normals[chosen]) > 0
        found[chosen[inside]] = True
    return found
