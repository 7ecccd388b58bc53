"""Surface area and sphericity of a set of voxels."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import SphericalVoronoi

Floats = npt.NDArray[np.float64]

SMALLEST_ACROSS = 4.0
"""Voxels of the coarsest axis across the sphere of a set's volume, from which on its surface
is measured. Our choice: at 4 the error is up to 9 %, and it grows quickly below."""

LONGEST_STEP = 3
"""Voxels; the directions between voxels within 3 steps are dense enough for spacings up to 1:3, and
their number stays below 350 on any grid."""


def surface_area_mm2(
    mask: npt.NDArray[np.bool_], spacing: Floats, opening: npt.NDArray[np.bool_] | None = None
) -> float | None:
    """The area of a set's closed surface in mm2, by the discrete Crofton formula.

    A line of direction u meets the surface N times; over all parallel lines, N / 2 is the area of
    the set's shadow along u, folds counted as often as they occur, and the surface has four times
    the mean of these shadows over all u (Crofton; discrete form and Voronoi weights as Lehmann and
    Legland, Insight Journal 2012). The directions are those between voxels up to one step of the
    coarsest axis apart: 13 on a cubic grid, where the result is that of SimpleITK's
    ``LabelShapeStatisticsImageFilter``; more on others, where that filter keeps 13.

    Errors of 300 ellipsoids each (axes up to 2.4:1, random places and rotations, spacing up to
    1:1:3), by the number of the coarsest axis' voxels across the sphere of the same volume: at 4
    voxels -9 to +3 %, at 6 -5 to +3 %, at 10 -3 to +1 %, at 14 within 2 %
    (Testing/benchmarks/measurements.py).

    Args:
        mask: (k, j, i); voxels outside the array are outside the set.
        spacing: (3,) in mm along (k, j, i).
        opening: (k, j, i) voxels outside the set; the surface that it shares with these is left
            out. Near its rim so is some of the rest, see ``shape_indices.dome_area_mm2``.

    Returns:
        None where the set is less than ``SMALLEST_ACROSS`` voxels across.
    """
    voxel_mm3 = math.prod(float(side) for side in spacing)
    diameter = (6 * np.count_nonzero(mask) * voxel_mm3 / math.pi) ** (1 / 3)
    if diameter < SMALLEST_ACROSS * float(np.max(spacing)):
        return None
    directions = _directions(tuple(float(s) for s in spacing))
    reach = [max(abs(step[axis]) for step, _, _ in directions) for axis in range(3)]
    kinds = mask.astype(np.uint8)
    if opening is not None:
        kinds[opening] = 2
    padded = np.pad(kinds, [(r, r) for r in reach])
    shadow = 0.0  # the mean over all directions
    for step, length, weight in directions:
        here = padded[tuple(slice(max(d, 0), min(d, 0) or None) for d in step)]
        there = padded[tuple(slice(max(-d, 0), min(-d, 0) or None) for d in step)]
        # Each line of this direction stands for voxel_mm3 / length of the plane across it.
        shadow += weight * np.count_nonzero(here ^ there == 1) / 2 * voxel_mm3 / length
    return float(4 * shadow)


def sphericity(volume_mm3: float, area_mm2: float) -> float:
    """Wadell's: the surface of the sphere of the same volume over the surface; 1 for a sphere.

    pi^(1/3) (6 V)^(2/3) / S (Wadell, Journal of Geology 43:250, 1935). No body has more than 1; the
    area's error may, so it is cut there.
    """
    return min(1.0, float(math.pi ** (1 / 3) * (6 * volume_mm3) ** (2 / 3)) / area_mm2)


@lru_cache
def _directions(spacing: tuple[float, ...]) -> list[tuple[tuple[int, ...], float, float]]:
    """Steps between voxels, one of each opposite pair, their lengths in mm and their weights.

    A step's weight is the share of the sphere's directions that are nearest to it or its opposite.
    """
    reach = [min(max(1, round(max(spacing) / side)), LONGEST_STEP) for side in spacing]
    steps = [
        step
        for step in itertools.product(*[range(-r, r + 1) for r in reach])
        if math.gcd(*step) == 1
    ]
    vectors = np.array(steps) * np.array(spacing)
    lengths = np.linalg.norm(vectors, axis=1)
    shares = SphericalVoronoi(vectors / lengths[:, None]).calculate_areas() / (4 * math.pi)
    return [
        (step, float(length), float(2 * share))
        for step, length, share in zip(steps, lengths, shares, strict=True)
        if step > (0, 0, 0)
    ]
