from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.inferers import sliding_window_inference
from torch import Tensor

from gsema_core.errors import Cancelled, UserError
from gsema_core.inference.shares import Shares
from gsema_core.inference.windows.sliding_window import blend_windows, softmax
from gsema_core.inference.windows.stitching import importance
from gsema_core.inference.windows.window_plan import Size, plan_windows
from gsema_core.machine import Computing

WINDOW = (16, 16, 16)
FP32 = Computing.of("cpu", "fp32")


def with_background(shares: Shares) -> npt.NDArray[np.float32]:
    """Class probabilities (3, k, j, i) from float32 shares (2, k, j, i)."""
    return np.concatenate([1 - shares.sum(axis=0, keepdims=True), shares])


def predict_windows(
    network: Any, image: Any, window: Size, computing: Computing, overlap: float = 0.5, **more: Any
) -> npt.NDArray[np.float32]:
    """Class probabilities (3, k, j, i) by all windows."""
    plan, padded = plan_windows(image, window, overlap)

    def answer(patches: Tensor) -> Tensor:
        return softmax(network, patches, computing)

    return with_background(blend_windows(answer, padded, plan, **more))


def pointwise(image: Tensor) -> Tensor:
    """Logits that depend on nothing but the voxel itself."""
    return torch.cat([torch.zeros_like(image), 5 * (image - 0.3), 9 * (image - 0.6)], dim=1)


def random_image(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(11).random(shape, dtype=np.float32)


@pytest.mark.parametrize("shape", [(16, 16, 16), (40, 21, 33), (17, 16, 50), (5, 40, 3), (1, 1, 1)])
@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.7])
def test_a_pointwise_network_gives_the_same_in_windows_as_in_one(
    shape: tuple[int, int, int], overlap: float
) -> None:
    image = random_image(*shape)
    probabilities = predict_windows(pointwise, image, WINDOW, FP32, overlap=overlap)
    expected = torch.softmax(pointwise(torch.from_numpy(image)[None, None]), dim=1)[0]
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected.numpy(), atol=2e-6)


def test_probabilities_sum_to_one(random_network: Any) -> None:
    probabilities = predict_windows(random_network, random_image(24, 20, 37), WINDOW, FP32)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, atol=1e-5)
    assert probabilities.min() >= 0.0
    assert probabilities[1].std() > 0.001  # and they say something


def test_the_batch_changes_nothing(random_network: Any) -> None:
    image = random_image(24, 20, 37)
    one = predict_windows(random_network, image, WINDOW, FP32, batch=1)
    for batch in (2, 5, 100):
        many = predict_windows(random_network, image, WINDOW, FP32, batch=batch)
        np.testing.assert_allclose(many, one, atol=1e-5)


def test_agrees_with_monai_on_the_same_windows(random_network: Any) -> None:
    image = torch.from_numpy(random_image(32, 24, 40))  # steps fit: both choose the same windows
    ours = predict_windows(random_network, image, WINDOW, FP32)
    with torch.inference_mode():
        theirs = sliding_window_inference(
            image[None, None],
            WINDOW,
            1,
            lambda patch: torch.softmax(random_network(patch), dim=1),
            overlap=0.5,
            mode="gaussian",
        )
    np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-5)


def test_bf16_stays_close_to_float32(random_network: Any) -> None:
    image = random_image(24, 20, 37)
    full = predict_windows(random_network, image, WINDOW, FP32)
    half = predict_windows(random_network, image, WINDOW, Computing.of("cpu", "bf16"))
    assert 0 < np.abs(full - half).max() < 0.02


def test_the_center_of_a_window_outvotes_the_edge_of_another() -> None:
    """Two windows that disagree: the border lies halfway between their centers."""

    def by_window(image: Tensor) -> Tensor:
        left = image.reshape(len(image), -1).mean(dim=1) < 0.5
        logits = torch.zeros((len(image), 3, *image.shape[2:]))
        logits[left, 1] = 20.0
        logits[~left, 2] = 20.0
        return logits

    image = np.zeros((16, 16, 24), dtype=np.float32)
    image[..., 12:] = 1.0
    labels = predict_windows(by_window, image, WINDOW, FP32).argmax(axis=0)
    np.testing.assert_array_equal(labels[8, 8], [1] * 12 + [2] * 12)


def test_what_no_chosen_window_covers_is_background() -> None:
    plan, padded = plan_windows(np.ones((16, 16, 48)), WINDOW, 0.5)

    def chosen(*starts: tuple[int, int, int]) -> npt.NDArray[np.float32]:
        def answer(patches: Tensor) -> Tensor:
            return softmax(pointwise, patches, FP32)

        return with_background(blend_windows(answer, padded, replace(plan, starts=starts)))

    probabilities = chosen((0, 0, 16))
    labels = probabilities.argmax(axis=0)
    assert set(np.unique(labels[..., 16:32])) == {2}
    assert set(np.unique(labels[..., :16])) == set(np.unique(labels[..., 32:])) == {0}
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, atol=1e-6)
    assert (chosen()[0] == 1).all()


def naive(network: Any, image: npt.NDArray[np.float32], overlap: float) -> Any:
    """Pad, run every window and blend, all at once and in double precision."""
    missing = [max(0, width - n) for n, width in zip(image.shape, WINDOW, strict=True)]
    pairs = [(n // 2, n - n // 2) for n in missing]
    padded = np.pad(image, pairs, mode="symmetric")
    sums, weights = np.zeros((3, *padded.shape)), np.zeros(padded.shape)
    step = int(16 * (1 - overlap))
    starts = [sorted({*range(0, n - 16, step), n - 16}) for n in padded.shape]
    for start in itertools.product(*starts):
        box = tuple(slice(first, first + 16) for first in start)
        with torch.inference_mode():
            logits = network(torch.from_numpy(padded[box])[None, None])
        weight = importance(WINDOW).numpy().astype(float)
        sums[(slice(None), *box)] += weight * torch.softmax(logits, dim=1)[0].numpy()
        weights[box] += weight
    inside = tuple(
        slice(first, first + n) for (first, _), n in zip(pairs, image.shape, strict=True)
    )
    return (sums / weights)[(slice(None), *inside)]


@pytest.mark.parametrize("shape", [(24, 20, 37), (9, 30, 16), (7, 5, 3)])
@pytest.mark.parametrize("overlap", [0.25, 0.5])
def test_as_a_naive_reference(
    random_network: Any, shape: tuple[int, int, int], overlap: float
) -> None:
    image = random_image(*shape)
    ours = predict_windows(random_network, image, WINDOW, FP32, overlap=overlap)
    np.testing.assert_allclose(ours, naive(random_network, image, overlap), atol=2e-6)


def test_progress_is_the_share_of_the_windows() -> None:
    told: list[float] = []
    predict_windows(
        pointwise,
        random_image(16, 16, 40),
        WINDOW,
        FP32,
        batch=3,
        progress=lambda fraction, phase: told.append(fraction),
    )
    assert told == [0.75, 1.0]  # 4 windows


def test_cancel_stops_before_the_next_window() -> None:
    ran = []

    def counting(image: Tensor) -> Tensor:
        ran.append(len(image))
        return pointwise(image)

    with pytest.raises(Cancelled):
        predict_windows(
            counting, random_image(16, 16, 80), WINDOW, FP32, cancelled=lambda: len(ran) == 2
        )
    assert ran == [1, 1]


def test_an_answer_that_is_not_finite_is_told() -> None:
    def broken(image: Tensor) -> Tensor:
        return torch.full((len(image), 3, *image.shape[2:]), float("nan"))

    with pytest.raises(UserError, match="not finite"):
        predict_windows(broken, random_image(16, 16, 16), WINDOW, FP32)
