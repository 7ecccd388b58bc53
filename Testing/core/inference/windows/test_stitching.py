from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.grids.boxes import box_of
from gsema_core.inference.shares import FULL
from gsema_core.inference.windows.stitching import LEAST_WEIGHT, NOTHING, Stitcher, importance
from gsema_core.inference.windows.window_plan import WindowPlan, all_windows

WINDOW = (8, 10, 6)


def plan_of(shape: tuple[int, int, int]) -> WindowPlan:
    return WindowPlan(WINDOW, shape, box_of((0, 0, 0), shape), (), 1)


def random_answers(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.softmax(3 * torch.randn((count, 3, *WINDOW), generator=generator), dim=1)


def at_once(shape, starts, answers) -> np.ndarray:
    """The same in one piece: sums of the whole image, double precision."""
    sums, weights = np.zeros((3, *shape)), np.zeros(shape)
    for start, answer in zip(starts, answers, strict=True):
        box = box_of(start, WINDOW)
        sums[(slice(None), *box)] += answer.numpy().astype(float) * importance(WINDOW).numpy()
        weights[box] += importance(WINDOW).numpy()
    return (sums / np.maximum(weights, 1e-30))[1:]


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("every", [1, 2, 7])
@pytest.mark.parametrize("sixteen_bits", [False, True])
def test_slab_by_slab_is_as_at_once(overlap: float, every: int, sixteen_bits: bool) -> None:
    shape = (37, 21, 15)
    starts = all_windows(shape, WINDOW, overlap)[::every]
    answers = random_answers(len(starts))
    inside = box_of((1, 2, 3), (33, 18, 11))
    stitcher = Stitcher(WindowPlan(WINDOW, shape, inside, (), 1), sixteen_bits=sixteen_bits)
    for start, answer in zip(starts, answers, strict=True):
        stitcher.add(start, answer)
    result = stitcher.finish()
    assert result.dtype == (np.uint16 if sixteen_bits else np.float32)
    expected = at_once(shape, starts, answers)[(slice(None), *inside)]
    if sixteen_bits:
        np.testing.assert_allclose(result / FULL, expected, atol=2 / FULL)
        assert result.sum(axis=0, dtype=int).max() <= FULL + 1
    else:
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_planes_far_apart_do_not_mix() -> None:
    stitcher = Stitcher(plan_of((60, 10, 6)))
    for start, answer in zip([(2, 0, 0), (40, 0, 0)], random_answers(2), strict=True):
        stitcher.add(start, answer)
    seen = stitcher.finish().any(axis=(0, 2, 3))
    assert np.flatnonzero(seen).tolist() == [*range(2, 10), *range(40, 48)]


def test_rows_with_next_to_nothing_are_zero_in_sixteen_bits() -> None:
    answer = torch.zeros((3, *WINDOW))
    answer[1, :, :5] = NOTHING / 2
    answer[2, :, 5:, 3] = 2 * NOTHING
    stitcher = Stitcher(plan_of(WINDOW), sixteen_bits=True)
    stitcher.add((0, 0, 0), answer)
    result = stitcher.finish()
    assert not result[:, :, :5].any()
    assert (result[1, :, 5:, 3] == np.ceil(np.float32(2 * NOTHING) * FULL)).all()


def test_windows_that_come_too_late_are_refused() -> None:
    stitcher = Stitcher(plan_of((20, 10, 6)))
    first, second = random_answers(2)
    stitcher.add((4, 0, 0), first)
    with pytest.raises(ValueError, match="after planes from 4 on"):
        stitcher.add((0, 0, 0), second)


def test_one_voxel_that_is_not_finite_is_told() -> None:
    (answer,) = random_answers(1)
    answer[0, 3, 3, 3] = float("inf")
    stitcher = Stitcher(plan_of(WINDOW))
    with pytest.raises(UserError, match="not finite"):
        stitcher.add((0, 0, 0), answer)


def test_a_close_vote_is_not_rounded_away() -> None:
    """Two windows contradict each other, and one has hardly the greater weight."""
    stitcher = Stitcher(plan_of((12, 10, 6)), sixteen_bits=True)
    answer = torch.zeros((3, *WINDOW))
    answer[0], answer[1] = 0.499997, 0.500003
    stitcher.add((0, 0, 0), answer)
    stitcher.add((4, 0, 0), answer)
    assert (stitcher.finish()[0] > FULL / 2).all()


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
