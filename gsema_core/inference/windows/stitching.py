"""The answers of overlapping windows, put together slab by slab."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.inference.shares import FULL, Shares
from gsema_core.inference.windows.window_plan import Size, Start, WindowPlan
from gsema_core.labels import CLASSES

FOREGROUND = CLASSES - 1

SIGMA = 1 / 8
"""Standard deviation of the weights as a share of the window: nnU-Net's and MONAI's value."""
LEAST_WEIGHT = 1e-3
"""Weight of a window's corners, as MONAI has it; never 0, so that voxels which only one window
sees are that window's."""

NOTHING = 1e-3
"""A row of voxels in which all classes but the background are together never as likely as this
is 0 in a 16-bit result. Such rows make most of a scan, and memory that is never written is never
taken. Ours."""


class Stitcher:
    """Sums up windows that come in the order of their first axis.

    Only the planes under the current windows are held as sums. Planes that no later window
    reaches are finished at once: divided by their weights and put into the result.

    Args:
        plan: of the windows; what is wanted is the image inside its padding.
        sixteen_bits: whether the result counts in 1 / ``FULL``; else it is float32.
    """

    def __init__(self, plan: WindowPlan, *, sixteen_bits: bool = False) -> None:
        lengths = [side.stop - side.start for side in plan.inside]
        dtype = np.uint16 if sixteen_bits else np.float32
        self._result: Shares = np.zeros((FOREGROUND, *lengths), dtype=dtype)
        self._inside, self._window = plan.inside, plan.window
        self._weight = importance(plan.window)
        self._first = 0  # the image's plane that the sums begin with
        self._sums = torch.zeros((plan.window[0], FOREGROUND, *plan.shape[1:]))
        self._starts: list[Start] = []  # of the windows in the sums

    def add(self, start: Start, probabilities: Tensor) -> None:
        """Add a window's class probabilities (3, k, j, i), background first.

        Raises:
            UserError: they are not finite.
            ValueError: the window comes before another that was added.
        """
        if not bool(probabilities.sum().isfinite()):
            raise UserError(
                "The model's answer is not finite: try the precision fp32, or another model."
            )
        if start[0] < self._first:
            raise ValueError(f"The window at {start} comes after planes from {self._first} on.")
        self._finish_planes(start[0] - self._first)
        _, j, i = (slice(first, first + n) for first, n in zip(start, self._window, strict=True))
        self._sums[:, :, j, i].addcmul_(probabilities[1:].movedim(1, 0), self._weight[:, None])
        self._starts.append(start)

    def finish(self) -> Shares:
        """The result, once all windows are in.

        Returns:
            (classes without background, k, j, i) of the wanted part; 0 where no window was.
        """
        self._finish_planes(self._window[0])
        return self._result

    def _finish_planes(self, count: int) -> None:
        """Finish the first planes and move the sums on, beyond the window if it must be."""
        done = min(count, len(self._sums))
        for plane in range(done):
            self._put(self._first + plane, self._sums[plane])
        for plane in range(len(self._sums) - done):
            self._sums[plane] = self._sums[plane + done]
        self._sums[len(self._sums) - done :] = 0.0
        self._first += count
        self._starts = [one for one in self._starts if one[0] + self._window[0] > self._first]

    def _put(self, k: int, sums: Tensor) -> None:
        along_k, j, i = self._inside
        if not along_k.start <= k < along_k.stop:
            return
        shares = (sums / self._weights(k, sums.shape[1:]))[:, j, i].clamp(max=1.0).numpy()
        target = self._result[:, k - along_k.start]
        if target.dtype == np.float32:
            target[:] = shares
        else:
            rows = (shares.sum(axis=0) > NOTHING).any(axis=1)
            # Up: what is above one half stays above, where two windows contradict each other.
            target[:, rows] = np.ceil(shares[:, rows] * FULL)

    def _weights(self, k: int, shape: Sequence[int]) -> Tensor:
        """What the sums of a plane are divided by; made when needed, to save memory."""
        # Where no window looked the sums are 0, whatever they are divided by.
        weights = torch.full(tuple(shape), torch.finfo(torch.float32).tiny)
        _, height, width = self._window
        for first, j, i in self._starts:
            if first <= k < first + self._window[0]:
                weights[j : j + height, i : i + width] += self._weight[k - first]
        return weights


def importance(window: Size) -> Tensor:
    """Gaussian weights (k, j, i) of a window's voxels: 1 at its center, less where it sees less."""
    axes = []
    for width in window:
        positions = torch.arange(width, dtype=torch.float32) - (width - 1) / 2
        axes.append(torch.exp(-0.5 * (positions / (width * SIGMA)) ** 2))
    weights = torch.einsum("k,j,i->kji", *axes)
    return torch.clamp(weights, min=LEAST_WEIGHT)
