from __future__ import annotations

import numpy as np
import pytest
from made_scan import BACKGROUND, NOISE, VESSEL, made_scan

from gsema_core.intensities.levels import LEAST_CONTRAST, find_levels

NONE = np.empty(0, np.int16)


def test_levels_are_those_that_the_scan_was_made_of() -> None:
    levels = find_levels(made_scan(), NONE)
    assert levels.background == pytest.approx(BACKGROUND, abs=3)
    assert BACKGROUND - 2 * NOISE < levels.low < BACKGROUND
    assert levels.contrast == pytest.approx(VESSEL - BACKGROUND, rel=0.15)


@pytest.mark.parametrize("slope, intercept", [(0.25, -20.0), (3.0, 1000.0)])
def test_levels_follow_the_unit(slope: float, intercept: float) -> None:
    scan = made_scan().astype(np.float64)
    one, other = find_levels(scan, NONE), find_levels(scan * slope + intercept, NONE)
    assert other.background == pytest.approx(one.background * slope + intercept)
    assert other.contrast == pytest.approx(one.contrast * slope, rel=1e-4)


@pytest.mark.parametrize("value", [32767, -32768])
@pytest.mark.parametrize("lump", [False, True])
def test_neither_scattered_voxels_nor_a_lump_move_them(value: int, lump: bool) -> None:
    scan = made_scan()
    before = find_levels(scan, NONE)
    if lump:
        scan[20:27, 20:27, 20:27] = value
    else:
        chosen = np.random.default_rng(1).choice(scan.size, scan.size // 100, replace=False)
        scan.reshape(-1)[chosen] = value
    after = find_levels(scan, NONE)
    assert after.background == pytest.approx(before.background, abs=2)
    assert after.low == pytest.approx(before.low, abs=5)
    assert after.contrast == pytest.approx(before.contrast, rel=0.1)


def test_constants_are_not_looked_at() -> None:
    scan = made_scan()
    before = find_levels(scan, NONE)
    scan[:, :, :20] = -3000
    after = find_levels(scan, np.array([-3000], np.int16))
    assert after.background == pytest.approx(before.background, abs=2)
    assert after.low == pytest.approx(before.low, abs=5)


def test_noise_has_the_contrast_that_one_would_just_see() -> None:
    noise = np.random.default_rng(2).normal(0, 7, (40, 40, 40))
    assert find_levels(noise, NONE).contrast == pytest.approx(LEAST_CONTRAST * 7, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 30), (2, 3, 4), (9, 1, 200)])
def test_any_shape_has_levels(shape: tuple[int, int, int]) -> None:
    levels = find_levels(np.full(shape, 5, np.int16), NONE)
    assert (levels.background, levels.low, levels.contrast) == (5, 5, 0)
