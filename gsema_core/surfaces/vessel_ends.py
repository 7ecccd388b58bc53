"""Where vessels end in a label map: by its border, or within it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from gsema_core.labels import VESSEL

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

COVER = 1.5
COVER_VOXELS = 2.0
"""A vessel's middle line covers what lies within 1.5 radii and 2 voxels of it; what sticks out
further ends in an end of its own. As TEASAR (Sato et al., Pacific Graphics 2000) thins trees; our
numbers: a bump of the wall is covered, a branch that is longer than wide is not."""

FEWEST_VOXELS = 12
"""A smaller part has no vessel that could be cut: ours."""

WAY_BACK = 2.5
"""Radii that are gone back from an end to see whether another way leads there: in a tube, the
voxels as far as this from one of its wall are two pieces, one on either side. Ours."""

STEPS = (
    (1, 0, 0), (0, 1, 0), (0, 0, 1),
    (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1),
)  # fmt: skip
"""One of each two opposite steps to neighbors that share a face or an edge."""


@dataclass(frozen=True, eq=False)
class VesselEnd:
    """The way to a vessel's end along its middle.

    Args:
        line: (N, 3) in mm along the array's axes, from inside to the end.
        radii: (N,) distance to the wall in mm.
    """

    line: Floats
    radii: Floats


def vessel_ends(labels: npt.NDArray[np.uint8], spacing: Floats, walls: Floats) -> list[VesselEnd]:
    """Every end of vessels.

    The voxel furthest from an end, by the way through the lumen, is another end; the way there
    becomes a middle line, and covers the voxels around it. Of those that no line covers, the
    furthest is the next end, until all vessels are covered. Sacs have lines through them, but no
    ends.

    Args:
        labels: (k, j, i); each connected part is a lumen of its own.
        spacing: (3,) in mm along (k, j, i).
        walls: (N, 3) points of the wall in mm along (k, j, i); where the lumen leaves the array,
            there is none.
    """
    voxels = np.argwhere(labels)
    places = voxels * spacing
    # What has no wall at all fills its array.
    depth = cKDTree(walls).query(places)[0] if len(walls) else np.full(len(voxels), np.inf)
    lengths, costs = _graphs(labels > 0, voxels, places, depth)
    is_vessel = labels[tuple(voxels.T)] == VESSEL
    count, parts = connected_components(lengths, directed=False)
    order = np.argsort(parts, kind="stable")
    ends = []
    for part in np.split(order, np.cumsum(np.bincount(parts, minlength=count))[:-1]):
        if len(part) >= FEWEST_VOXELS and is_vessel[part].any():
            inside = lengths[part][:, part], costs[part][:, part]
            graph = _Graph(*inside, cKDTree(places[part]), depth[part], float(spacing.max()))
            for way in graph.ways(is_vessel[part]):
                ends.append(VesselEnd(places[part][way], depth[part][way]))
    return ends


@dataclass(frozen=True, eq=False)
class _Graph:
    """The voxels of one lumen, joined with their neighbors.

    Args:
        lengths: of the ways between neighbors, in mm.
        costs: the same, the higher the closer to the wall.
        tree: of the voxels' places.
        depth: (N,) distance to the wall in mm.
        voxel: the longest side of a voxel in mm.
    """

    lengths: csr_matrix
    costs: csr_matrix
    tree: cKDTree
    depth: Floats
    voxel: float

    def ways(self, is_vessel: npt.NDArray[np.bool_]) -> list[Integers]:
        """The voxels of the way along the middle to each end, from inside to the end."""
        from_inside = dijkstra(self.lengths, directed=False, indices=int(self.depth.argmax()))
        root = int(np.where(is_vessel, from_inside, -1.0).argmax())
        distances = dijkstra(self.lengths, directed=False, indices=root)
        _, before = dijkstra(self.costs, directed=False, indices=root, return_predecessors=True)
        reach = COVER * self.depth + COVER_VOXELS * self.voxel
        uncovered, on_line = is_vessel.copy(), np.zeros(len(is_vessel), bool)
        uncovered[self.tree.query_ball_point(self.tree.data[root], reach[root])] = False
        tips = []
        while uncovered.any():
            tips.append(int(np.where(uncovered, distances, -1.0).argmax()))
            path = _way(tips[-1], before, on_line)
            on_line[path] = True
            uncovered[path] = False
            for near in self.tree.query_ball_point(self.tree.data[path[::2]], reach[path[::2]]):
                uncovered[near] = False
        nowhere = np.zeros(len(is_vessel), bool)
        ways = [_way(tip, before, nowhere)[::-1] for tip in tips if self.is_end(tip, distances)]
        if tips:
            back = dijkstra(self.lengths, directed=False, indices=tips[0])
            if self.is_end(root, back):
                ways.insert(0, _way(tips[0], before, nowhere))
        return ways

    def is_end(self, tip: int, distances: Floats) -> bool:
        """Whether only one way leads from a voxel back to where distances are measured from.

        Both halves of a ring lead to the place in it that is furthest away.
        """
        place = self.tree.data[tip]
        wide = self.depth[self.tree.query_ball_point(place, 4 * self.voxel)].max()
        length = WAY_BACK * wide + 2 * self.voxel
        near = np.array(self.tree.query_ball_point(place, 2 * length))
        top = self._beyond(near, tip, distances, self.voxel)
        if distances[top].max() > distances[tip] + self.voxel:
            return False  # the vessel goes on
        piece = self._beyond(near, tip, distances, length)
        edge = piece[distances[piece] <= distances[tip] - length + 1.5 * self.voxel]
        return int(connected_components(self.lengths[edge][:, edge], directed=False)[0]) == 1

    def _beyond(self, near: Integers, tip: int, distances: Floats, length: float) -> Integers:
        """What is further away than a length before the tip, in one piece with the tip."""
        beyond = near[distances[near] > distances[tip] - length]
        parts = connected_components(self.lengths[beyond][:, beyond], directed=False)[1]
        return np.asarray(beyond[parts == parts[np.flatnonzero(beyond == tip)[0]]])


def _graphs(
    inside: npt.NDArray[np.bool_], voxels: Integers, places: Floats, depth: Floats
) -> tuple[csr_matrix, csr_matrix]:
    """Voxels joined with their neighbors: by length, and by what keeps to the middle.

    Neighbors share a face, or an edge beside which there is a third voxel of the lumen.
    """
    padded = np.pad(inside, 1)
    numbers = np.zeros(padded.shape, np.int32)
    numbers[tuple(voxels.T + 1)] = np.arange(len(voxels))
    rows, columns = [], []
    for step in STEPS:
        there = voxels + 1 + np.array(step)
        joined = padded[tuple(there.T)]
        if np.count_nonzero(step) == 2:
            axis = int(np.flatnonzero(step)[0])
            corner = voxels + 1
            corner[:, axis] += step[axis]
            other = there.copy()
            other[:, axis] -= step[axis]
            joined = joined & (padded[tuple(corner.T)] | padded[tuple(other.T)])
        rows.append(np.flatnonzero(joined))
        columns.append(numbers[tuple(there[joined].T)])
    one, other = np.concatenate(rows), np.concatenate(columns)
    lengths = np.linalg.norm(places[one] - places[other], axis=1)
    costs = lengths / np.minimum(depth[one], depth[other]) ** 2  # 0 where there is no wall
    shape = (len(voxels), len(voxels))
    joined = [
        coo_matrix((weights, (one, other)), shape=shape).tocsr() for weights in (lengths, costs)
    ]
    return joined[0], joined[1]


def _way(end: int, before: npt.NDArray[np.int32], on_line: npt.NDArray[np.bool_]) -> Integers:
    """From an end back to where a line is already, or to the root."""
    way = [end]
    while before[way[-1]] >= 0 and not on_line[way[-1]]:
        way.append(int(before[way[-1]]))
    return np.array(way)
