"""Drawing tubes into label maps, and what they must not touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]


def tube_voxels(
    points: npt.ArrayLike, radii: npt.ArrayLike, spacing: float, shape: tuple[int, ...]
) -> Ints:
    """The voxels whose centers lie in the union of balls along a line.

    Args:
        points: (P, 3) k, j, i in voxels, at most half a radius apart.
        radii: (P,) or one number, in mm.
        spacing: mm of a voxel.
        shape: of the array that they must lie in.

    Returns:
        (N, 3) k, j, i in the order of the array.
    """
    middle = np.asarray(points, float)
    width = np.broadcast_to(np.asarray(radii, float) / spacing, len(middle))
    low = np.maximum(np.floor((middle - width[:, None]).min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil((middle + width[:, None]).max(axis=0)).astype(int) + 1, shape)
    if (high <= low).any():
        return np.zeros((0, 3), int)
    mask = np.zeros(high - low, bool)
    for point, radius in zip(middle - low, width, strict=True):
        first = np.maximum(np.ceil(point - radius).astype(int), 0)
        last = np.minimum(np.floor(point + radius).astype(int) + 1, mask.shape)
        axes = np.ogrid[tuple(slice(a, max(a, b)) for a, b in zip(first, last, strict=True))]
        squared = sum((axis - at) ** 2 for axis, at in zip(axes, point, strict=True))
        mask[tuple(slice(a, max(a, b)) for a, b in zip(first, last, strict=True))] |= (
            squared <= radius**2
        )
    return np.asarray(np.argwhere(mask) + low)


def curve(knots: npt.ArrayLike, step: float = 0.5) -> Floats:
    """(P, 3) points of a smooth line through knots, ``step`` apart."""
    knots = np.asarray(knots, float)
    chords = np.maximum(np.linalg.norm(np.diff(knots, axis=0), axis=1), 1e-6)
    at = np.concatenate([[0.0], np.cumsum(chords)])
    spline = make_interp_spline(at, knots, k=min(3, len(knots) - 1))
    fine = spline(np.linspace(0.0, at[-1], max(8, int(4 * at[-1] / step))))
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.linspace(0.0, along[-1], max(4, round(along[-1] / step)))
    return np.stack([np.interp(wanted, along, fine[:, axis]) for axis in range(3)], axis=1)


def any_direction(rng: np.random.Generator) -> Floats:
    """A unit vector, all directions alike."""
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))


def across(direction: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Two unit vectors at right angles to a direction and to each other, turned by chance."""
    first = np.cross(direction, any_direction(rng))
    first /= np.linalg.norm(first)
    return first, np.cross(direction, first)


def free_of(
    points: Floats, radius_mm: float, others: Ints, spacing: float, gap_mm: float = 0.8
) -> npt.NDArray[np.bool_]:
    """(P,) whether a tube keeps a gap to other voxels."""
    if not len(others):
        return np.ones(len(points), bool)
    distance = cKDTree(others).query(points)[0] * spacing
    return np.asarray(distance > radius_mm + gap_mm)


def in_one_piece(labels: npt.NDArray[np.uint8], around: Ints, before: int, margin: int = 6) -> bool:
    """Whether the lumen near some voxels hangs together as it did.

    Args:
        labels: (k, j, i) after the change.
        around: (N, 3) the voxels that were changed.
        before: `pieces` of the same place before the change.
        margin: voxels around them.
    """
    return pieces(labels, around, margin) <= before


def pieces(labels: npt.NDArray[np.uint8], around: Ints, margin: int = 6) -> int:
    """How many pieces of lumen lie near some voxels."""
    low = np.maximum(around.min(axis=0) - margin, 0)
    high = around.max(axis=0) + margin + 1
    part = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] > 0
    return int(connected_components(part)[1])


def grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The mask and its 26 neighbors."""
    return np.asarray(ndimage.binary_dilation(mask, np.ones((3, 3, 3), bool)))
