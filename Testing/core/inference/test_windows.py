from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from gsema_core.inference.windows import LEAST_WEIGHT, axis_starts, choose_windows, importance


@pytest.mark.parametrize("length", [1, 31, 32, 33, 48, 63, 64, 65, 100, 257])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
def test_starts_cover_the_axis_with_at_least_the_overlap(length: int, overlap: float) -> None:
    width = 32
    starts = axis_starts(length, width, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - width)
    steps = [after - before for before, after in pairwise(starts)]
    assert all(1 <= step <= width * (1 - overlap) + 1 for step in steps)  # + 1: rounding


def test_no_more_windows_than_needed() -> None:
    assert axis_starts(64, 32, 0.5) == [0, 16, 32]
    assert axis_starts(64, 32, 0.0) == [0, 32]
    assert axis_starts(32, 32, 0.5) == [0]
    assert len(axis_starts(65, 32, 0.5)) == 4


def test_all_windows_of_an_image_in_memory_order() -> None:
    windows = choose_windows(torch.zeros(8, 16, 24), (8, 8, 16), 0.5)
    assert windows == [
        (0, 0, 0), (0, 0, 8), (0, 4, 0), (0, 4, 8), (0, 8, 0), (0, 8, 8)
    ]  # fmt: skip


def test_the_center_counts_most_and_every_voxel_counts() -> None:
    weights = importance((17, 32, 9))
    assert weights.shape == (17, 32, 9)
    assert weights[8, 15, 4] == weights[8, 16, 4] == weights.max()
    assert weights.max() == pytest.approx(1.0, abs=0.01)  # the center lies between two voxels
    assert weights.min() == pytest.approx(LEAST_WEIGHT)
    for axis in range(3):
        assert torch.equal(weights, weights.flip(axis))


def test_the_width_is_an_eighth_of_the_window() -> None:
    weights = importance((33, 33, 33))
    one_sigma = weights[16, 16, 16 + 4] / weights[16, 16, 16]
    assert one_sigma == pytest.approx(torch.exp(torch.tensor(-0.5 * (4 / (33 / 8)) ** 2)).item())
