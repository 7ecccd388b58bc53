from __future__ import annotations

import numpy as np
import pytest
from made_scan import made_scan, outside_cylinder
from scipy import ndimage

from gsema_core.intensities.fill import find_fill, without_fill

VALUES = (-32768, -3024, -2000, -1024, -500, 9000, 32767, 63536, 65535)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("turn", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fill_outside_a_cylinder_is_found(value: int, turn: tuple[int, int, int]) -> None:
    outside = outside_cylinder().transpose(turn)
    scan = np.where(outside, value, made_scan().astype(np.int32))
    (fill,), levels = find_fill(scan)
    assert (fill.value, fill.share) == (value, pytest.approx(outside.mean()))
    mended = without_fill(scan, [value], levels)
    assert (mended[outside] == round(levels.background)).all()
    assert (mended[~outside] == scan[~outside]).mean() > 0.999


def test_half_of_a_volume_and_several_values_may_be_fill() -> None:
    scan = made_scan().astype(np.int32)
    scan[:12], scan[12:20], scan[:, :, :12] = -2000, 0, 65535
    fills, levels = find_fill(scan)
    assert sorted(fill.value for fill in fills) == [-2000, 0, 65535]
    assert sum(fill.share for fill in fills) == pytest.approx(0.44, abs=0.01)
    assert levels.contrast == pytest.approx(1000, rel=0.15)


def test_fill_as_bright_as_vessels_is_told_by_the_faces_that_it_covers() -> None:
    scan = np.where(outside_cylinder(), 1000, made_scan())
    assert [fill.value for fill in find_fill(scan)[0]] == [1000]
    inside = made_scan()
    inside[20:40, 20:40, 20:40] = 1000  # a saturated giant aneurysm, far from any face
    assert find_fill(inside)[0] == []


def test_what_leads_from_fill_to_image_goes_with_it() -> None:
    share = ndimage.uniform_filter(outside_cylinder().astype(float), 3)
    for value in (-2000, 65535):
        scan = np.round(made_scan() * (1 - share) + value * share)
        (fill,), levels = find_fill(scan)
        mended = without_fill(scan, [fill.value], levels)
        assert levels.low - 0.2 * levels.contrast < mended.min()
        assert mended.max() <= levels.background + 3 * levels.contrast


@pytest.mark.parametrize("name", ["as it is", "noise clamped", "saturated", "8 bits", "masked"])
def test_a_scan_without_fill_has_none(name: str) -> None:
    scan = made_scan().astype(np.int32)
    scan = {
        "as it is": scan,
        "noise clamped": np.maximum(scan - 100, 0),  # half of all voxels are 0
        "saturated": np.minimum(scan, 700),
        "8 bits": np.clip(scan // 5, 0, 255).astype(np.uint8),
        "masked": np.where(scan > 400, scan, 0),  # thresholded: 0 is the background itself
    }[name]
    assert find_fill(scan)[0] == []
