"""Smooth random fields."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float32]


def smooth_field(
    shape: tuple[int, int, int], sigma_voxels: float, rng: np.random.Generator
) -> Floats:
    """Return a smooth Gaussian random field of mean 0 and standard deviation 1."""
    # Drawn coarse and magnified: a wide filter on the full grid costs seconds.
    step = max(1, int(sigma_voxels // 2))
    coarse_shape = [n // step + 4 for n in shape]
    coarse = ndimage.gaussian_filter(
        rng.standard_normal(coarse_shape), sigma_voxels / step, mode="wrap"
    )
    coarse = (coarse - coarse.mean()) / coarse.std()
    fine = ndimage.zoom(coarse.astype(np.float32), step, order=1) if step > 1 else coarse
    return np.asarray(fine[: shape[0], : shape[1], : shape[2]], dtype=np.float32)
