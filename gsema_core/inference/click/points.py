"""Points that a user clicked or typed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gsema_core.errors import UserError
from gsema_core.grids import Geometry

Point = tuple[float, float, float]
"""A position in mm (LPS)."""


def check_point(point_lps: Sequence[float], geometry: Geometry) -> Point:
    """A point inside a scan, as three floats.

    Raises:
        UserError: it is not three finite numbers, or lies outside the scan.
    """
    try:
        x, y, z = (float(value) for value in point_lps)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"The point {point_lps!r} must be three numbers in mm.") from None
    if not np.isfinite([x, y, z]).all():
        raise UserError(f"The point ({x:g}, {y:g}, {z:g}) must be three finite numbers in mm.")
    index = geometry.world_to_index((x, y, z))
    if (index < -0.5).any() or (index > np.array(geometry.size) - 0.5).any():
        raise UserError(f"The point {describe((x, y, z))} lies outside the scan: choose another.")
    return x, y, z


def describe(point_lps: Point) -> str:
    """A point as Slicer shows it."""
    left, posterior, superior = point_lps
    # Adding 0 turns a negative zero into a plain one.
    r, a, s = (round(value, 1) + 0.0 for value in (-left, -posterior, superior))
    return f"R {r:.1f}, A {a:.1f}, S {s:.1f} mm"
