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
    hull = np.zeros_like(mask)
    low, high = inside.min(axis=0), inside.max(axis=0)
    rows = np.arange(low[1], high[1] + 1)
    columns = np.arange(mask.shape[2])
    for k in range(low[0], high[0] + 1):
        first, last = _spans(planes, k, rows)
        hull[k, rows] = (columns >= first[:, None]) & (columns <= last[:, None])
    return hull


def _spans(planes: Floats, k: int, rows: Floats) -> tuple[Floats, Floats]:
    """Where each row (k, j) enters and leaves the hull, along i; the first is larger outside.

    Args:
        planes: (F, 4) normal and offset of each face; normal @ x + offset <= 0 inside.
    """
    along = planes[:, 2]
    offsets = planes[:, 0] * k + planes[:, 1] * rows[:, None] + planes[:, 3] - TOLERANCE
    crossing = np.abs(along) > TOLERANCE
    where = -offsets[:, crossing] / along[crossing]
    entering = along[crossing] < 0
    first = where[:, entering].max(axis=1)
    last = where[:, ~entering].min(axis=1)
    outside = (offsets[:, ~crossing] > 0).any(axis=1)
    first[outside] = np.inf
    return first, last
