"""Aneurysms that the teacher is nowhere sure of."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.volumes.boxes import bounding_box, box_of, grown
from gsema_core.volumes.components import connected_components
from gsema_core.volumes.way_back import Shares, full_share


def drop_uncertain_aneurysms(foreground: Shares, minimum_peak: float) -> Shares:
    """Take for vessel every aneurysm whose highest probability stays below ``minimum_peak``.

    Where vessels end at the border of the field, or bend sharply, a teacher is often half
    convinced of an aneurysm; in a true sac it is sure of the middle. This is thresholding with
    hysteresis (Canny, 1986): the class is decided voxel by voxel, the component by its peak.

    Args:
        foreground: probabilities (2, k, j, i) of vessel and aneurysm on the working grid, as
            ``volumes.way_back`` has them; changed in place.
        minimum_peak: 0 keeps everything.

    Returns:
        The same array; the sum over the classes is as before.
    """
    one = full_share(foreground)
    # The likeliest of three classes has at least a third.
    candidates = foreground[ANEURYSM - 1] >= one / 3
    if minimum_peak <= 0 or not candidates.any():
        return foreground
    whole = box_of((0, 0, 0), candidates.shape)
    box = grown(bounding_box(candidates), (1, 1, 1), whole)  # with room for the dilation
    vessel, aneurysm = foreground[VESSEL - 1][box], foreground[ANEURYSM - 1][box]
    background = one - vessel.astype(np.float32) - aneurysm
    likeliest = (aneurysm > vessel) & (aneurysm > background)
    components, count = connected_components(likeliest)
    peaks = ndimage.maximum(aneurysm, components, np.arange(1, count + 1))
    bar = minimum_peak * one - (0.5 if one > 1 else 0.0)  # half a step is rounding
    low = np.asarray(peaks).reshape(-1) < bar
    uncertain = np.concatenate([[False], low])[components]
    # One voxel more: interpolation back to the scan's grid would leave a shell of the sac.
    dropped = ndimage.binary_dilation(uncertain, np.ones((3, 3, 3)))
    dropped &= ~(likeliest & ~uncertain)
    vessel[dropped] += aneurysm[dropped]
    aneurysm[dropped] = 0
    return foreground
