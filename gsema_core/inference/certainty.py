"""Aneurysms that the teacher is nowhere sure of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.volumes.components import connected_components


def drop_uncertain_aneurysms(
    probabilities: npt.NDArray[np.floating], minimum_peak: float
) -> npt.NDArray[np.floating]:
    """Take for vessel every aneurysm whose highest probability stays below ``minimum_peak``.

    Where vessels end at the border of the field, or bend sharply, a teacher is often half
    convinced of an aneurysm; in a true sac it is sure of the middle. This is thresholding with
    hysteresis (Canny, 1986): the class is decided voxel by voxel, the component by its peak.

    Args:
        probabilities: (3, k, j, i) on the working grid; changed in place.
        minimum_peak: 0 keeps everything.

    Returns:
        The same array; the sum over the classes is as before.
    """
    if minimum_peak <= 0:
        return probabilities
    aneurysm = probabilities[ANEURYSM]
    likeliest = np.argmax(probabilities, axis=0) == ANEURYSM
    components, count = connected_components(likeliest)
    peaks = ndimage.maximum(aneurysm, components, np.arange(1, count + 1))
    uncertain = np.concatenate([[False], np.asarray(peaks).reshape(-1) < minimum_peak])
    # One voxel more: interpolation back to the scan's grid would leave a shell of the sac.
    dropped = ndimage.binary_dilation(uncertain[components], np.ones((3, 3, 3)))
    dropped &= ~(likeliest & ~uncertain[components])
    probabilities[VESSEL][dropped] += aneurysm[dropped]
    aneurysm[dropped] = 0.0
    return probabilities
