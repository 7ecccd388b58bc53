"""The voxels of one aneurysm, cut out of a label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsema_core.grids.boxes import box_of
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.labels import VESSEL
from gsema_core.measurements.aneurysm import Line, Point
from gsema_core.measurements.interface import Floats, Integers, Mask


@dataclass(frozen=True, eq=False)
class Sac:
    """The voxels of one aneurysm.

    Args:
        mask: (k, j, i) its box.
        start: (3,) index (k, j, i) of the box in the label map.
        labels: the label map.
    """

    mask: Mask
    start: Integers
    labels: Volume

    @property
    def spacing(self) -> Floats:
        """(3,) in mm along (k, j, i), as everything in mm here until it is turned into LPS."""
        return np.array(self.labels.geometry.spacing[::-1])

    @property
    def stop(self) -> Integers:
        return self.start + self.mask.shape

    @property
    def volume_mm3(self) -> float:
        return float(np.count_nonzero(self.mask)) * self.labels.geometry.voxel_volume_mm3

    def cut_off(self) -> bool:
        """Whether it touches the label map's border."""
        return bool((self.start == 0).any() or (self.stop == self.labels.array.shape).any())

    def with_vessels(self, margin: int) -> tuple[Mask, Mask, Integers]:
        """The sac and the vessels (k, j, i), ``margin`` voxels around it, and where that begins."""
        vessel, start = self.vessels(self.start - margin, self.stop + margin)
        mask = np.zeros_like(vessel)
        mask[box_of(self.start - start, self.mask.shape)] = self.mask
        return mask, vessel, start

    def vessels(self, low: Integers, high: Integers) -> tuple[Mask, Integers]:
        """The vessels from ``low`` to before ``high``, as far as there are voxels, and the first's
        index."""
        low = np.maximum(low, 0)
        box = self.labels.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        return box == VESSEL, low


def point_lps(position: Floats, geometry: Geometry) -> Point:
    """A position (3,) in mm along (k, j, i), in LPS."""
    return point(geometry.index_to_world((position / geometry.spacing[::-1])[::-1]))


def line_lps(ends: tuple[Floats, Floats], geometry: Geometry) -> Line:
    """Both ends of a line, as ``point_lps``."""
    first, second = (point_lps(end, geometry) for end in ends)
    return first, second


def point(values: Floats) -> Point:
    """Three numbers as plain ones."""
    x, y, z = (float(value) for value in values)
    return x, y, z
