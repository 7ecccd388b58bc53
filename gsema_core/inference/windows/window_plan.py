"""Where the windows lie that the network looks through: decided once, before any is run.

A scan that is smaller than a window is padded; windows then cover the padded image with overlap,
and those that show no vessel are left out. `plan_windows` decides all of it, and everything that
runs the windows and puts their answers together takes its plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from monai.data.utils import dense_patch_slices

from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.boxes import Box, box_of
from gsema_core.inference.windows.skipping import bright_spots, is_plausible
from gsema_core.intensities.appearance import POOLED

Start = tuple[int, int, int]
"""First voxel (k, j, i) of a window in the padded image."""
Size = tuple[int, int, int]

RIM = 1 / 8
"""Share of a window that is its rim on each side: a voxel there has at most a fiftieth of the
weight that it has in the neighbor which sees it best, at the default overlap. Ours."""


@dataclass(frozen=True)
class WindowPlan:
    """The windows to run over a padded image.

    Attributes:
        window: size (k, j, i) of the windows.
        shape: (k, j, i) of the padded image.
        inside: where the image itself lies in it.
        starts: of the windows to run, in the order of the voxels in memory.
        total: how many there are with those that are left out.
        reason: why all are run although some might have been left out, one sentence; else empty.
    """

    window: Size
    shape: Size
    inside: Box
    starts: tuple[Start, ...]
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


def plan_windows(
    image: npt.ArrayLike, window: Size, overlap: float, *, skip: bool = False
) -> tuple[WindowPlan, Floats]:
    """Pad an image and choose the windows to look at it through.

    Args:
        image: (k, j, i) in [0, 1] on the working grid.
        window: size (k, j, i).
        overlap: share of a window that its neighbor covers too, 0 to below 1.
        skip: leave out the windows that show nothing bright, but for their rims where a neighbor
            sees the same voxels and counts more (``inference.windows.skipping``): what is bright
            always lies well inside a window that is run.

    Returns:
        The plan, and the padded image; the image itself where none was needed.
    """
    padded, inside = pad_to_window(np.asarray(image, dtype=np.float32), window)
    k, j, i = padded.shape
    starts, reason = all_windows(padded.shape, window, overlap), ""
    total = len(starts)
    if skip and total > 1:
        spots = bright_spots(padded)
        if is_plausible(spots):
            starts = _windows_with(spots, starts, window, overlap, padded.shape)
        else:
            reason = f"All windows were run, as {spots.mean():.2%} of the scan is bright."
    return WindowPlan(window, (k, j, i), inside, tuple(starts), total, reason), padded


def pad_to_window(image: Floats, window: Size) -> tuple[Floats, Box]:
    """Continue axes that are shorter than the window by mirror images, evenly on both sides.

    A network that has learned from full windows takes a dark frame for something: on three
    phantoms of 40 mm in windows of 56 mm, once, by hand, the vessels' Dice was 0.84 with mirror
    images and 0.50 with zeros, the aneurysms' 0.79 and 0.88.

    Args:
        image: (k, j, i).
        window: size (k, j, i).

    Returns:
        The padded image, and where the original lies in it.
    """
    missing = [max(0, w - n) for n, w in zip(image.shape, window, strict=True)]
    before = [amount // 2 for amount in missing]
    inside = box_of(before, image.shape)
    if any(missing):  # else no copy is needed
        pairs = [(first, amount - first) for first, amount in zip(before, missing, strict=True)]
        # NumPy's mirror goes on where the padding is as wide as the image; PyTorch's stops.
        image = np.pad(image, pairs, mode="symmetric")
    return image, inside


def all_windows(shape: Sequence[int], window: Size, overlap: float) -> list[Start]:
    """The starts of windows that overlap at least so much, in the order of the voxels in memory.

    The last one along an axis is moved back to end with it.
    """
    steps = [max(1, int(width * (1 - overlap))) for width in window]
    boxes = dense_patch_slices(shape, window, steps)
    return [(int(k.start), int(j.start), int(i.start)) for k, j, i in boxes]


def _windows_with(
    spots: npt.NDArray[np.bool_],
    starts: Sequence[Start],
    window: Size,
    overlap: float,
    shape: Sequence[int],
) -> list[Start]:
    """The windows that have spots, their rims not counted."""
    rims = [int(width * min(overlap / 2, RIM)) for width in window]
    return [start for start in starts if spots[_spots_of(start, window, rims, shape)].any()]


def _spots_of(start: Start, window: Size, rims: Sequence[int], shape: Sequence[int]) -> Box:
    """The spots in a window without its rim, which it keeps where the scan ends."""
    sides = []
    for first, width, rim, length in zip(start, window, rims, shape, strict=True):
        last = first + width
        inner = first + (rim if first > 0 else 0), last - (rim if last < length else 0)
        sides.append(slice(inner[0] // POOLED, -(-inner[1] // POOLED)))
    k, j, i = sides
    return k, j, i
