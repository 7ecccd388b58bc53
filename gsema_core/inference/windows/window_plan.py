"""Where the windows lie that the network looks through, and how much each voxel counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsema_core.grids.boxes import Box
from gsema_core.inference.windows.skipping import POOLED, bright_spots, is_plausible

Start = tuple[int, int, int]
"""First voxel (k, j, i) of a window."""
Size = tuple[int, int, int]

SIGMA = 1 / 8
"""Standard deviation of the weights as a share of the window: nnU-Net's and MONAI's value."""
LEAST_WEIGHT = 1e-3
"""Weight of a window's corners, as MONAI has it; never 0, so that voxels which only one window
sees are that window's."""

RIM = 1 / 8
"""Share of a window that is its rim on each side: a voxel there has at most a fiftieth of the
weight that it has in the neighbor which sees it best, at the default overlap. Ours."""


@dataclass(frozen=True)
class WindowChoice:
    """The windows to run.

    Attributes:
        starts: in the order of the voxels in memory.
        total: how many there are with those that are left out.
        reason: why all are run although some might have been left out, one sentence; else empty.
    """

    starts: list[Start]
    total: int
    reason: str = ""

    @property
    def skipped_share(self) -> float:
        """Share of the windows that are left out."""
        return 1 - len(self.starts) / self.total

    def to_dict(self) -> dict[str, Any]:
        """For the report."""
        return {
            "run": len(self.starts),
            "total": self.total,
            "skipped_share": round(self.skipped_share, 4),
        }


def choose_windows(
    image: npt.NDArray[np.float32], window: Size, overlap: float, *, skip: bool = True
) -> WindowChoice:
    """The windows to look through: those that may show vessels.

    A window is left out if nothing bright lies in it, as ``bright_spots`` says, but for its rim
    where a neighbor sees the same voxels and counts more: what is bright always lies well inside
    a window that is run.

    Args:
        image: (k, j, i) in [0, 1], at least as large as the window, on the working grid.
        window: size (k, j, i).
        overlap: share of a window that its neighbor covers too, 0 to below 1.
        skip: False takes all windows.
    """
    starts = all_windows(image.shape, window, overlap)
    if not skip or len(starts) == 1:
        return WindowChoice(starts, len(starts))
    spots = bright_spots(image)
    if not is_plausible(spots):
        reason = f"All windows were run, as {spots.mean():.2%} of the scan is bright."
        return WindowChoice(starts, len(starts), reason)
    rims = [int(width * min(overlap / 2, RIM)) for width in window]
    kept = [start for start in starts if spots[_spots_of(start, window, rims, image.shape)].any()]
    return WindowChoice(kept, len(starts))


def all_windows(shape: Sequence[int], window: Size, overlap: float) -> list[Start]:
    """The starts of all windows, in the order of the voxels in memory."""
    k, j, i = (
        axis_starts(length, width, overlap) for length, width in zip(shape, window, strict=True)
    )
    return list(itertools.product(k, j, i))


def _spots_of(start: Start, window: Size, rims: Sequence[int], shape: Sequence[int]) -> Box:
    """The spots in a window without its rim, which it keeps where the scan ends."""
    sides = []
    for first, width, rim, length in zip(start, window, rims, shape, strict=True):
        last = first + width
        inner = first + (rim if first > 0 else 0), last - (rim if last < length else 0)
        sides.append(slice(inner[0] // POOLED, -(-inner[1] // POOLED)))
    k, j, i = sides
    return k, j, i


def axis_starts(length: int, width: int, overlap: float) -> list[int]:
    """Starts of windows that cover ``length`` voxels with at least ``overlap``.

    The last one is moved back to end with the axis, as MONAI has it. Where the axis is shorter
    than the window, one window starts at 0: the image gets padded.
    """
    room = max(0, length - width)
    step = max(1, int(width * (1 - overlap)))
    count = math.ceil(room / step) + 1
    return [min(index * step, room) for index in range(count)]


def importance(window: Size) -> Tensor:
    """Gaussian weights (k, j, i) of a window's voxels: 1 at its center, less where it sees less."""
    axes = []
    for width in window:
        positions = torch.arange(width, dtype=torch.float32) - (width - 1) / 2
        axes.append(torch.exp(-0.5 * (positions / (width * SIGMA)) ** 2))
    weights = torch.einsum("k,j,i->kji", *axes)
    return torch.clamp(weights, min=LEAST_WEIGHT)
