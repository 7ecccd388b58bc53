"""Voxels put back where they were cut out."""

from __future__ import annotations

import numpy as np

from gsema_core.grids.geometry import GRID_TOLERANCE_MM, Geometry
from gsema_core.grids.volume import Volume


def put_on_grid(labels: Volume, grid: Geometry) -> Volume | None:
    """Put a label map onto a larger or smaller grid whose voxels are the same; 0 elsewhere.

    Returns:
        None where the voxels of the two grids do not lie on each other, or a label would be lost.

    Example:
        >>> part = Volume(np.ones((1, 1, 1), np.uint8), Geometry((1, 1, 1), origin=(1.0, 0.0, 0.0)))
        >>> put_on_grid(part, Geometry((3, 1, 1))).array.tolist()
        [[[0, 1, 0]]]
    """
    first = np.round(grid.world_to_index(labels.geometry.origin)).astype(int)
    origin = tuple(grid.index_to_world(first))
    same = Geometry(labels.geometry.size, grid.spacing, origin, grid.direction)
    if not same.is_close(labels.geometry, GRID_TOLERANCE_MM):
        return None
    start = np.maximum(first, 0)
    end = np.maximum(np.minimum(first + labels.geometry.size, grid.size), start)
    there, here = (
        tuple(slice(a, b) for a, b in zip((start - shift)[::-1], (end - shift)[::-1], strict=True))
        for shift in (0, first)
    )
    array = np.zeros(grid.shape, labels.array.dtype)
    array[there] = labels.array[here]
    if np.count_nonzero(array) != np.count_nonzero(labels.array):
        return None
    return Volume(array, grid)
