"""Where the wall of the lumen lies, by the scan itself.

A network says voxel by voxel of its working grid what is lumen, and its walls are off by a good
part of such a voxel. Contrast agent that fills a voxel of the scan in part brightens it in part, so
that the scan's own voxels show the wall, once it is known which vessel is meant and how bright the
lumen and what surrounds it are there. Ours, after the half-maximum rule of angiometry; the
constants were chosen by ``Testing/benchmarks/walls.py`` on the patients kept out for such choices
(docs/explanation/teacher_notebook.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.axis_interpolation import Floats

NEIGHBORHOOD_MM = 1.0
"""Standard deviation of the Gaussian that weights a neighborhood."""

LEVEL = 0.4
"""Share of the way from surroundings to lumen at which the wall lies. Blur moves the half-maximum
of a convex body inwards."""

COMMON = 0.3
"""Part of the brightest vessels in what counts as the lumen's brightness; the rest is the
neighborhood's. A vessel thinner than the blur never reaches the brightness of its contrast agent,
and the half of what it reaches lies too far out."""

BRIGHTEST = 0.95
"""The quantile of the local brightness of the lumen that stands for the brightest vessels."""

TRUST = 3.0
"""The scan's word counts this many times the network's."""

UNSURE = 0.1
"""Where the network's lumen is less likely than this, the scan is not asked: bone is bright too."""

LEAST_CONTRAST = 0.1
"""Of the scan's range of intensities: with less, the scan is not asked. Where a bone touches, lumen
is no brighter than what surrounds it."""

SLAB_PLANES = 32
"""Planes that are measured at once; keeps the memory small. Our choice."""

_REACH = 2.5  # standard deviations of a neighborhood that count
_LEAST_WEIGHT = 1e-3  # of lumen in a neighborhood that has any

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Wall:
    """How to tell lumen from what surrounds it around each voxel (k, j, i) of a working grid.

    Attributes:
        level: the intensity at which the wall lies, in the units of the image.
        contrast: by how much the lumen is brighter than what surrounds it; 0 where the image says
            nothing.
    """

    level: Floats
    contrast: Floats


def find_wall(lumen: Floats, image: Floats, spacing_mm: float) -> Wall:
    """Measure the brightness of the lumen and of its surroundings, everywhere.

    Args:
        lumen: (k, j, i) probability of vessel or aneurysm, on a working grid.
        image: (k, j, i) in [0, 1] on the same grid.
        spacing_mm: the grid's.
    """
    bright, around = np.zeros(lumen.shape, np.float32), np.empty(lumen.shape, np.float32)
    sigma = NEIGHBORHOOD_MM / spacing_mm
    halo = reach(spacing_mm)
    for start in range(0, len(lumen), SLAB_PLANES):
        first = max(0, start - halo)
        near = slice(first, start + SLAB_PLANES + halo)
        own = slice(start - first, start - first + SLAB_PLANES)
        slab = slice(start, start + SLAB_PLANES)
        bright[slab], around[slab] = (
            values[own] for values in _brightness(lumen[near] > 0.5, image[near], sigma)
        )
    inside = lumen > 0.5
    if inside.any():
        near_lumen = bright > 0
        common = np.float32(np.quantile(bright[inside], BRIGHTEST))
        bright[near_lumen] += np.float32(COMMON) * (common - bright[near_lumen])
    contrast = bright
    contrast -= around
    contrast[contrast < LEAST_CONTRAST] = 0
    level = around
    level += np.float32(LEVEL) * contrast
    return Wall(level, contrast)


def reach(spacing_mm: float) -> int:
    """How many voxels around a voxel have a part in what `find_wall` says of it."""
    return math.ceil(_REACH * NEIGHBORHOOD_MM / spacing_mm)


def _brightness(inside: Mask, image: Floats, sigma: float) -> tuple[Floats, Floats]:
    """The mean of the lumen and of the rest around each voxel; 0 where there is no lumen near."""

    def neighborhood(values: Floats) -> Floats:
        return np.asarray(ndimage.gaussian_filter(values, sigma, mode="nearest", truncate=_REACH))

    if not inside.any():
        nothing = np.zeros(image.shape, np.float32)
        return nothing, nothing
    weight, lit = neighborhood(inside.astype(np.float32)), neighborhood(inside * image)
    rest = (neighborhood(image) - lit) / np.maximum(1 - weight, np.float32(1e-6))
    near = weight >= _LEAST_WEIGHT
    return np.where(near, lit / np.maximum(weight, np.float32(1e-6)), 0), np.where(near, rest, 0)


def lumen_factor(lumen: Floats, image: Floats, level: Floats, contrast: Floats) -> Floats:
    """By what `sharpened` multiplies the lumen: its classes share it as before."""
    factor = sharpened(lumen, image, level, contrast)
    factor /= np.maximum(lumen, np.float32(1e-6))
    return factor


def sharpened(lumen: Floats, image: Floats, level: Floats, contrast: Floats) -> Floats:
    """The share of lumen in each voxel by the network and the scan together.

    Args:
        lumen: the network's probability.
        image: the scan, in the units of the wall.
        level, contrast: of the wall, at the same voxels.

    Returns:
        float32 in [0, 1]; more than a half is lumen. The network's own where the scan says nothing.
    """
    asked = (contrast > 0) & (lumen >= UNSURE)
    filled = np.clip((image - level) / np.where(asked, contrast, 1) + 0.5, 0, 1)
    together = (lumen + TRUST * filled) / (1 + TRUST)
    return np.where(asked, together, lumen).astype(np.float32)
