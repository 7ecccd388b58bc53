"""Looks through a volume for voxels that are not numbers, a few milliseconds at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import qt
import slicer.util
from slicer.i18n import tr as _

VOXELS_A_STEP = 4_000_000
"""About 5 ms on one core, measured on float32: shorter than a frame of the views. Ours."""


class VoxelCheck:
    """Looks at volumes of floating-point numbers between the events of Qt; others need no look.

    Args:
        onProblem: called when a volume turns out to have voxels that are not numbers.

    Attributes:
        problem: one sentence about the volume that was looked at last; empty where it is good,
            or not yet known.
    """

    def __init__(self, onProblem: Callable[[], None]) -> None:
        self._onProblem = onProblem
        self._key: tuple[str, int] | None = None
        self._steps: Iterator[bool] = iter(())
        self._name = ""
        self.problem = ""
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._step)

    @property
    def isDone(self) -> bool:
        return not self._timer.active

    def look(self, volumeNode: Any) -> None:
        """Begin with a volume, unless its present content was looked at already; None stops."""
        image = volumeNode.GetImageData() if volumeNode is not None else None
        key = (volumeNode.GetID(), image.GetMTime()) if image is not None else None
        if key == self._key:
            return
        self._key, self.problem = key, ""
        self._timer.stop()
        if key is None or image.GetPointData().GetScalars() is None:
            return
        array = slicer.util.arrayFromVolume(volumeNode)
        if np.issubdtype(array.dtype, np.floating):
            self._name = volumeNode.GetName()
            self._steps = _areFinite(array)
            self._timer.start()

    def stop(self) -> None:
        """Let go of the volume."""
        self.look(None)
        self._steps = iter(())

    def _step(self) -> None:
        isFinite = next(self._steps, None)
        if isFinite:
            return
        self._timer.stop()
        self._steps = iter(())  # lets the voxels go
        if isFinite is False:
            self.problem = _(
                "{name} has voxels that are not numbers: load it again, or replace them."
            ).format(name=self._name)
            self._onProblem()


def _areFinite(array: np.ndarray) -> Iterator[bool]:
    flat = array.reshape(-1)  # Slicer's arrays are contiguous: a view
    for start in range(0, flat.size, VOXELS_A_STEP):
        yield bool(np.isfinite(flat[start : start + VOXELS_A_STEP]).all())
