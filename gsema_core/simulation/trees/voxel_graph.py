"""The voxels of a mask as the nodes of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Ints = npt.NDArray[np.integer[Any]]

OFFSETS = np.array(
    [(k, j, i) for k in (-1, 0, 1) for j in (-1, 0, 1) for i in (-1, 0, 1) if (k, j, i) > (0, 0, 0)]
)
"""(13, 3) steps to one half of a voxel's 26 neighbors; the other half are these turned around."""


@dataclass(frozen=True, eq=False)
class VoxelSet:
    """The voxels of a mask, numbered in the order of the array.

    Args:
        voxels: (N, 3) indices k, j, i.
        shape: of the mask.
    """

    voxels: Ints
    shape: tuple[int, ...]

    @classmethod
    def of(cls, mask: npt.NDArray[np.bool_]) -> VoxelSet:
        """The voxels of a (k, j, i) mask."""
        return cls(np.argwhere(mask).astype(np.int32), mask.shape)

    @cached_property
    def _flat(self) -> Ints:
        return np.asarray(np.ravel_multi_index(tuple(self.voxels.T), self.shape))

    def number_at(self, points: npt.ArrayLike) -> Ints:
        """The numbers of (..., 3) voxels k, j, i; -1 where none of the set lies."""
        points = np.asarray(points)
        within = np.all((points >= 0) & (points < self.shape), axis=-1)
        safe = np.where(np.expand_dims(within, -1), points, 0)
        flat = np.ravel_multi_index(tuple(np.moveaxis(safe, -1, 0)), self.shape)
        number = np.minimum(np.searchsorted(self._flat, flat), len(self._flat) - 1)
        return np.asarray(np.where(within & (self._flat[number] == flat), number, -1))

    @cached_property
    def edges(self) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
        """Pairs of neighbors (26), each once, and their distances in voxels."""
        ones, others, lengths = [], [], []
        for offset in OFFSETS:
            neighbor = self.number_at(self.voxels + offset)
            one = np.flatnonzero(neighbor >= 0)
            ones.append(one)
            others.append(neighbor[one])
            lengths.append(np.full(len(one), np.linalg.norm(offset)))
        return np.concatenate(ones), np.concatenate(others), np.concatenate(lengths)

    @cached_property
    def outside(self) -> Ints:
        """(B, 3) the voxels outside that share a face with one inside; also beyond the array."""
        found = []
        for axis in range(3):
            for step in (-1, 1):
                neighbors = self.voxels.copy()
                neighbors[:, axis] += step
                found.append(neighbors[self.number_at(neighbors) < 0])
        return np.unique(np.concatenate(found), axis=0)

    @cached_property
    def parts(self) -> Ints:
        """(N,) the number of the loose part that a voxel belongs to, from 0."""
        one, other, _ = self.edges
        ones = np.ones(len(one), np.int8)
        graph = coo_matrix((ones, (one, other)), (len(self.voxels),) * 2)
        return np.asarray(connected_components(graph, directed=False)[1])

    def graph(self, spacing: float, bridged_mm: float, sources: Sequence[Ints]) -> csr_matrix:
        """The lengths in mm between neighbors, and across gaps.

        Args:
            spacing: mm of a voxel.
            bridged_mm: a part without a source is joined, at its nearest voxel, to the nearest part
                with one (or already joined to one) if the gap is no wider.
            sources: the numbers of the voxels of each source.
        """
        one, other, length = self.edges
        gaps = self._bridges(bridged_mm / spacing, sources)
        one = np.concatenate([one, [gap[0] for gap in gaps]]).astype(int)
        other = np.concatenate([other, [gap[1] for gap in gaps]]).astype(int)
        length = np.concatenate([length, [gap[2] for gap in gaps]]) * spacing
        return csr_matrix((length, (one, other)), (len(self.voxels),) * 2)

    def _bridges(self, widest: float, sources: Sequence[Ints]) -> list[tuple[int, int, float]]:
        """The nearest pair of voxels and its distance in voxels, for every part to be joined."""
        fed = set(self.parts[np.concatenate(list(sources))].tolist()) if len(sources) else set()
        waiting = set(range(int(self.parts.max()) + 1)) - fed
        bridges = []
        while waiting and fed:
            there = np.flatnonzero(np.isin(self.parts, list(fed)))
            search = cKDTree(self.voxels[there])
            nearest = []
            for part in sorted(waiting):
                mine = np.flatnonzero(self.parts == part)
                distance, at = search.query(self.voxels[mine])
                best = int(distance.argmin())
                nearest.append((float(distance[best]), part, int(mine[best]), int(there[at[best]])))
            distance_, part, one, other = min(nearest)
            if distance_ > widest:
                break
            bridges.append((one, other, distance_))
            waiting.remove(part)
            fed.add(part)
        return bridges
