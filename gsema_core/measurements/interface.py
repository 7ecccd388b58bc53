"""The faces between the voxels of two sets, and what can be computed from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-7
"""mm; what differs by less is equal. On a grid many distances are, but for rounding, which differs
with the order and the direction of the axes. Far above it, far below a voxel. Ours."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Voxel faces that separate two sets.

    Positions are counted in half voxels, so that voxel centers, faces and edges all have whole
    numbers: a voxel's center has three even ones, a face's center one odd, an edge's center two.

    Args:
        halves: (N, 3) centers along the array's axes.
        axes: (N,) the array axis each face stands across.
        signs: (N,) 1 where the first set lies on the side of larger indices, else -1.
        spacing: (3,) in mm along the array's axes.
    """

    halves: Integers
    axes: Integers
    signs: Integers
    spacing: Floats

    def __len__(self) -> int:
        return len(self.halves)

    def __getitem__(self, chosen: Mask) -> Faces:
        return Faces(self.halves[chosen], self.axes[chosen], self.signs[chosen], self.spacing)

    @property
    def points(self) -> Floats:
        """(N, 3) centers in mm along the array's axes, from the center of voxel (0, 0, 0)."""
        return self.halves / 2 * self.spacing

    @property
    def areas(self) -> Floats:
        """(N,) areas in mm2."""
        return np.asarray(np.prod(self.spacing) / self.spacing[self.axes])

    @property
    def vectors(self) -> Floats:
        """(N, 3) normals of each face's area as length, from the second set to the first."""
        vectors = np.zeros((len(self), 3))
        vectors[np.arange(len(self)), self.axes] = self.signs * self.areas
        return vectors

    def patches(self) -> list[Faces]:
        """The connected parts; faces that share a corner are connected."""
        tree = cKDTree(self.halves)
        near = tree.sparse_distance_matrix(tree, 2, p=np.inf, output_type="coo_matrix")
        count, numbers = connected_components(near, directed=False)
        return [self[numbers == number] for number in range(count)]

    def rim(self) -> tuple[Floats, Floats]:
        """The voxel edges that border an odd number of the faces: where the sheet of faces ends.

        Returns:
            (M, 3) the edges' centers in mm and (M,) their lengths in mm.
        """
        edges = []
        for axis in range(3):
            for other in {0, 1, 2} - {axis}:
                step = np.eye(3, dtype=np.int64)[other]
                centers = self.halves[self.axes == axis]
                edges += [centers - step, centers + step]
        halves, counts = np.unique(np.concatenate(edges), axis=0, return_counts=True)
        halves = halves[counts % 2 == 1]
        lengths = self.spacing[(halves % 2 == 0).argmax(axis=1)]
        return halves / 2 * self.spacing, lengths


def faces_between(first: Mask, second: Mask, spacing: Floats, start: Integers) -> Faces:
    """Every face between a voxel of ``first`` and one of ``second``.

    Args:
        first, second: masks of one shape and without a voxel in common.
        start: (3,) index of the masks' first voxel in the array that they were cut from.
    """
    halves, axes, signs = [], [], []
    sides = first.astype(np.int8) - second.astype(np.int8)
    for axis in range(3):
        steps = np.diff(sides, axis=axis)  # 2 or -2 from a voxel of one to one of the other
        for sign in (1, -1):
            centers = 2 * (np.argwhere(steps == 2 * sign) + start)
            centers[:, axis] += 1
            halves.append(centers)
            axes.append(np.full(len(centers), axis))
            signs.append(np.full(len(centers), sign))
    return Faces(np.concatenate(halves), np.concatenate(axes), np.concatenate(signs), spacing)
