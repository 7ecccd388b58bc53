"""From a scan's own grid to the network's working grid.

The working grid keeps the scan's box in space, and an oblique scan's rotation, but its axes come
in canonical order and sense (i to the left, j to the back, k to the head, as near as they can)
and its voxels are cubes. So a network sees every scan upright, however it was stored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.errors import UserError
from gsema_core.grids.axis_interpolation import Floats, Line, lines_between
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.labels import BACKGROUND

SLAB_VOXELS = 2**20
"""Voxels that are resampled at once: 4 MB, which stay in the processor's cache. Our choice."""

MAXIMUM_WORKING_VOXELS = 2**30
"""A working grid beyond this (4 GB as float32) is a mistake in the spacing. Our choice."""

MINIMUM_SHARE = 0.5
"""How much of a voxel classes must fill together for it to be no background: half, which keeps the
volume."""

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


def working_geometry(geometry: Geometry, spacing_mm: float) -> Geometry:
    """Return the working grid of a scan: canonical axes, cubic voxels, the same box.

    The box is enlarged to whole voxels, evenly on both sides.

    Raises:
        UserError: the spacing is not a positive number, or would give more than 2^30 voxels.
    """
    if not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise UserError(f"The working spacing {spacing_mm} mm must be a positive number.")
    axes, signs = _canonical_axes(geometry)
    direction = geometry.direction_matrix[:, axes] * signs
    extents = (np.array(geometry.size) * geometry.spacing)[axes]
    # The tolerance keeps 256 voxels of 0.1 mm from becoming 65 of 0.4 mm by rounding.
    size = np.maximum(1, np.ceil(extents / spacing_mm - 1e-3)).astype(int)
    if np.prod(size.astype(float)) > MAXIMUM_WORKING_VOXELS:
        raise UserError(
            f"A working spacing of {spacing_mm} mm would need {' x '.join(map(str, size))} "
            "voxels for this scan: use a coarser spacing or crop the scan."
        )
    origin = np.array(geometry.center) - direction @ ((size - 1) / 2 * spacing_mm)
    spacing = (spacing_mm,) * 3
    return Geometry(tuple(size), spacing, tuple(origin), tuple(direction.reshape(-1)))


def to_working(volume: Volume, spacing_mm: float) -> Volume:
    """Resample an image to its working grid, linearly; axes that get coarser are low-passed first.

    The axes are resampled one after the other, so that each coarser one saves work for the next.

    Returns:
        A float32 volume on ``working_geometry(volume.geometry, spacing_mm)``.
    """
    target = working_geometry(volume.geometry, spacing_mm)
    lines = lines_between(volume.geometry, target)
    k, j, i = sorted(lines, key=lambda line: line.axis)  # as the scan's array has them
    spacing = volume.geometry.spacing

    def shrink(values: Floats, line: Line) -> Floats:
        sigma = blur_sigma(spacing[2 - line.axis], spacing_mm)
        if sigma > 0.1:  # a kernel this narrow is the identity to within float32
            values = ndimage.gaussian_filter1d(
                values, sigma, axis=line.axis, mode="nearest", truncate=3.0
            )
        return line.interpolate(values)

    flat = _in_slabs(volume.array, lambda slab: shrink(shrink(slab, i), j), across=0)
    array = _in_slabs(flat, lambda slab: shrink(slab, k), across=1)
    upright = array.transpose([line.axis for line in lines])
    return Volume(np.ascontiguousarray(upright), target)


def labels_to_working(labels: Volume, spacing_mm: float) -> Volume:
    """Resample a label map to its working grid by the share of each voxel that a class fills.

    A voxel is background unless at least half of it is filled. Then the class that fills most of
    it wins. A boundary therefore does not recede where two classes share its voxels, as at an
    aneurysm's neck. Compared with the nearest neighbor, this keeps surfaces smooth.

    Returns:
        A uint8 volume on ``working_geometry(labels.geometry, spacing_mm)``.
    """
    target = working_geometry(labels.geometry, spacing_mm)
    best = np.zeros(target.shape, dtype=np.float32)
    filled = np.zeros(target.shape, dtype=np.float32)
    winner = np.zeros(target.shape, dtype=np.uint8)
    for value in np.unique(labels.array[labels.array != BACKGROUND]):
        share = to_working(Volume(labels.array == value, labels.geometry), spacing_mm).array
        winner[share > best] = value
        np.maximum(best, share, out=best)
        filled += share
    winner[filled < MINIMUM_SHARE] = BACKGROUND
    return Volume(winner, target)


def _canonical_axes(geometry: Geometry) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Which axis runs most nearly along L, P and S, and with which sign."""
    matrix = geometry.direction_matrix
    axes = max(
        itertools.permutations(range(3)),
        key=lambda order: sum(abs(matrix[world, axis]) for world, axis in enumerate(order)),
    )
    signs = np.array([1.0 if matrix[world, axis] >= 0 else -1.0 for world, axis in enumerate(axes)])
    return list(axes), signs


def blur_sigma(old_mm: float, new_mm: float) -> float:
    """The low-pass that keeps fine detail from turning into noise, in old voxels.

    The width makes a voxel's point spread as wide as the coarser voxel: FWHM^2 = new^2 - old^2
    (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015).
    """
    return math.sqrt(max(0.0, new_mm**2 - old_mm**2)) / FWHM_PER_SIGMA / old_mm


def _in_slabs(array: npt.NDArray[Any], work: Callable[[Floats], Floats], *, across: int) -> Floats:
    """Apply to slabs across an axis what leaves that axis as it is; keeps the memory small."""
    length = array.shape[across]
    thickness = max(1, SLAB_VOXELS * length // array.size)
    before = (slice(None),) * across
    result: Floats | None = None
    for start in range(0, length, thickness):
        slab = (*before, slice(start, start + thickness))
        done = work(array[slab].astype(np.float32))
        if result is None:
            shape = (*done.shape[:across], length, *done.shape[across + 1 :])
            result = np.empty(shape, dtype=np.float32)
        result[slab] = done
    assert result is not None  # no grid is empty
    return result
