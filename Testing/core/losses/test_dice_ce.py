"""The segmentation loss (equation 1)."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.labels import IGNORE
from gsema_core.losses import DiceCELoss


def hand_made() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Probabilities of three classes in four voxels, their logits and the labels."""
    p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5], [0.6, 0.3, 0.1]])
    logits = p.log().T.reshape(1, 3, 2, 2, 1)
    return p, logits, torch.tensor([0, 1, 2, 1]).reshape(1, 1, 2, 2, 1)


def expected_dice(p: torch.Tensor, labels: list[int]) -> list[float]:
    parts = []
    for c in range(3):
        y = torch.tensor([float(label == c) for label in labels])
        parts.append(1.0 - float(2.0 * (p[:, c] * y).sum() / (p[:, c].sum() + y.sum())))
    return parts


def test_value_by_hand() -> None:
    p, logits, labels = hand_made()
    # Background 2 * 0.7 / (1.65 + 1), vessel 2 * 1.1 / (1.55 + 2), aneurysm 2 * 0.5 / (0.8 + 1).
    dice = 1.0 - (1.4 / 2.65 + 2.2 / 3.55 + 1.0 / 1.8) / 3.0
    entropy = -(math.log(0.7) + math.log(0.8) + math.log(0.5) + math.log(0.3)) / 4.0
    assert DiceCELoss()(logits, labels).item() == pytest.approx(dice + entropy, abs=1e-4)
    assert sum(expected_dice(p, [0, 1, 2, 1])) / 3 == pytest.approx(dice, abs=1e-6)


def test_class_weights_by_hand() -> None:
    p, logits, labels = hand_made()
    w = [0.2, 0.3, 0.5]
    dice = sum(w_c * d for w_c, d in zip(w, expected_dice(p, [0, 1, 2, 1]), strict=True)) / 3
    of_voxel = [w[0], w[1], w[2], w[1]]
    logs = [math.log(0.7), math.log(0.8), math.log(0.5), math.log(0.3)]
    entropy = -sum(w_v * log for w_v, log in zip(of_voxel, logs, strict=True)) / sum(of_voxel)
    assert DiceCELoss(w)(logits, labels).item() == pytest.approx(dice + entropy, abs=1e-4)


def test_certain_and_right_is_zero_and_wrong_is_not(generator: torch.Generator) -> None:
    labels = torch.randint(0, 3, (2, 1, 5, 4, 3), generator=generator)
    right = 50.0 * torch.nn.functional.one_hot(labels[:, 0], 3).movedim(-1, 1).float()
    assert DiceCELoss()(right, labels) < 1e-4
    assert DiceCELoss()(right.roll(1, dims=1), labels) > 10.0


def test_background_counts() -> None:
    """Vessel perfect, background lost: leaving the background out would call this fine."""
    labels = torch.ones(1, 1, 4, 4, 4, dtype=torch.long)
    labels[..., :2] = 0
    logits = torch.zeros(1, 3, 4, 4, 4)
    logits[:, 1], logits[:, 2, ..., :2] = 20.0, 40.0
    assert DiceCELoss()(logits, labels) > 1.0


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_labels_of_any_type(dtype: torch.dtype) -> None:
    _, logits, labels = hand_made()
    assert DiceCELoss()(logits, labels.to(dtype)) == DiceCELoss()(logits, labels)


def test_is_the_mean_over_samples(generator: torch.Generator) -> None:
    logits = torch.randn(2, 3, 5, 4, 3, generator=generator)
    labels = torch.randint(0, 3, (2, 1, 5, 4, 3), generator=generator)
    single = [DiceCELoss()(logits[i : i + 1], labels[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(DiceCELoss()(logits, labels), torch.stack(single).mean())


def test_autocast_and_half_precision_change_nothing(generator: torch.Generator) -> None:
    logits = torch.randn(1, 3, 5, 4, 3, generator=generator).bfloat16()
    labels = torch.randint(0, 3, (1, 1, 5, 4, 3), generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = DiceCELoss()(logits, labels)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, DiceCELoss()(logits.float(), labels))


def test_gradient_is_exact(generator: torch.Generator) -> None:
    logits = torch.randn(1, 3, 2, 3, 2, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (1, 1, 2, 3, 2), generator=generator)
    loss = DiceCELoss()
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits.requires_grad_(),))


@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0, -1.0, 1.0]])
def test_bad_weights_are_explained(weights: list[float]) -> None:
    with pytest.raises(UserError, match="expected 3 non-negative numbers"):
        DiceCELoss(weights)


@pytest.mark.parametrize(("smoothing", "expected"), [(1e-5, 1.0), (50.0, 64 / (64 + 50))])
def test_smoothing_sets_what_an_absent_class_costs(smoothing, expected):
    labels = torch.zeros(1, 1, 8, 8, 8)
    logits = torch.zeros(1, 3, 8, 8, 8)
    logits[:, 0], logits[:, 2, :4, :4, :4] = 40.0, 80.0  # 64 voxels of a false aneurysm
    loss = DiceCELoss(smoothing=smoothing)
    loss.loss.lambda_ce = 0.0
    background = 1 - (2 * 448 + smoothing) / (448 + 512 + smoothing)
    # The vessel is neither there nor predicted; what float32 leaves of its softmax is smoothed out.
    assert float(loss(logits, labels)) == pytest.approx((background + 0.0 + expected) / 3, abs=1e-4)


@pytest.mark.parametrize("weights", [None, [0.2, 0.3, 0.8]])
def test_a_batch_is_the_mean_of_its_samples(weights, generator: torch.Generator) -> None:
    """Also where weights normalize: ranks and accumulation divide batches in any way."""
    logits = torch.randn(3, 3, 4, 4, 4, generator=generator)
    labels = (3 * torch.rand(3, 1, 4, 4, 4, generator=generator)).byte()
    labels[0] = 0  # without rare classes its weights sum to less
    loss = DiceCELoss(weights)
    single = [loss(logits[i : i + 1], labels[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(loss(logits, labels), torch.stack(single).mean())


def test_ignored_voxels_count_in_neither_part() -> None:
    """By hand: the third voxel of `hand_made` is left out of all sums."""
    p, logits, labels = hand_made()
    labels[0, 0, 1, 0, 0] = IGNORE
    kept = [0, 1, 3]
    dice = sum(expected_dice(p[kept], [0, 1, 1])) / 3
    entropy = -(math.log(0.7) + math.log(0.8) + math.log(0.3)) / 3
    loss = DiceCELoss().with_ignored(logits, labels)
    assert loss.item() == pytest.approx(dice + entropy, abs=1e-4)
    w = [0.2, 0.3, 0.5]
    dice = sum(a * b for a, b in zip(w, expected_dice(p[kept], [0, 1, 1]), strict=True)) / 3
    entropy = -(0.2 * math.log(0.7) + 0.3 * math.log(0.8) + 0.3 * math.log(0.3)) / 0.8
    loss = DiceCELoss(w).with_ignored(logits, labels)
    assert loss.item() == pytest.approx(dice + entropy, abs=1e-4)


@pytest.mark.parametrize("weights", [None, [0.2, 0.3, 0.8]])
def test_ignored_voxels_get_no_gradient_and_change_no_other(
    weights, generator: torch.Generator
) -> None:
    """Whatever is predicted there: loss and gradient elsewhere are those of the rest alone."""
    labels = torch.randint(0, 3, (2, 1, 4, 4, 4), generator=generator).byte()
    labels[:, :, :2] = IGNORE
    logits = torch.randn(2, 3, 4, 4, 4, generator=generator).requires_grad_()
    loss = DiceCELoss(weights)
    value = loss.with_ignored(logits, labels)
    (gradient,) = torch.autograd.grad(value, logits)
    assert not gradient[:, :, :2].any()
    rest = logits.detach()[:, :, 2:].requires_grad_()
    alone = loss(rest, labels[:, :, 2:])
    torch.testing.assert_close(value, alone)
    torch.testing.assert_close(gradient[:, :, 2:], torch.autograd.grad(alone, rest)[0])
    other = logits.detach().clone()
    other[:, :, :2] = 100 * torch.randn(2, 3, 2, 4, 4, generator=generator)
    assert torch.equal(loss.with_ignored(other, labels), value.detach())


@pytest.mark.parametrize("weights", [None, [0.2, 0.0, 0.8]])
def test_without_a_labeled_voxel_the_loss_is_zero(weights) -> None:
    logits = torch.randn(1, 3, 4, 4, 4).requires_grad_()
    loss = DiceCELoss(weights).with_ignored(logits, torch.full((1, 1, 4, 4, 4), IGNORE))
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert not torch.autograd.grad(loss, logits)[0].any()


@pytest.mark.parametrize("weights", [None, [0.2, 0.3, 0.8]])
def test_where_all_is_labeled_both_forms_agree(weights, generator: torch.Generator) -> None:
    logits = torch.randn(2, 3, 5, 4, 3, generator=generator)
    labels = torch.randint(0, 3, (2, 1, 5, 4, 3), generator=generator).byte()
    loss = DiceCELoss(weights)
    torch.testing.assert_close(loss.with_ignored(logits, labels), loss(logits, labels))
