"""Where a scan may show vessels filled with contrast agent: a quick look, to save windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gsema_core.intensities.appearance import local_contrast, pool

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
        One value for each ``appearance.POOLED`` voxels along each axis; the last may be fewer.
    """
    return np.asarray(local_contrast(pool(image)) > LEAST_CONTRAST)


def is_plausible(spots: npt.NDArray[np.bool_]) -> bool:
    """Whether the spots can be the vessels of a scan."""
    low, high = PLAUSIBLE_SHARES
    return bool(low <= spots.mean() <= high)
