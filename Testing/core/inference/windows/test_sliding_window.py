from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.inferers import sliding_window_inference
from torch import Tensor

from gsema_core.errors import Cancelled, UserError
from gsema_core.inference.windows import predict_windows
from gsema_core.inference.windows.sliding_window import pad_to_window

WINDOW = (16, 16, 16)


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
    probabilities = predict_windows(pointwise, image, WINDOW, overlap=overlap, precision="fp32")
    expected = torch.softmax(pointwise(torch.from_numpy(image)[None, None]), dim=1)[0]
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected.numpy(), atol=2e-6)


def test_probabilities_sum_to_one(random_network: Any) -> None:
    probabilities = predict_windows(random_network, random_image(24, 20, 37), WINDOW)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, atol=1e-5)
    assert probabilities.min() >= 0.0
    assert probabilities[1].std() > 0.001  # and they say something


def test_the_batch_changes_nothing(random_network: Any) -> None:
    image = random_image(24, 20, 37)
    one = predict_windows(random_network, image, WINDOW, precision="fp32", batch=1)
    for batch in (2, 5, 100):
        many = predict_windows(random_network, image, WINDOW, precision="fp32", batch=batch)
        np.testing.assert_allclose(many, one, atol=1e-5)


def test_agrees_with_monai_on_the_same_windows(random_network: Any) -> None:
    image = torch.from_numpy(random_image(32, 24, 40))  # steps fit: both choose the same windows
    ours = predict_windows(random_network, image, WINDOW, precision="fp32")
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
    full = predict_windows(random_network, image, WINDOW, precision="fp32")
    half = predict_windows(random_network, image, WINDOW, precision="bf16")
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
    labels = predict_windows(by_window, image, WINDOW, precision="fp32").argmax(axis=0)
    np.testing.assert_array_equal(labels[8, 8], [1] * 12 + [2] * 12)


def test_what_no_chosen_window_covers_is_background() -> None:
    image = np.ones((16, 16, 48), dtype=np.float32)
    probabilities = predict_windows(pointwise, image, WINDOW, windows=[(0, 0, 16)])
    labels = probabilities.argmax(axis=0)
    assert set(np.unique(labels[..., 16:32])) == {2}
    assert set(np.unique(labels[..., :16])) == set(np.unique(labels[..., 32:])) == {0}
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, atol=1e-6)
    nothing = predict_windows(pointwise, image, WINDOW, windows=[])
    assert (nothing[0] == 1).all()


def test_progress_is_the_share_of_the_windows() -> None:
    told: list[float] = []
    predict_windows(
        pointwise,
        random_image(16, 16, 40),
        WINDOW,
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
        predict_windows(counting, random_image(16, 16, 80), WINDOW, cancelled=lambda: len(ran) == 2)
    assert ran == [1, 1]


def test_an_answer_that_is_not_finite_is_told() -> None:
    def broken(image: Tensor) -> Tensor:
        return torch.full((len(image), 3, *image.shape[2:]), float("nan"))

    with pytest.raises(UserError, match="not finite"):
        predict_windows(broken, random_image(16, 16, 16), WINDOW)


def test_padding_is_even_and_continues_the_image_by_its_mirror() -> None:
    image = torch.arange(3 * 16 * 20, dtype=torch.float32).reshape(3, 16, 20)
    padded, inside = pad_to_window(image, (8, 8, 24))
    assert padded.shape == (8, 16, 24)
    assert inside == (slice(2, 5), slice(0, 16), slice(2, 22))
    assert torch.equal(padded[inside], image)
    assert torch.equal(padded[:2, :, 2:22], image[:2].flip(0))
    assert torch.equal(padded[2:5, :, 22:], image[:, :, -2:].flip(2))


def test_padding_mirrors_again_where_the_image_is_thinner_than_the_padding() -> None:
    image = torch.tensor([1.0, 2.0]).reshape(2, 1, 1)
    padded, inside = pad_to_window(image, (10, 1, 1))
    assert inside[0] == slice(4, 6)
    assert padded.flatten().tolist() == [1, 2, 2, 1, 1, 2, 2, 1, 1, 2]
