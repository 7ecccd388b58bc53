"""Where the windows lie that the network looks through, and how much each voxel counts."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

Start = tuple[int, int, int]
"""First voxel (k, j, i) of a window."""
Size = tuple[int, int, int]

SIGMA = 1 / 8
"""Standard deviation of the weights as a share of the window: nnU-Net's and MONAI's value."""
LEAST_WEIGHT = 1e-3
"""Weight of a window's corners, as MONAI has it; never 0, so that voxels which only one window
sees are that window's."""


def choose_windows(image: Tensor, window: Size, overlap: float) -> list[Start]:
    """The windows to look through, in the order of the voxels in memory.

    All of them, for now as for any image whose content says nothing about where vessels are.

    Args:
        image: (k, j, i), the scan on the working grid.
        window: size (k, j, i).
        overlap: share of a window that its neighbor covers too, 0 to below 1.
    """
    k, j, i = (
        axis_starts(length, width, overlap)
        for length, width in zip(image.shape, window, strict=True)
    )
    return list(itertools.product(k, j, i))


def axis_starts(length: int, width: int, overlap: float) -> list[int]:
    """Evenly spread starts of windows that cover ``length`` voxels with at least ``overlap``.

    Where the axis is shorter than the window, one window starts at 0: the image gets padded.
    """
    room = max(0, length - width)
    step = max(1.0, width * (1 - overlap))
    count = math.ceil(room / step) + 1
    return [round(index * room / max(1, count - 1)) for index in range(count)]


def importance(window: Size) -> Tensor:
    """Gaussian weights (k, j, i) of a window's voxels: 1 at its center, less where it sees less."""
    axes = []
    for width in window:
        positions = torch.arange(width, dtype=torch.float32) - (width - 1) / 2
        axes.append(torch.exp(-0.5 * (positions / (width * SIGMA)) ** 2))
    weights = torch.einsum("k,j,i->kji", *axes)
    return torch.clamp(weights, min=LEAST_WEIGHT)
