"""The convex hull of a set of voxels, as voxels again."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from gsema_core.measurements.interface import Floats, Mask

TOLERANCE = 1e-6
"""Voxels; a center so close to a face of the hull lies in it. Ours: far above rounding."""


def convex_hull(mask: Mask) -> Mask | None:
    """The voxels whose centers lie in the convex hull of a set's centers.

    The hull of centers is smaller than that of the body which the voxels stand for, and the hull of
    their corners larger. Counted in voxels it is neither: a convex body's voxels are their own
    hull, so that what a hull has more than its set is due to the set's shape alone.

    Args:
        mask: (k, j, i); spacings do not matter.

    Returns:
        (k, j, i), or None where the set is flat.
    """
    inside = np.argwhere(mask)
    # A row's ends have the hull of the whole row.
    ends = mask ^ (np.roll(mask, 1, axis=2) & np.roll(mask, -1, axis=2) & mask)
    ends[..., [0, -1]] = mask[..., [0, -1]]
    corners = np.argwhere(ends)
    if len(inside) < 4:
        return None
    try:
        planes = ConvexHull(corners).equations
    except QhullError:
        return None
    entering, leaving, beside = _faces(planes)
    hull = np.zeros_like(mask)
    low, high = inside.min(axis=0), inside.max(axis=0)
    rows = np.arange(low[1], high[1] + 1)
    columns = np.arange(mask.shape[2])
    for k in range(low[0], high[0] + 1):
        places = np.stack([np.full(len(rows), k), rows, np.ones(len(rows))], axis=1)
        first, last = (places @ entering).max(axis=1), (places @ leaving).min(axis=1)
        within = (columns >= first[:, None]) & (columns <= last[:, None])
        hull[k, rows] = within & (places @ beside <= 0).all(axis=1, keepdims=True)
    return hull


def _faces(planes: Floats) -> tuple[Floats, Floats, Floats]:
    """What to multiply a row (k, j, 1) with to get where along i it enters the hull and leaves it
    by each face, and how far it is outside of those along it; each (3, faces of this kind).

    Args:
        planes: (F, 4) normal and offset of each face; normal @ x + offset <= 0 inside.
    """
    planes = np.unique(planes, axis=0)  # Qhull gives that of a flat face once for each triangle
    along = planes[:, 2]
    rest = (planes[:, [0, 1, 3]] - [0, 0, TOLERANCE]).T
    entering, leaving = along < -TOLERANCE, along > TOLERANCE
    return (
        -rest[:, entering] / along[entering],
        -rest[:, leaving] / along[leaving],
        rest[:, ~entering & ~leaving],
    )
