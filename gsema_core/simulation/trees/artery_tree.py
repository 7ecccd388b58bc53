"""A patient's arteries as a graph of voxels: how wide they are, and the way that blood takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from gsema_core.errors import UserError
from gsema_core.grids import Volume
from gsema_core.grids.components import connected_components
from gsema_core.grids.geometry import Geometry
from gsema_core.labels import ANEURYSM
from gsema_core.simulation.trees.crossings import Crossing, crossings_around
from gsema_core.simulation.trees.inflows import find_inflows
from gsema_core.simulation.trees.voxel_graph import OFFSETS, VoxelSet

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]

SMALLEST_SAC_MM3 = 2.5
"""Components labelled aneurysm that are smaller are leftovers of the labelling, not sacs (40
voxels of 0.4 mm; ours)."""

BRIDGED_MM = 8.0
"""A loose part no farther from the rest is fed across the gap, where the segmentation lost the
vessel (ours; every loose part of 24 IntrA trees lies nearer). One that lies farther is never
filled."""
END_MM = 2.0
"""Of several farthest voxels that lie nearer together, at the one end of an artery, one counts."""

WALL_VOXELS = 0.25
"""How much nearer than the first voxel outside the wall lies, in the mean over discs of 2 to 4
voxels' radius with their middle on and between voxels (ours)."""

SMOOTHING_STEPS = 20
"""How often a voxel moves to the middle of its neighbors to find the middle of its vessel: by then
it has seen voxels 5 away, about the radius of the carotid in a map of 0.4 mm."""


@dataclass(frozen=True, eq=False)
class ArteryTree:
    """The arteries of a label map. Everything per voxel is in the order of ``voxels``.

    Args:
        labels: (k, j, i) uint8: 0 background, 1 vessel, 2 aneurysm. Nobody changes this array:
            changes of the anatomy are made on a copy.
        geometry: its grid, isotropic; the third axis must run from inferior to superior.
        patient: a name for records.

    Raises:
        UserError: no lumen, or the grid is not as described.

    Example:
        >>> from gsema_core.simulation.phantom import make_phantom
        >>> tree = ArteryTree.of(make_phantom(0, size_mm=32.0, spacing_mm=0.8))
        >>> len(tree.voxels) == int((tree.labels > 0).sum())
        True
    """

    labels: npt.NDArray[np.uint8]
    geometry: Geometry
    patient: str = ""

    def __post_init__(self) -> None:
        spacing, upward = self.geometry.spacing, self.geometry.direction_matrix[2, 2]
        if not np.allclose(spacing, spacing[0], rtol=1e-3):
            raise UserError(
                f"The artery tree {self.patient} has voxels of {spacing} mm: resample it to "
                "isotropic ones."
            )
        if upward < 0.9:
            raise UserError(
                f"The third axis of the artery tree {self.patient} does not run upward "
                f"(its share of the superior direction is {upward:.2f}): reorient it to LPS."
            )
        if not self.labels.any():
            raise UserError(f"The artery tree {self.patient} has no vessel: give a labelled one.")

    @classmethod
    def of(cls, labels: Volume, patient: str = "") -> ArteryTree:
        """The tree of a label map."""
        return cls(labels.array.astype(np.uint8, copy=False), labels.geometry, patient)

    @property
    def spacing(self) -> float:
        """Side of a voxel in mm."""
        return self.geometry.spacing[0]

    @property
    def voxels(self) -> Ints:
        """(N, 3) indices k, j, i of the lumen's voxels, vessel and sac."""
        return self._set.voxels

    @cached_property
    def _set(self) -> VoxelSet:
        return VoxelSet.of(self.labels > 0)

    def number_at(self, points: npt.ArrayLike) -> Ints:
        """Which voxel of the lumen lies at (..., 3) indices k, j, i; -1 where none does."""
        return self._set.number_at(points)

    @cached_property
    def in_sac(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a voxel is labelled aneurysm."""
        return np.asarray(self.labels[tuple(self.voxels.T)] == ANEURYSM)

    @cached_property
    def radius(self) -> Floats:
        """(N,) way in mm to the wall: half the width of the vessel at its medial voxels."""
        outside = self._set.outside
        steps, _ = cKDTree(outside).query(self.voxels)
        return np.asarray((steps - WALL_VOXELS) * self.spacing, np.float32)

    @cached_property
    def medial(self) -> Ints:
        """(M,) numbers of the voxels that no neighbor surpasses in radius: the vessels' middle."""
        widest = self.radius.copy()
        for offset in np.concatenate([OFFSETS, -OFFSETS]):
            neighbor = self.number_at(self.voxels + offset)
            there = neighbor >= 0
            widest[there] = np.maximum(widest[there], self.radius[neighbor[there]])
        return np.flatnonzero(self.radius >= widest)

    @cached_property
    def graph(self) -> csr_matrix:
        """(N, N) lengths in mm between neighboring voxels, and across the gaps of loose parts."""
        return self._set.graph(self.spacing, BRIDGED_MM, self.inflows)

    @cached_property
    def inflows(self) -> tuple[Ints, ...]:
        """The voxels of each end through which blood comes: carotids and vertebral arteries."""
        return find_inflows(self._set, self.radius, self.spacing)

    @cached_property
    def way(self) -> Floats:
        """(F, N) mm within the lumen from each inflow; infinite where none leads there."""
        ways = [
            dijkstra(self.graph, directed=False, indices=inflow, min_only=True)
            for inflow in self.inflows
        ]
        return np.asarray(ways, np.float32)

    @cached_property
    def shortest_way(self) -> Floats:
        """(N,) mm within the lumen from the nearest inflow; infinite where none leads there."""
        return np.asarray(self.way.min(axis=0), np.float32)

    @cached_property
    def offset(self) -> npt.NDArray[np.float64]:
        """(N, 3) k, j, i way from the vessel's middle, about 1 in length at the wall."""
        neighbors = self.graph + self.graph.T
        neighbors.data[:] = 1.0
        around = np.maximum(np.asarray(neighbors.sum(axis=1)), 1.0)
        middle = self.voxels.astype(np.float64)
        for _ in range(SMOOTHING_STEPS):
            middle = (neighbors @ middle) / around
        off = self.voxels - middle
        length = np.linalg.norm(off, axis=1, keepdims=True)
        width = self.radius[:, None] / self.spacing + length
        return np.asarray(off / np.maximum(width, 1.0))

    @cached_property
    def sacs(self) -> tuple[Ints, ...]:
        """The voxels' numbers of each sac, in the order of their first voxels."""
        voxels = self.voxels[self.in_sac]
        if not len(voxels):
            return ()
        low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
        box = np.zeros(high - low, bool)
        box[tuple((voxels - low).T)] = True
        components, count = connected_components(box)
        part = components[tuple((voxels - low).T)]
        numbers = np.flatnonzero(self.in_sac)
        sacs = [numbers[part == number] for number in range(1, count + 1)]
        least = SMALLEST_SAC_MM3 / self.spacing**3
        return tuple(sac for sac in sacs if len(sac) >= least)

    def crossings(
        self, point: npt.ArrayLike, labels: npt.NDArray[np.uint8] | None = None
    ) -> tuple[Crossing, ...]:
        """Where the lumen leaves a small ball around a medial voxel.

        One crossing is an end, two are a tube or a bend, three and more a bifurcation.

        Args:
            point: k, j, i of a voxel of the lumen.
            labels: a changed copy of the tree's labels to look at instead.
        """
        place = np.round(np.asarray(point, float)).astype(int)
        number = int(self.number_at(place))
        if number < 0:
            raise ValueError(f"There is no lumen at {place.tolist()}.")
        lumen = self.labels if labels is None else labels
        return crossings_around(lumen, place, float(self.radius[number]) / self.spacing,
                                self.spacing)  # fmt: skip

    @cached_property
    def ends(self) -> Ints:
        """(E,) numbers of the voxels at which arteries stop, farthest from the inflows.

        They are the voxels that no neighbor surpasses in way, but for the tips of sacs and the
        places where the ways around a circle meet.
        """
        way = np.where(np.isfinite(self.shortest_way), self.shortest_way, -1.0)
        farthest = way.copy()
        for offset in np.concatenate([OFFSETS, -OFFSETS]):
            neighbor = self.number_at(self.voxels + offset)
            there = neighbor >= 0
            farthest[there] = np.maximum(farthest[there], way[neighbor[there]])
        peaks = np.flatnonzero((way >= farthest) & (way > 0) & ~self.in_sac)
        near = cKDTree(self.voxels[self.medial])
        ends: list[int] = []
        for peak in peaks[np.argsort(-way[peaks], kind="stable")]:
            place = self.voxels[peak]
            apart = np.linalg.norm(self.voxels[ends] - place, axis=1) * self.spacing
            if (apart < END_MM).any():
                continue
            medial = self.medial[near.query(place)[1]]
            if len(self.crossings(self.voxels[medial])) <= 1:
                ends.append(int(peak))
        return np.array(ends, int)
