from __future__ import annotations

import numpy as np
import pytest
from made_scan import made_scan

from gsema_core.intensities.levels import Levels
from gsema_core.intensities.outliers import find_outliers, without_outliers

LEVELS = Levels(background=100, low=90, contrast=1000)


def test_an_image_has_none() -> None:
    assert find_outliers(made_scan(), LEVELS).size == 0


@pytest.mark.parametrize("value", [32767, -32768, 3000, -1900])
def test_scattered_voxels_take_the_mean_of_those_beside_them(value: int) -> None:
    clean, scan = made_scan(), made_scan()
    scan[30, 30, 30] = scan[5, 40, 7] = scan[5, 40, 8] = scan[0, 0, 0] = scan[63, 63, 63] = value
    found = find_outliers(scan, LEVELS)
    changed = np.flatnonzero(scan != clean)
    assert found.tolist() == changed.tolist()
    mended = without_outliers(scan, found, LEVELS)
    beside = [clean[k, j, i] for k, j, i in (
        (29, 30, 30), (31, 30, 30), (30, 29, 30), (30, 31, 30), (30, 30, 29), (30, 30, 31),
    )]  # fmt: skip
    assert mended[30, 30, 30] == int(np.mean(beside))
    assert np.abs(mended.astype(int) - clean).max() < 50
    assert scan[30, 30, 30] == value


def test_one_percent_at_both_ends_leaves_the_image() -> None:
    clean, scan = made_scan(), made_scan()
    random = np.random.default_rng(3)
    chosen = random.choice(scan.size, scan.size // 50, replace=False)
    scan.reshape(-1)[chosen] = random.choice([-32768, 32767], chosen.size)
    mended = without_outliers(scan, find_outliers(scan, LEVELS), LEVELS)
    away = np.abs(mended.astype(int) - clean)
    assert (away > 500).sum() < 5
    assert away.mean() < 1


def test_lumps_are_filled_from_outside_in() -> None:
    clean, scan = made_scan(), made_scan()
    scan[2:9, 2:9, 2:9] = 30000
    mended = without_outliers(scan, find_outliers(scan, LEVELS), LEVELS)
    assert np.abs(mended[2:9, 2:9, 2:9] - 100.0).max() < 40
    assert (mended[20:] == clean[20:]).all()


def test_where_nothing_is_left_beside_them_they_become_background() -> None:
    scan = np.full((4, 4, 4), 30000, np.int16)
    assert (without_outliers(scan, np.arange(scan.size), LEVELS) == 100).all()


def test_what_fills_more_than_metal_does_is_left_alone() -> None:
    scan = made_scan()
    scan[:, 10:20, 10:20] = 30000
    assert find_outliers(scan, LEVELS).size == 0


def test_a_thin_vessel_is_no_row_of_outliers() -> None:
    scan = np.full((20, 20, 20), 100, np.int16)
    scan[10, 10, 2:18] = 1150
    assert set(find_outliers(scan, LEVELS).tolist()) <= {
        int(np.ravel_multi_index((10, 10, end), scan.shape)) for end in (2, 17)
    }
