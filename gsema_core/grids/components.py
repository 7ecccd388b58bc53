"""Connected components, the same way for cleaning, measuring and scoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

NEIGHBORS_26 = np.ones((3, 3, 3), dtype=bool)
"""Voxels that share a face, an edge or a corner are connected: a vessel one voxel wide may run
along a diagonal. Our choice."""


def connected_components(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], int]:
    """Number the components of a (k, j, i) mask from 1, in the order of their first voxels.

    Returns:
        The component's number in each voxel (0 outside the mask), and how many there are.
    """
    components, count = ndimage.label(mask, NEIGHBORS_26)
    return components, int(count)
