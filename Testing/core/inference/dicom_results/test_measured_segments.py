"""The vessels, and each aneurysm on its own."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.dicom_results.measured_segments import segments_of
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import aneurysm_numbers, measure_aneurysms


@pytest.mark.parametrize("count", [0, 1, 254, 255, 256, 300])
@pytest.mark.parametrize("vessel", [True, False])
def test_segments_of_any_number(count: int, vessel: bool) -> None:
    """Where numbers outgrow a byte, too."""
    array = np.zeros((3, 21, 2 * 301), np.uint8)
    array[1, 1, 1 : 2 * count : 2] = ANEURYSM
    if vessel:
        array[:, 10] = VESSEL
    labels = Volume(array, Geometry(array.shape[::-1], (0.5, 0.5, 0.5)))
    filled, segments = segments_of(labels, aneurysm_numbers(labels), measure_aneurysms(labels))
    first = int(vessel or not count)
    assert [one.number for one in segments] == list(range(1, count + first + 1))
    assert [one.name for one in segments[first:]] == [f"Aneurysm {n + 1}" for n in range(count)]
    assert len({one.uid for one in segments}) == len(segments)
    sizes = np.bincount(filled.reshape(-1), minlength=len(segments) + 1)
    assert sizes[1:].tolist() == [int(vessel) * 3 * 602] * first + [1] * count
    for one in segments:
        assert one.volume_ml == pytest.approx(sizes[one.number] * 0.125 / 1000)
