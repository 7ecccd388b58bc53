from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.inference.click.cutting import cut_off

K, J, I = np.indices((24, 32, 48))  # noqa: E741
SAC = (K - 12) ** 2 + (J - 12) ** 2 + (I - 24) ** 2 <= 6**2
VESSEL = (K - 12) ** 2 + (J - 21) ** 2 <= 4**2
SURE = np.ones(SAC.shape, np.float32)
MIDDLE = [(12, 12, 24)]


@pytest.mark.parametrize("outside", [(12, 21, 24), (12, 21, 40), (13, 23, 10)])
def test_the_cut_lies_at_the_neck(outside: Any) -> None:
    """Wherever the vessel was clicked that a sac had grown into, on both sides of it."""
    kept = cut_off(SAC | VESSEL, SURE, MIDDLE, [outside])
    assert not kept[outside]
    assert (kept ^ SAC).sum() < 0.02 * SAC.sum()


def test_where_the_network_doubts_a_cut_costs_less() -> None:
    tube = (K - 12) ** 2 + (J - 12) ** 2 <= 4**2
    doubt = np.where(np.abs(I - 30) <= 1, np.float32(0.6), SURE)
    kept = cut_off(tube, doubt, [(12, 12, 5)], [(12, 12, 43)])
    assert 29 <= I[kept].max() <= 31
    assert kept.sum() == (tube & (I[:1, :1] <= I[kept].max())).sum()


@pytest.mark.parametrize("at", [28, 27])
def test_without_a_neck_the_end_beyond_the_click_is_taken_and_no_hole_left(at: int) -> None:
    kept = cut_off(SAC, SURE, MIDDLE, [(12, 12, at)])
    assert not kept[12, 12, at:].any()
    assert kept[MIDDLE[0]]
    filled = ndimage.binary_fill_holes(kept)
    assert (filled == kept).all()


def test_all_clicks_inside_stay() -> None:
    inside = [*MIDDLE, (12, 12, 29), (12, 17, 24)]
    kept = cut_off(SAC | VESSEL, SURE, inside, [(12, 12, 26), (12, 21, 24)])
    assert all(kept[voxel] for voxel in inside)
    assert not kept[12, 12, 26]
    assert not kept[12, 21, 24]


def test_a_click_at_the_wall_is_not_all_that_stays() -> None:
    """Clicks outside nearby would leave no more than a crumb around it."""
    outside = [(12, 10, 22), (12, 12, 18), (14, 8, 24)]
    kept = cut_off(SAC, SURE, [(12, 7, 24)], outside)
    assert kept[12, 7, 24]
    assert not any(kept[voxel] for voxel in outside)
    assert kept.sum() > 0.3 * SAC.sum()
