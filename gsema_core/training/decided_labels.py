"""The labels that a teacher's probabilities mean, on the working grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.deciding.decide import decide
from gsema_core.inference.monitor import Monitor
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.inference.shares import Shares
from gsema_core.intensities.prepared_scan import PreparedScan


def decided(
    shares: Shares, image: NDArray[np.float32], spacing_mm: float, settings: SegmentationSettings
) -> NDArray[np.uint8]:
    """The labels that ``inference.Segmenter`` gives a scan whose own grid is the working grid.

    Args:
        shares: (2, k, j, i) of vessel and aneurysm; changed in place.
        image: (k, j, i) in [0, 1].
        spacing_mm: of the grid.
        settings: see `validation_settings`.

    Returns:
        (k, j, i).
    """
    depth, height, width = image.shape
    case = Volume(image, Geometry((width, height, depth), (spacing_mm,) * 3))
    labels, _, _ = decide(shares, PreparedScan(case, case, (0.0, 1.0)), settings, Monitor())
    return np.asarray(labels.array)
