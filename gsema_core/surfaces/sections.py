"""Where a plane cuts a surface of triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Section:
    """One ring in which a plane cuts a wall.

    Args:
        points: (N, 3) in mm, in no order.
        center: (3,) the middle of the ring.
        area_mm2: what it encloses.
        lean: 0 where the wall stands upright on the plane, 1 where it lies in it; all but the worst
            twentieth of the ring is below this.
    """

    points: Floats
    center: Floats
    area_mm2: float
    lean: float

    @property
    def radius_mm(self) -> float:
        """Of the circle of the same area."""
        return float(np.sqrt(self.area_mm2 / np.pi))


def sections(points: Floats, triangles: Integers, center: Floats, normal: Floats) -> list[Section]:
    """The rings in which a plane cuts triangles.

    Args:
        points: (N, 3) in mm.
        triangles: (T, 3) corners, counterclockwise seen from outside.
        center: (3,) a point of the plane.
        normal: (3,) unit vector across it.
    """
    above = (points - center) @ normal > 0
    crossing = triangles[above[triangles].any(axis=1) & ~above[triangles].all(axis=1)]
    if not len(crossing):
        return []
    # Each of them has one edge that runs up through the plane, and one that runs down.
    following = np.roll(crossing, -1, axis=1)
    up = ~above[crossing] & above[following]
    down = above[crossing] & ~above[following]
    ends = [np.stack([crossing[one], following[one]], axis=1) for one in (up, down)]
    names = [np.sort(edges, axis=1) @ np.array([len(points), 1]) for edges in ends]
    _, numbers = np.unique(np.concatenate(names), return_inverse=True)
    starts, stops = numbers[: len(crossing)], numbers[len(crossing) :]
    graph = coo_matrix(
        (np.ones(len(starts), bool), (starts, stops)), shape=(numbers.max() + 1,) * 2
    )
    count, parts = connected_components(graph, directed=False)
    first, last = (crossings(points, edges, center, normal) for edges in ends)
    one, two, three = (points[crossing[:, n]] for n in range(3))
    across = np.cross(two - one, three - one)
    leans = abs(across @ normal) / np.maximum(np.linalg.norm(across, axis=1), 1e-12)
    return [
        _ring(first[chosen], last[chosen], leans[chosen], normal)
        for chosen in _groups(parts[starts], count)
    ]


def crossings(points: Floats, edges: Integers, center: Floats, normal: Floats) -> Floats:
    """(E, 3) where (E, 2) edges go through a plane, the same whichever way they run."""
    low, high = np.sort(edges, axis=1).T
    heights = (points - center) @ normal
    share = heights[low] / (heights[low] - heights[high])
    return np.asarray(points[low] + share[:, None] * (points[high] - points[low]))


def _groups(parts: Integers, count: int) -> list[Integers]:
    return np.split(
        np.argsort(parts, kind="stable"), np.cumsum(np.bincount(parts, minlength=count))
    )[:-1]


def _ring(starts: Floats, stops: Floats, leans: Floats, normal: Floats) -> Section:
    lengths = np.linalg.norm(stops - starts, axis=1)
    middles = (starts + stops) / 2
    center = np.average(middles, axis=0, weights=np.maximum(lengths, 1e-12))
    doubled = np.cross(starts - center, stops - center).sum(axis=0)
    area = float(abs(doubled @ normal)) / 2
    return Section(starts, center, area, float(np.quantile(leans, 0.95)))
