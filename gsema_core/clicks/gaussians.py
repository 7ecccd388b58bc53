"""Clicks as a network sees them: a map of Gaussians for each of the two kinds of click."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

REACH = 4.0
"""Widths beyond which a Gaussian is zero: it is 0.0003 there, which no 16-bit weight tells."""


def click_channels(
    shape: Sequence[int], inside: npt.ArrayLike, outside: npt.ArrayLike, width_voxels: float
) -> npt.NDArray[np.float32]:
    """Draw clicks inside aneurysms and clicks outside them.

    Each click is a Gaussian whose peak is 1; where two overlap, the larger value counts. Drawing
    a click twice is drawing it once, and no number of clicks exceeds 1.

    Args:
        shape: (k, j, i) voxels of the window.
        inside: (n, 3) clicks on aneurysms, as voxel indices k, j, i of the window; whole numbers
            are the centers of voxels. They may lie outside the window. Empty for none.
        outside: likewise, clicks on what is no aneurysm.
        width_voxels: standard deviation of the Gaussians.

    Returns:
        (2, k, j, i): the clicks inside, then those outside.

    Example:
        >>> channels = click_channels((5, 5, 5), [(2, 2, 2)], [], width_voxels=1.0)
        >>> channels.shape, float(channels[0, 2, 2, 2]), float(channels[1].max())
        ((2, 5, 5, 5), 1.0, 0.0)
        >>> round(float(channels[0, 2, 2, 3]), 4)  # one width from the click: exp(-1 / 2)
        0.6065
    """
    if not width_voxels > 0:
        raise ValueError(f"The width of clicks is {width_voxels} voxels, expected more than 0.")
    channels = np.zeros((2, *shape), np.float32)
    for channel, points in zip(channels, (inside, outside), strict=True):
        for point in np.asarray(points, dtype=np.float64).reshape(-1, 3):
            _draw(channel, point, width_voxels)
    return channels


def _draw(channel: npt.NDArray[np.float32], point: npt.NDArray[np.float64], width: float) -> None:
    """Raise the voxels around a point to its Gaussian, the product of one along each axis."""
    box, sides = [], []
    for place, size in zip(point, channel.shape, strict=True):
        first = max(int(np.ceil(place - REACH * width)), 0)
        last = min(int(np.floor(place + REACH * width)), size - 1)
        if last < first:
            return
        box.append(slice(first, last + 1))
        sides.append(np.exp(-0.5 * ((np.arange(first, last + 1) - place) / width) ** 2))
    k, j, i = sides
    part = channel[tuple(box)]
    np.maximum(part, k[:, None, None] * j[:, None] * i, out=part, casting="same_kind")
