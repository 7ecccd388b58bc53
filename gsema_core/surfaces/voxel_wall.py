"""The faces between lumen and background as one closed sheet, whatever the voxels look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
"""Corners of a face along the two axes in it, counterclockwise seen from the third."""


@dataclass(frozen=True, eq=False)
class VoxelWall:
    """Voxel faces with the outside on the side from which their corners are counterclockwise.

    Args:
        points: (N, 3) corners in voxels along the array's axes; voxel centers are whole.
        quads: (Q, 4) indices of each face's corners.
        owners: (Q, 3) the voxel inside each face.
        filled: how many background voxels were taken for lumen.
    """

    points: Floats
    quads: Integers
    owners: Integers
    filled: int


def voxel_wall(lumen: npt.NDArray[np.bool_]) -> VoxelWall:
    """The wall of a set of voxels, in which every edge has two faces.

    Where two voxels touch at an edge or a corner only, four faces share an edge. There the wall
    runs between the voxels, as nothing flows through an edge: each edge joins the two faces of one
    voxel, and a corner is one point for each ring of faces around it. So the sheet is a manifold by
    the way it is made; surface nets are not, and marching cubes cuts corners, which takes 6 % of
    the volume of a vessel of 3 voxels. This sheet holds the voxels' volume. Where even so two edges
    have the same ends, as around a gap one voxel wide that bends, a voxel of the gap is filled.

    Args:
        lumen: (k, j, i); what lies beyond the array is background.
    """
    inside, filled = np.pad(lumen, 1), 0
    while True:
        places, owners, across = _faces(inside)
        quads = _joined(
            _index(places, tuple(side + 1 for side in inside.shape)), _index(owners, inside.shape)
        )
        gaps = _gaps(quads, _index(across, inside.shape))
        if not len(gaps):
            break
        inside.reshape(-1)[gaps] = True
        filled += len(gaps)
    points = np.empty((quads.max(initial=-1) + 1, 3))
    points[quads] = places - 1.5  # half a voxel below the first center, and the padding
    return VoxelWall(points, quads, owners - 1, filled)


def _faces(inside: npt.NDArray[np.bool_]) -> tuple[Integers, Integers, Integers]:
    """(Q, 4, 3) corners of all faces, (Q, 3) the voxel inside and (Q, 3) that outside of each."""
    corners, owners, across = [], [], []
    for axis in range(3):
        steps = np.diff(inside.view(np.int8), axis=axis)
        others = [(axis + 1) % 3, (axis + 2) % 3]
        for sign in (-1, 1):  # the lumen ends, or begins, in the direction of the axis
            below = np.argwhere(steps == sign)
            above = below + np.eye(3, dtype=np.int64)[axis]
            quads = np.repeat(above[:, None], 4, axis=1)
            quads[:, :, others] += SQUARE if sign < 0 else SQUARE[::-1]
            corners.append(quads)
            owners.append(below if sign < 0 else above)
            across.append(above if sign < 0 else below)
    return np.concatenate(corners), np.concatenate(owners), np.concatenate(across)


def _index(places: Integers, shape: tuple[int, ...]) -> Integers:
    """Places (..., 3) in an array as single numbers."""
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), shape))


def _joined(corners: Integers, owners: Integers) -> Integers:
    """Number the points of a sheet so that each edge joins two faces.

    Args:
        corners: (Q, 4) grid points of each face.
        owners: (Q,) the voxel inside.

    Returns:
        (Q, 4) the points' numbers from 0.
    """
    start, end = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    place = np.arange(corners.size)
    after = place // 4 * 4 + (place + 1) % 4  # the end's place in its face
    low, high = np.minimum(start, end), np.maximum(start, end)
    # The two faces of one voxel come after each other, and so do the only two at an edge.
    order = np.lexsort((np.repeat(owners, 4), high, low))
    one, other = order[::2], order[1::2]
    # Both run outside, so one starts where the other ends.
    rows, columns = np.concatenate([one, after[one]]), np.concatenate([after[other], other])
    same = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(len(place),) * 2)
    return np.asarray(connected_components(same, directed=False)[1].reshape(-1, 4), np.int64)


def _gaps(quads: Integers, across: Integers) -> Integers:
    """A background voxel beside each edge whose points are another edge's too."""
    start, end = quads.ravel(), np.roll(quads, -1, axis=1).ravel()
    names = np.minimum(start, end) * (quads.max(initial=0) + 1) + np.maximum(start, end)
    _, keys, counts = np.unique(names, return_inverse=True, return_counts=True)
    double = counts[keys] > 2
    lowest = np.full(len(counts), np.iinfo(np.int64).max)
    np.minimum.at(lowest, keys[double], np.repeat(across, 4)[double])
    return np.unique(lowest[counts > 2])
