"""Points that a user clicked or typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.grids import Geometry

Point = tuple[float, float, float]
"""A position in mm (LPS)."""

Places = npt.NDArray[np.float64]
"""Positions in voxels k, j, i: (n, 3), or (3,) of one."""


@dataclass(frozen=True)
class Clicks:
    """What a user marked of one aneurysm, in mm (LPS).

    Attributes:
        inside: places in the aneurysm, the first click first; at least one.
        outside: places that are not in it.
    """

    inside: tuple[Point, ...]
    outside: tuple[Point, ...] = ()


def check_clicks(
    inside_lps: Sequence[Sequence[float]],
    outside_lps: Sequence[Sequence[float]],
    geometry: Geometry,
) -> Clicks:
    """Clicks inside a scan.

    Raises:
        UserError: there is none in the aneurysm, one is not three finite numbers or lies outside
            the scan, or a voxel of the scan is marked both as aneurysm and as none.
    """
    inside, outside = (
        tuple(check_point(point, geometry) for point in _points(points))
        for points in (inside_lps, outside_lps)
    )
    if not inside:
        raise UserError("No point in the aneurysm was given: click into it first.")
    voxels = [nearest_voxel(point, geometry) for point in inside]
    for point in outside:
        if nearest_voxel(point, geometry) in voxels:
            raise UserError(
                f"The point {describe(point)} is marked both as aneurysm and as not aneurysm: "
                "take one of the two marks away."
            )
    return Clicks(inside, outside)


def nearest_voxel(point_lps: Point, geometry: Geometry) -> tuple[int, int, int]:
    """The voxel (k, j, i) that a point inside a scan lies in."""
    index = np.rint(geometry.world_to_index(point_lps)).astype(int)
    i, j, k = np.clip(index, 0, np.array(geometry.size) - 1).tolist()
    return k, j, i


def _points(points: Sequence[Sequence[float]]) -> list[Sequence[float]]:
    """A list of points.

    Raises:
        UserError: it is something else, such as one point.
    """
    try:
        given = list(points)
        single = any(np.ndim(point) == 0 for point in given)
    except (TypeError, ValueError):
        given, single = [], True
    if single:
        raise UserError(f"The points are {str(points)[:80]}: give a list of points in mm.")
    return given


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
