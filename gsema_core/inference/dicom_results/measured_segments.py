"""The segments of a result: the vessels, and each aneurysm on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from highdicom import UID

from gsema_core.grids import Volume
from gsema_core.labels import ANEURYSM, NAMES, VESSEL
from gsema_core.measurements import Aneurysm


@dataclass(frozen=True)
class MeasuredSegment:
    """One segment, by the same name and identifier in every object.

    Attributes:
        number: its value in the array, from 1 on.
        label: vessel or aneurysm.
        volume_ml: of its voxels.
        aneurysm: its measurements; None for the vessels.
    """

    number: int
    label: int
    name: str
    uid: str
    volume_ml: float
    aneurysm: Aneurysm | None = None


def segments_of(
    labels: Volume, numbers: npt.NDArray[Any], aneurysms: list[Aneurysm]
) -> tuple[npt.NDArray[Any], list[MeasuredSegment]]:
    """The segments, and the array (k, j, i) that they fill; 0 is none.

    The vessels come first. Where there are none they have no segment, unless nothing else is
    there: then they are one that is empty.

    Args:
        numbers: (k, j, i) 0, or the index of the aneurysm that a voxel is of.
    """
    vessel = labels.array == VESSEL
    voxels = int(np.count_nonzero(vessel))
    segments = []
    if voxels or not aneurysms:
        volume = voxels * labels.geometry.voxel_volume_mm3 / 1000
        segments.append(MeasuredSegment(1, VESSEL, NAMES[VESSEL], UID(), volume))
    first = len(segments)
    array = vessel.astype(np.min_scalar_type(len(aneurysms) + first))
    inside = numbers > 0
    array[inside] = numbers[inside]
    array[inside] += first  # in the array's type, which is large enough
    for one in aneurysms:
        name = f"{NAMES[ANEURYSM]} {one.index}"
        number = one.index + first
        segments.append(MeasuredSegment(number, ANEURYSM, name, UID(), one.volume_ml, one))
    return array, segments
