from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gsema_core.grids.boxes import box_of
from gsema_core.inference.windows.window_plan import (
    RIM,
    Size,
    WindowPlan,
    all_windows,
    plan_windows,
)


def axis_starts(length: int, width: int, overlap: float) -> list[int]:
    return [start for _, _, start in all_windows((1, 1, length), (1, 1, width), overlap)]


def choose(image: Any, window: Size, overlap: float, skip: bool = True) -> WindowPlan:
    return plan_windows(image, window, overlap, skip=skip)[0]


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
    choice = choose(image, (20, 20, 20), overlap)
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
        starts = choose(image, window, overlap).starts
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
    columns = {start[2] for start in choose(image, (32, 32, 32), 0.5).starts}
    assert columns == {16, 48}


def test_a_vessel_in_the_corner_of_the_scan_counts() -> None:
    image = vessel_along_k(64, 0, 61)
    choice = choose(image, (32, 32, 32), 0.5)
    assert {(0, 0, 32), (16, 0, 32), (32, 0, 32)} == set(choice.starts)


def test_no_skip_and_a_single_window_take_all() -> None:
    image = vessel_along_k(64, 4, 60)
    every = choose(image, (32, 32, 32), 0.5, skip=False)
    assert (len(every.starts), every.total, every.skipped_share) == (27, 27, 0)
    assert choose(image, (64, 64, 64), 0.5).starts == ((0, 0, 0),)


@pytest.mark.parametrize("kind", ["dark", "speck", "checkered"])
def test_an_implausible_look_at_the_scan_takes_all(kind: str) -> None:
    image = np.zeros((64, 64, 64), dtype=np.float32)
    if kind == "speck":
        image[30:32, 30:32, 30:32] = 1.0
    if kind == "checkered":
        image[:] = np.kron(np.indices((32,) * 3).sum(axis=0) % 2, np.ones((2, 2, 2)))
        image[:, :4] = 1.0
    choice = choose(image, (16, 16, 16), 0.5)
    assert len(choice.starts) == choice.total
    assert choice.skipped_share == 0
    assert choice.reason.endswith("of the scan is bright.")
    assert choice.to_dict()["skipped_share"] == 0


def test_an_image_that_needs_no_padding_is_not_copied() -> None:
    image = np.zeros((9, 8, 7), dtype=np.float32)
    plan, padded = plan_windows(image, (8, 8, 7), 0.5)
    assert padded is image
    assert plan.inside == box_of((0, 0, 0), image.shape)


def test_padding_is_even_and_continues_the_image_by_its_mirror() -> None:
    image = np.arange(3 * 16 * 20, dtype=np.float32).reshape(3, 16, 20)
    plan, padded = plan_windows(image, (8, 8, 24), 0.5)
    inside = plan.inside
    assert padded.shape == plan.shape == (8, 16, 24)
    assert inside == (slice(2, 5), slice(0, 16), slice(2, 22))
    assert np.array_equal(padded[inside], image)
    assert np.array_equal(padded[:2, :, 2:22], image[:2][::-1])
    assert np.array_equal(padded[2:5, :, 22:], image[:, :, :-3:-1])


def test_padding_mirrors_again_where_the_image_is_thinner_than_the_padding() -> None:
    image = np.array([1, 2], dtype=np.float32).reshape(2, 1, 1)
    plan, padded = plan_windows(image, (10, 1, 1), 0.5)
    assert plan.inside[0] == slice(4, 6)
    assert padded.flatten().tolist() == [1, 2, 2, 1, 1, 2, 2, 1, 1, 2]
