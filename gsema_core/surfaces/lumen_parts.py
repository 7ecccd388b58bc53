"""Which voxels a lumen surface is made of, and the sheet of faces around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gsema_core.errors import UserError
from gsema_core.surfaces.voxel_wall import VoxelWall, voxel_wall

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LumenParts:
    """The lumen that the surface is made of, without the empty space around it.

    Args:
        array: (k, j, i) labels, 0 outside the chosen parts.
        start: (3,) index of the first voxel in the whole array.
        left: the other parts' numbers of voxels.
    """

    array: Labels
    start: Integers
    left: tuple[int, ...]

    @classmethod
    def of(cls, labels: Labels, all_parts: bool) -> LumenParts:
        box = _box(labels > 0)
        if box is None:
            raise UserError("The label map has no vessel and no aneurysm: there is no surface.")
        array, start = labels[box], np.array([side.start for side in box])
        if all_parts:
            return cls(array, start, ())
        numbers, count = ndimage.label(array)  # parts that share a face: blood flows through those
        sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
        chosen = int(sizes.argmax())
        left = tuple(np.delete(sizes, chosen).tolist())
        return cls(np.where(numbers == chosen + 1, array, np.uint8(0)), start, left)

    def notes(self) -> list[str]:
        if not self.left:
            return []
        return [
            f"{len(self.left)} smaller parts of the lumen, {sum(self.left)} voxels, are left out: "
            "they touch the largest one nowhere by a face of a voxel."
        ]


def _box(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    sides = []
    for axis in range(3):
        inside = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        if not len(inside):
            return None
        sides.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return sides[0], sides[1], sides[2]


def outer_wall(parts: LumenParts) -> tuple[VoxelWall, list[str]]:
    """The wall without those of cavities, which enclose less than nothing."""
    wall = voxel_wall(parts.array > 0)
    following = np.roll(wall.quads, -1, axis=1)
    graph = coo_matrix(
        (np.ones(wall.quads.size, bool), (wall.quads.ravel(), following.ravel())),
        shape=(len(wall.points),) * 2,
    )
    count, sheets = connected_components(graph, directed=False)
    corners = wall.points[wall.quads]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    heights = np.einsum("ni,ni->n", corners.mean(axis=1), normals) / 3
    sheet = sheets[wall.quads[:, 0]]
    volumes = np.bincount(sheet, heights, minlength=count)
    keep = volumes[sheet] > 0
    points, quads = np.unique(wall.quads[keep], return_inverse=True)
    notes = []
    if (volumes < 0).any():
        hollow = -volumes[volumes < 0]
        notes.append(
            f"{len(hollow)} cavities within the lumen, {hollow.sum():.0f} voxels, are counted as "
            "lumen."
        )
    if wall.filled:
        notes.append(
            f"{wall.filled} background voxels in gaps one voxel wide are counted as lumen: the "
            "wall would touch itself there."
        )
    outer = VoxelWall(wall.points[points], quads.reshape(-1, 4), wall.owners[keep], wall.filled)
    return outer, notes


def face_labels(wall: VoxelWall, labels: Labels) -> Labels:
    """(Q,) each face's label; a voxel that was filled gets the highest beside it."""
    tags = labels[tuple(wall.owners.T)]
    for face in np.flatnonzero(tags == 0):
        around = tuple(slice(max(n - 1, 0), n + 2) for n in wall.owners[face])
        tags[face] = labels[around].max()
    return np.asarray(tags, np.uint8)
