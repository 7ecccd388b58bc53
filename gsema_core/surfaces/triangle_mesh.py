"""A surface of triangles, what it measures, and whether it is one that a solver can use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """Triangles whose corners are counterclockwise seen from outside.

    Args:
        points: (N, 3) in mm.
        triangles: (T, 3) indices of the corners.
        labels: (T,) 1 vessel, 2 aneurysm.
    """

    points: Floats
    triangles: Integers
    labels: npt.NDArray[np.uint8]

    @property
    def areas(self) -> Floats:
        """(T,) in mm2."""
        return np.asarray(np.linalg.norm(self.area_vectors, axis=1))

    @property
    def area_vectors(self) -> Floats:
        """(T, 3) outward normals with the area in mm2 as length."""
        first, second, third = (self.points[self.triangles[:, n]] for n in range(3))
        return np.cross(second - first, third - first) / 2

    @property
    def volume_mm3(self) -> float:
        """The enclosed volume in mm3; flat open ends count as closed by their plane."""
        closed = [self.points[self.triangles]]
        for loop in self.loops():
            ends = self.points[loop]  # runs with the wall, so a cap's triangles run against it
            middle = np.broadcast_to(ends.mean(axis=(0, 1)), ends[:, 0].shape)
            closed.append(np.stack([ends[:, 1], ends[:, 0], middle], axis=1))
        return enclosed_mm3(np.concatenate(closed))

    def loops(self) -> list[Integers]:
        """The open boundaries; for each, its edges (E, 2) in the direction of their triangles."""
        edges = self.edges
        keys, counts = self._edge_counts(edges)
        open_edges = edges[counts[keys] == 1]
        if not len(open_edges):
            return []
        points, places = np.unique(open_edges, return_inverse=True)
        ends = places.reshape(-1, 2)
        graph = coo_matrix((np.ones(len(ends), bool), tuple(ends.T)), shape=(len(points),) * 2)
        count, parts = connected_components(graph, directed=False)
        return [open_edges[parts[ends[:, 0]] == part] for part in range(count)]

    def fault(self) -> str:
        """Why it is no manifold with clean boundaries; empty if it is one.

        Every edge has two triangles that run along it in opposite directions, or one at an open
        boundary; the triangles at a point make one fan; every boundary is one ring; no triangle is
        without area.
        """
        edges = self.edges
        keys, counts = self._edge_counts(edges)
        if (counts > 2).any():
            return f"{np.count_nonzero(counts > 2)} edges have more than two triangles"
        directed = edges[:, 0] * len(self.points) + edges[:, 1]
        if len(np.unique(directed)) < len(directed):
            return "neighboring triangles face opposite sides"
        if not (self.areas > 0).all() or not np.isfinite(self.points).all():
            return f"{np.count_nonzero(~(self.areas > 0))} triangles have no area"
        fans = self._fans(edges, keys, counts)
        if (fans > 1).any():
            return f"{np.count_nonzero(fans > 1)} points join parts that touch nowhere else"
        if any(len(np.unique(loop[:, 0])) < len(loop) for loop in self.loops()):
            return "an open boundary touches itself"
        return ""

    def with_volume(self, volume_mm3: float) -> TriangleMesh:
        """Return the closed surface, moved evenly along its normals until it encloses a volume."""
        mesh = self
        for _ in range(2):
            vectors = np.repeat(mesh.area_vectors, 3, axis=0)
            corners = mesh.triangles.ravel()
            sums = [np.bincount(corners, vectors[:, n], len(mesh.points)) for n in range(3)]
            around = np.stack(sums, axis=1)
            normals = around / np.maximum(np.linalg.norm(around, axis=1), 1e-12)[:, None]
            step = (volume_mm3 - mesh.volume_mm3) / mesh.areas.sum()
            mesh = TriangleMesh(mesh.points + step * normals, mesh.triangles, mesh.labels)
        return mesh

    def without_loose_points(self) -> TriangleMesh:
        """Without the points that no triangle has."""
        used, corners = np.unique(self.triangles, return_inverse=True)
        return TriangleMesh(self.points[used], corners.reshape(-1, 3), self.labels)

    @property
    def edges(self) -> Integers:
        """(3 T, 2) all edges of the triangles, in their direction."""
        following = np.roll(self.triangles, -1, axis=1)
        return np.stack([self.triangles, following], axis=-1).reshape(-1, 2)

    def _edge_counts(self, edges: Integers) -> tuple[Integers, Integers]:
        """The number of each edge, whatever its direction, and how often each number occurs."""
        ends = np.sort(edges, axis=1)
        names = ends[:, 0] * len(self.points) + ends[:, 1]
        _, keys, counts = np.unique(names, return_inverse=True, return_counts=True)
        return keys, counts

    def _fans(self, edges: Integers, keys: Integers, counts: Integers) -> Integers:
        """(N,) how many rings or fans of triangles meet at each point."""
        order = np.argsort(keys, kind="stable")
        shared = order[counts[keys[order]] == 2]
        one, other = shared[::2], shared[1::2]
        # A place is a corner of a triangle; an edge begins at one place and ends at the next.
        after = np.arange(len(edges)) // 3 * 3 + (np.arange(len(edges)) + 1) % 3
        rows, columns = np.concatenate([one, after[one]]), np.concatenate([after[other], other])
        graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(len(edges),) * 2)
        count, parts = connected_components(graph, directed=False)
        owner = np.zeros(count, np.int64)
        owner[parts] = self.triangles.ravel()
        return np.bincount(owner, minlength=len(self.points))


def enclosed_mm3(triangles: Floats) -> float:
    """The volume that (T, 3, 3) triangles of a closed surface enclose; divergence theorem."""
    first, second, third = np.moveaxis(triangles - triangles.mean(axis=(0, 1)), 1, 0)
    return float(np.einsum("ni,ni->", first, np.cross(second, third))) / 6


def triangulated(points: Floats, quads: Integers) -> Integers:
    """(2 Q, 3) triangles: each quad's two after each other, parted along its shorter diagonal."""
    first, second, third, fourth = (points[quads[:, n]] for n in range(4))
    other = np.linalg.norm(first - third, axis=1) > np.linalg.norm(second - fourth, axis=1)
    turned = np.where(other[:, None], np.roll(quads, -1, axis=1), quads)
    return np.asarray(turned[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3))
