from __future__ import annotations

import numpy as np
import pytest
from made_scan import made_scan, outside_cylinder

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume, to_working
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.prepared_scan import prepare

GRID = Geometry((64, 64, 64), (0.4, 0.4, 0.4))


def test_a_scan_is_scaled_between_its_percentiles() -> None:
    scan = Volume(made_scan(), GRID)
    prepared = prepare(scan, 0.5, IntensityRule())
    working = to_working(scan, 0.5).array
    assert prepared.bounds == tuple(np.percentile(working, (1, 99.99)).astype(np.float32))
    assert prepared.scan.array is scan.array
    assert (prepared.working.array.min(), prepared.working.array.max()) == (0, 1)


@pytest.mark.parametrize("value", [-32768, -2000, 0, 65535])
def test_fill_moves_the_range_no_further_than_noise_does(value: int) -> None:
    clean = prepare(Volume(made_scan(), GRID), 0.5, IntensityRule())
    filled = np.where(outside_cylinder(), value, made_scan().astype(np.int32))
    prepared = prepare(Volume(filled, GRID), 0.5, IntensityRule())
    assert prepared.bounds == pytest.approx(clean.bounds, rel=0.03, abs=10)


def test_half_of_it_fill_counts_for_no_percentile() -> None:
    values = np.arange(1000.0)
    half = np.concatenate([values, np.full(1000, np.median(values))])
    rule = IntensityRule(10, 90)
    assert rule.bounds(half, fill_share=0.5) == pytest.approx(rule.bounds(values), abs=1)


def test_voxels_that_are_not_finite_are_refused() -> None:
    array = made_scan().astype(np.float32)
    array[3, 3, 3] = np.nan
    with pytest.raises(UserError, match="not finite"):
        prepare(Volume(array, GRID), 0.5, IntensityRule())
