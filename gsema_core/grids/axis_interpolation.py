"""Interpolation between grids with parallel axes: linear, on one axis after the other.

A working grid has its scan's axes, in another order and sense. So a line of voxels lies on a line
of the other grid's, and each axis is interpolated on its own: the same result as in three
dimensions at once, for a fraction of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gsema_core.grids.geometry import Geometry

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Line:
    """Where the voxels along one axis of a target lie in a source.

    Attributes:
        axis: of the source's array.
        length: the source's voxels along that axis.
        places: of the target's voxel centers, in source voxels.
    """

    axis: int
    length: int
    places: npt.NDArray[np.float64]

    def part(self, target: slice) -> Line:
        """The line for some of the target's voxels."""
        return replace(self, places=self.places[target])

    @property
    def outside(self) -> npt.NDArray[np.bool_]:
        """Which of the target's voxels have no source voxel around their center."""
        # A millionth of a voxel is rounding.
        return (self.places < -0.5 - 1e-6) | (self.places > self.length - 0.5 + 1e-6)

    @property
    def source(self) -> slice:
        """The source voxels that the target's are interpolated from."""
        first, _ = self._below
        return slice(int(first.min()), min(int(first.max()) + 2, self.length))

    def interpolate(self, values: Floats, start: int = 0) -> Floats:
        """Interpolate along the axis; beyond the source's outermost centers the edge continues.

        Args:
            values: the source's, or a part of them with all voxels of ``source``.
            start: the source voxel that they begin with.
        """
        first, share = self._below
        last = np.minimum(first + 1, self.length - 1)
        shape = [1, 1, 1]
        shape[self.axis] = -1
        share = share.reshape(shape)
        result = values.take(last - start, self.axis) * share
        result += values.take(first - start, self.axis) * (1 - share)
        return np.asarray(result)

    @cached_property
    def _below(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """The source voxel below each of the target's centers, and how far above it they lie."""
        within = np.clip(self.places, 0, self.length - 1)
        first = np.floor(within).astype(np.int64)
        return first, (within - first).astype(np.float32)


def lines_between(source: Geometry, target: Geometry) -> tuple[Line, Line, Line]:
    """The lines of a target's axes (k, j, i) in a source.

    Raises:
        ValueError: the grids' axes are not parallel.
    """
    turn = np.linalg.inv(source.direction_matrix) @ target.direction_matrix
    axes = np.abs(turn).argmax(axis=0)
    signs = np.sign(turn[axes, range(3)])
    if not np.allclose(turn, np.eye(3)[:, axes] * signs, atol=1e-4):
        raise ValueError("The axes of the two grids are not parallel.")
    start = source.world_to_index(target.origin)
    i, j, k = (
        Line(
            int(2 - axis),
            source.size[axis],
            start[axis] + np.arange(length) * sign * step / source.spacing[axis],
        )
        for axis, sign, length, step in zip(axes, signs, target.size, target.spacing, strict=True)
    )
    return k, j, i


def interpolate(values: Floats, lines: Sequence[Line], starts: Sequence[int] = (0, 0, 0)) -> Floats:
    """Interpolate a part of a source's voxels; 0 outside the source.

    Args:
        values: (k, j, i) of the source.
        lines: of the target's axes (k, j, i).
        starts: the source voxels that ``values`` begin with, along the source's axes.

    Returns:
        (k, j, i) of the target.
    """
    for line in lines:
        values = line.interpolate(values, starts[line.axis])
    result = values.transpose([line.axis for line in lines])
    for axis, line in enumerate(lines):
        if line.outside.any():
            result[(slice(None),) * axis + (line.outside,)] = 0.0
    return result
