"""From a scan's own grid to the network's working grid, and back.

The working grid keeps the scan's box in space, and an oblique scan's rotation, but its axes come
in canonical order and sense (i to the left, j to the back, k to the head, as near as they can)
and its voxels are cubes. So a network sees every scan upright, however it was stored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from gsema_core.errors import UserError
from gsema_core.labels import BACKGROUND
from gsema_core.volumes.geometry import Geometry
from gsema_core.volumes.volume import Volume

SLAB_VOXELS = 2**23
"""Voxels of the original grid that are worked on at once: 32 MB a class. Our choice."""

MAXIMUM_WORKING_VOXELS = 2**30
"""A working grid beyond this (4 GB as float32) is a mistake in the spacing. Our choice."""

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


def working_geometry(geometry: Geometry, spacing_mm: float) -> Geometry:
    """The working grid of a scan: canonical axes, cubic voxels, the same box.

    The box is filled up to whole voxels, evenly on both sides.

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
    """Resample an image to its working grid: low-pass where that is coarser, then linear.

    Returns:
        A float32 volume on ``working_geometry(volume.geometry, spacing_mm)``.
    """
    target = working_geometry(volume.geometry, spacing_mm)
    image = Volume(_low_pass(volume.array, volume.geometry, spacing_mm), volume.geometry)
    return Volume(_resample(image.to_image(), target), target)


def labels_to_working(labels: Volume, spacing_mm: float) -> Volume:
    """Resample a label map to its working grid by the share of each voxel that a class fills.

    A voxel is background unless at least half of it is filled; then the class that fills most of
    it wins. So a boundary does not recede where two classes share its voxels, as at an aneurysm's
    neck. Against the nearest neighbor this keeps surfaces smooth (measured on 0.4 mm label maps
    of arteries, to 0.8 mm and back: aneurysm Dice higher by 0.02 to 0.05).

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
    winner[filled < 0.5] = BACKGROUND
    return Volume(winner, target)


def probabilities_to_labels(
    probabilities: npt.NDArray[np.floating], working: Geometry, original: Geometry
) -> Volume:
    """Bring class probabilities back to a scan's own grid and choose a class for every voxel.

    A voxel is background where that is likelier than all other classes together; otherwise it is
    of the likeliest other class, the rule of `labels_to_working`. Plain argmax would open a gap
    of background between a sac and its vessel, where the two share what is not background.

    Probabilities are interpolated linearly before the choice is made, so that the surface does
    not show the working grid's steps. What lies outside the working grid is background.
    Memory stays bounded for large scans: the original grid is filled slab by slab along k.

    Args:
        probabilities: (classes, k, j, i) on the working grid.
        working: the working grid.
        original: the scan's own grid; any axis order, sense and rotation.

    Returns:
        A uint8 volume on ``original``.
    """
    images = [_as_image(channel, working) for channel in probabilities]
    result = np.zeros(original.shape, dtype=np.uint8)
    for start, slab in _slabs(original):
        background = _resample(images[0], slab, outside=1.0)
        best = np.zeros_like(background)
        filled = np.zeros_like(background)
        winner = result[start : start + slab.size[2]]
        for value, image in enumerate(images[1:], start=1):
            share = _resample(image, slab)
            winner[share > best] = value
            np.maximum(best, share, out=best)
            filled += share
        winner[background >= filled] = BACKGROUND
    return Volume(result, original)


def probability_to_original(
    probability: npt.NDArray[np.floating], working: Geometry, original: Geometry
) -> Volume:
    """Bring the (k, j, i) probability of one class back to a scan's own grid; 0 outside.

    Returns:
        A float32 volume on ``original``.
    """
    image = _as_image(probability, working)
    result = np.empty(original.shape, dtype=np.float32)
    for start, slab in _slabs(original):
        result[start : start + slab.size[2]] = _resample(image, slab)
    return Volume(result, original)


def _canonical_axes(geometry: Geometry) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Which axis runs most nearly along L, P and S, and with which sign."""
    matrix = geometry.direction_matrix
    axes = max(
        itertools.permutations(range(3)),
        key=lambda order: sum(abs(matrix[world, axis]) for world, axis in enumerate(order)),
    )
    signs = np.array([1.0 if matrix[world, axis] >= 0 else -1.0 for world, axis in enumerate(axes)])
    return list(axes), signs


def _low_pass(
    array: npt.NDArray[np.generic], geometry: Geometry, spacing_mm: float
) -> npt.NDArray[np.float32]:
    """Blur along the axes that get coarser, so that fine detail does not turn into noise.

    The width makes a voxel's point spread as wide as the coarser voxel: FWHM^2 = new^2 - old^2
    (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015).
    """
    sigmas = [
        math.sqrt(max(0.0, spacing_mm**2 - old**2)) / FWHM_PER_SIGMA / old
        for old in reversed(geometry.spacing)
    ]
    values = array.astype(np.float32)
    for axis, sigma in enumerate(sigmas):
        if sigma > 0.1:  # a kernel this narrow is the identity to within float32
            ndimage.gaussian_filter1d(
                values, sigma, axis=axis, mode="nearest", truncate=3.0, output=values
            )
    return values


def _as_image(channel: npt.NDArray[np.floating], geometry: Geometry) -> sitk.Image:
    return Volume(np.asarray(channel, dtype=np.float32), geometry).to_image()


def _resample(image: sitk.Image, target: Geometry, outside: float = 0.0) -> npt.NDArray[np.float32]:
    """Interpolate linearly; in the half voxel around the outermost centers the edge continues."""
    resampler = sitk.ResampleImageFilter()
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetSize(target.size)
    resampler.SetOutputSpacing(target.spacing)
    resampler.SetOutputOrigin(target.origin)
    resampler.SetOutputDirection(target.direction)
    resampler.SetDefaultPixelValue(outside)
    return np.asarray(sitk.GetArrayFromImage(resampler.Execute(image)), dtype=np.float32)


def _slabs(geometry: Geometry) -> Iterator[tuple[int, Geometry]]:
    """Cut a grid into slabs along k: (first k, the slab's grid)."""
    i, j, k = geometry.size
    thickness = max(1, SLAB_VOXELS // (i * j))
    for start in range(0, k, thickness):
        x, y, z = geometry.index_to_world((0, 0, start))
        size = (i, j, min(thickness, k - start))
        yield start, Geometry(size, geometry.spacing, (x, y, z), geometry.direction)
