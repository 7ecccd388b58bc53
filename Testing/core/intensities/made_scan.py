"""A small scan of known levels for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

BACKGROUND, VESSEL, NOISE = 100, 1100, 10


def made_scan(n: int = 64) -> npt.NDArray[np.int16]:
    """Tissue of 100 with a noise of 10, and vessels of 1100 with soft walls through all of it."""
    k, j, i = np.meshgrid(*3 * [np.arange(n)], indexing="ij")
    turn = 2 * np.pi * k / n
    lumen = np.zeros((n, n, n))
    for phase in range(3):
        angle = turn + 2 * np.pi * phase / 3
        center = n / 2 + n / 4 * np.cos(angle), n / 2 + n / 4 * np.sin(angle)
        lumen = np.maximum(lumen, (j - center[0]) ** 2 + (i - center[1]) ** 2 < 9)
    smooth = ndimage.gaussian_filter(lumen, 1.0)
    smooth *= (VESSEL - BACKGROUND) / smooth.max()
    noise = np.random.default_rng(0).normal(0, NOISE, smooth.shape)
    return np.asarray(np.round(BACKGROUND + smooth + noise).astype(np.int16))


def outside_cylinder(n: int = 64) -> Any:
    place = np.linspace(-1, 1, n)
    flat = place[:, None] ** 2 + place[None, :] ** 2 > 1
    return np.broadcast_to(flat, (n, n, n)).copy()
