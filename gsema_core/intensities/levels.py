"""The few numbers that say where a scan's image lies among its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[Any]

BLOCKS = 8
"""Blocks along each axis whose brightest voxels are compared. Ours."""

BRIGHT_SPOTS, SECOND_SPOT = 4, 0.625
"""So many of the 512 blocks, none beside another, hold vessels as bright as the brightest, or
nearly: on 24 simulated scans the brightest voxel lies 1.2 to 3.0 times as far above the background
as the fourth of them does. Metal is one such spot. In a small or cropped scan the fourth may hold
the rim of a vessel only: the contrast is at least 0.625 of the second's, so that nothing within 2.5
times the second is taken for metal; nor is either of two lumps of metal. Ours."""

LEAST_CONTRAST = 5.0
"""Times the noise: less is no vessel that anybody sees (Rose criterion)."""

LEAST_RISE = 8.0
"""Times what the brighter quarter of a scan rises above its median: less is tissue or shading. The
fourth spot of 24 simulated scans rises 18 times as much and more. Ours."""

SAMPLE_VOXELS, SAMPLE_CUBES = 2_000_000, 500_000
"""So many voxels, and small cubes of them, are looked at: shares are then within 0.1 %. Ours."""


@dataclass(frozen=True)
class Levels:
    """Where a scan's image lies among its values; in the scan's own unit.

    Attributes:
        background: the median, which most of a scan is near to.
        low: the percentile 2 of what is smoothed.
        contrast: how far bright vessels rise above the background.
    """

    background: float
    low: float
    contrast: float

    @property
    def ceiling(self) -> float:
        """Nothing of a vessel is brighter: four times the contrast above the background."""
        return self.background + 4 * self.contrast

    @property
    def floor(self) -> float:
        """Nothing of a body is darker than 1.5 times the contrast below the darkest."""
        return self.low - 1.5 * self.contrast


def find_levels(array: Array, constants: Array) -> Levels:
    """Find the levels of a scan, whatever a few lumps or scattered voxels of it hold.

    Args:
        array: (k, j, i), any numeric type.
        constants: values that may be no image, and are not looked at.
    """
    sample = spread_sample(array)
    image = sample[~np.isin(sample, constants)]
    background = float(np.median(image))
    smooth, valid = _smoothed(array, constants, background)
    low = float(np.percentile(smooth[valid], 2)) if valid.any() else background
    rise = float(np.percentile(smooth, 75)) - background
    least = max(LEAST_CONTRAST * _noise(array, constants), LEAST_RISE * rise)
    # Where vessels fill fewer spots, the others are background and say nothing.
    spots = [spot - background for spot in _bright_spots(_block_maxima(smooth))]
    vessels = [spot for spot in spots if spot > least] or [least]
    contrast = max(vessels[-1], SECOND_SPOT * vessels[min(1, len(vessels) - 1)])
    return Levels(background, min(low, background), contrast)


def spread_sample(array: Array) -> Array:
    """Voxels from all over a volume."""
    flat = array.reshape(-1)
    return flat[:: max(1, flat.size // SAMPLE_VOXELS)]


def _smoothed(array: Array, constants: Array, background: float) -> tuple[Array, Array]:
    """The upper median of small cubes (2 x 2 x 2 voxels), and which of them are all image.

    A scattered voxel does not move it. Of a large volume it takes only some of the cubes, and none
    at its faces, where a cylinder's or sphere's fill is too thin to be told.
    """
    if min(array.shape) < 2:
        return array.astype(np.float32), ~np.isin(array, constants)
    step = 2 * max(1, round((array.size / 8 / SAMPLE_CUBES) ** (1 / 3)))
    sizes = [slice(0, (n - 2) // step + 1) for n in array.shape]
    corners = (array[k::step, j::step, i::step][tuple(sizes)] for k, j, i in np.ndindex(2, 2, 2))
    cubes = np.stack([corner.astype(np.float32) for corner in corners], axis=-1)
    empty = np.isin(cubes, constants.astype(np.float32))
    cubes[empty] = background
    smooth = np.partition(cubes, 4, axis=-1)[..., 4]
    lumps = empty.all(axis=-1)
    if lumps.any():  # a border that was resampled has values between the two
        near = ndimage.binary_dilation(lumps, ndimage.generate_binary_structure(3, 3), 2)
        smooth[near] = background
        empty[near] = True
    inner = tuple(slice(n // 16, n - n // 16) for n in smooth.shape)
    return smooth[inner], ~np.any(empty, axis=-1)[inner]


def _block_maxima(array: Array) -> Array:
    for axis, n in enumerate(array.shape):
        starts = np.unique(np.linspace(0, n, min(n, BLOCKS) + 1).astype(int)[:-1])
        array = np.maximum.reduceat(array, starts, axis=axis)
    return array


def _bright_spots(blocks: Array) -> list[float]:
    """The brightest blocks of which none is beside another, at most ``BRIGHT_SPOTS``."""
    left = blocks.astype(np.float64)
    spots: list[float] = []
    while len(spots) < BRIGHT_SPOTS and np.isfinite(left).any():
        place = np.unravel_index(np.argmax(left), left.shape)
        spots.append(float(left[place]))
        left[tuple(slice(max(0, n - 1), n + 2) for n in place)] = -np.inf
    return spots


def _noise(array: Array, constants: Array) -> float:
    """Standard deviation of the noise, from neighbors along i: most of them show one tissue."""
    flat = array.reshape(-1)
    step = max(2, flat.size // SAMPLE_VOXELS)
    here, there = flat[:-1:step], flat[1::step]
    image = ~np.isin(here, constants) & ~np.isin(there, constants)
    if not image.any():
        return 0.0
    difference = here[image].astype(np.float64) - there[image]
    return float(1.4826 * np.median(np.abs(difference)) / np.sqrt(2))
