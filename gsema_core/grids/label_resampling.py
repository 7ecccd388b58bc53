"""A label map brought to any other grid in the patient's space, be it turned, finer or coarser."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.grids.working_grid import MINIMUM_SHARE, blur_sigma
from gsema_core.labels import BACKGROUND

PLANE_POINTS = 2**20
"""Voxels whose places are held at once: 24 MB. Our choice."""


def labels_on_grid(labels: Volume, grid: Geometry) -> Volume:
    """Resample a label map by the share of each voxel that a class fills.

    The rule of ``labels_to_working``: a voxel is background unless at least half of it is filled;
    then the class that fills most of it wins. Shares are low-passed along the axes that get
    coarser, then interpolated linearly. Beyond the label map's own box all is background.

    Returns:
        On ``grid``, in the type of the label map; the very same labels where the grids are one.

    Example:
        >>> part = Volume(np.ones((1, 1, 2), np.uint8), Geometry((2, 1, 1)))
        >>> labels_on_grid(part, Geometry((4, 1, 1), (0.5, 1, 1), (-0.25, 0, 0))).array.tolist()
        [[[1, 1, 1, 1]]]
    """
    best, filled = (np.zeros(grid.shape, np.float32) for _ in range(2))
    winner = np.zeros(grid.shape, labels.array.dtype)
    for value in np.unique(labels.array[labels.array != BACKGROUND]):
        share = _share((labels.array == value).astype(np.float32), labels.geometry, grid)
        winner[share > best] = value
        np.maximum(best, share, out=best)
        filled += share
    winner[filled < MINIMUM_SHARE - 1e-4] = BACKGROUND  # rounding does not take half a voxel away
    return Volume(winner, grid)


def _share(mask: Floats, source: Geometry, target: Geometry) -> Floats:
    """(k, j, i) of the target: how much of each voxel the mask fills."""
    turn = np.linalg.inv(source.direction_matrix) @ target.direction_matrix
    # How far a step to the target's next voxel is along each of the source's axes (i, j, k).
    steps = np.linalg.norm(turn * target.spacing, axis=1)
    sigmas = [blur_sigma(old, new) for old, new in zip(source.spacing, steps, strict=True)]
    mask = ndimage.gaussian_filter(mask, sigmas[::-1], mode="nearest", truncate=3.0)
    share = np.zeros(target.shape, np.float32)
    planes = max(1, PLANE_POINTS // (target.size[0] * target.size[1]))
    for first in range(0, target.size[2], planes):
        kji = np.mgrid[
            first : min(first + planes, target.size[2]), : target.size[1], : target.size[0]
        ]
        points = target.index_to_world(kji[::-1].reshape(3, -1).T)
        places = source.world_to_index(points)
        within = ((places > -0.5 - 1e-3) & (places < np.array(source.size) - 0.5 + 1e-3)).all(
            axis=1
        )
        if within.any():
            flat = share[first : first + planes].reshape(-1)
            flat[within] = ndimage.map_coordinates(
                mask, places[within, ::-1].T, order=1, mode="nearest"
            )
    return share
