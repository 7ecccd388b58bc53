from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from gsema_core.inference.windows.window_plan import (
    LEAST_WEIGHT,
    RIM,
    all_windows,
    axis_starts,
    choose_windows,
    importance,
)


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
    windows = all_windows((8, 16, 24), (8, 8, 16), 0.5)
    assert windows == [
        (0, 0, 0), (0, 0, 8), (0, 4, 0), (0, 4, 8), (0, 8, 0), (0, 8, 8)
    ]  # fmt: skip


def vessel_along_k(length: int, j: int, i: int) -> Any:
    """A cube of faint noise with a bright vessel three voxels wide."""
    image = np.random.default_rng(5).normal(0.1, 0.01, (length,) * 3).astype(np.float32)
    image[:, j : j + 3, i : i + 3] = 0.6
    return image


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.75])
def test_windows_without_vessel_are_left_out(overlap: float) -> None:
    image = vessel_along_k(100, 4, 60)
    choice = choose_windows(image, (20, 20, 20), overlap)
    assert choice.total == len(all_windows(image.shape, (20, 20, 20), overlap))
    assert 0.5 < choice.skipped_share < 1
    assert choice.reason == ""
    assert set(choice.starts) <= set(all_windows(image.shape, (20, 20, 20), overlap))
    seen = np.zeros(image.shape, dtype=int)
    for k, j, i in choice.starts:
        seen[k : k + 20, j : j + 20, i : i + 20] += 1
    assert seen[:, 4:7, 60:63].min() >= 1
    assert seen[:, 40:, :40].max() == 0


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("length", [40, 57, 70])
def test_each_voxel_is_inside_a_window_that_is_run_if_it_is_bright(
    overlap: float, length: int
) -> None:
    window = (20, 20, 20)
    rng = np.random.default_rng(length)
    for _ in range(20):
        image = np.zeros((length,) * 3, dtype=np.float32)
        spot = rng.integers(0, length // 2, 3) * 2
        k, j, i = (slice(int(first), int(first) + 2) for first in spot)
        image[k, j, i] = 1.0
        image[:2, :2, :16] = 1.0  # plausible as a whole
        starts = choose_windows(image, window, overlap).starts
        rim = int(20 * min(overlap / 2, RIM))
        assert any(
            all(
                (first == 0 or place >= first + rim)
                and (first + 20 == length or place < first + 20 - rim)
                for first, place in zip(start, spot, strict=True)
            )
            for start in starts
        )


def test_a_vessel_in_a_windows_rim_is_its_neighbors() -> None:
    image = vessel_along_k(80, 4, 60)
    image[:, 4:7, 30:33] = 0.6  # in the rim of the windows at 0 and 32, inside that at 16
    columns = {start[2] for start in choose_windows(image, (32, 32, 32), 0.5).starts}
    assert columns == {16, 48}


def test_a_vessel_in_the_corner_of_the_scan_counts() -> None:
    image = vessel_along_k(64, 0, 61)
    choice = choose_windows(image, (32, 32, 32), 0.5)
    assert {(0, 0, 32), (16, 0, 32), (32, 0, 32)} == set(choice.starts)


def test_no_skip_and_a_single_window_take_all() -> None:
    image = vessel_along_k(64, 4, 60)
    every = choose_windows(image, (32, 32, 32), 0.5, skip=False)
    assert (len(every.starts), every.total, every.skipped_share) == (27, 27, 0)
    assert choose_windows(image, (64, 64, 64), 0.5).starts == [(0, 0, 0)]


@pytest.mark.parametrize("kind", ["dark", "speck", "checkered"])
def test_an_implausible_look_at_the_scan_takes_all(kind: str) -> None:
    image = np.zeros((64, 64, 64), dtype=np.float32)
    if kind == "speck":
        image[30:32, 30:32, 30:32] = 1.0
    if kind == "checkered":
        image[:] = np.kron(np.indices((32,) * 3).sum(axis=0) % 2, np.ones((2, 2, 2)))
        image[:, :4] = 1.0
    choice = choose_windows(image, (16, 16, 16), 0.5)
    assert len(choice.starts) == choice.total
    assert choice.skipped_share == 0
    assert choice.reason.endswith("of the scan is bright.")
    assert choice.to_dict()["skipped_share"] == 0


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
