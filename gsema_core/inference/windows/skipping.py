"""Where a scan may show vessels filled with contrast agent: a quick look, to save windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

POOLED = 2
"""Voxels along an axis that are averaged into one: 1 mm at the bundled teacher's spacing, which
takes most of the noise away and leaves a vessel of 1 mm. Ours."""
SURROUNDINGS = 13
"""Averaged voxels along an axis of the cube that a spot is compared with, 13 mm there: wider than
arteries, narrower than the shading of a head that the detector cuts off. Ours."""
LEAST_CONTRAST = 0.05
"""How much brighter than its surroundings a spot is, as a share of the scan's range. Ours, checked
with ``Testing/benchmarks/bright.py`` on simulated scans: no labeled voxel goes unseen."""
PLAUSIBLE_SHARES = (1e-4, 0.5)
"""Share of spots in a scan with vessels; the same benchmark tells what scans have. Beyond, the look
at the scan says nothing. Ours."""


def bright_spots(image: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Find what is brighter than what surrounds it.

    Args:
        image: (k, j, i) in [0, 1] on the working grid.

    Returns:
        One value for each ``POOLED`` voxels along each axis; the last ones may be fewer.
    """
    spread = [(0, -length % POOLED) for length in image.shape]
    padded = np.pad(image, spread, mode="edge")
    k, j, i = (length // POOLED for length in padded.shape)
    pooled = padded.reshape(k, POOLED, j, POOLED, i, POOLED).mean(axis=(1, 3, 5))
    around = ndimage.uniform_filter(pooled, SURROUNDINGS, mode="nearest")
    return np.asarray(pooled - around > LEAST_CONTRAST)


def is_plausible(spots: npt.NDArray[np.bool_]) -> bool:
    """Whether the spots can be the vessels of a scan."""
    low, high = PLAUSIBLE_SHARES
    return bool(low <= spots.mean() <= high)
