"""The agreement of two views' predictions (CMDG's term)."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.losses import consistency_loss

SHAPE = (2, 3, 4, 3, 2)


@pytest.fixture
def views(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = (2 * torch.randn(SHAPE, generator=generator) for _ in range(2))
    return first, second


def certain_of(label: int) -> torch.Tensor:
    logits = torch.zeros(SHAPE)
    logits[:, label] = 60.0
    return logits


def test_equal_predictions_cost_nothing(views):
    first, _ = views
    # Softmax does not see a common shift of the logits.
    assert consistency_loss(first, first + 3.0).item() == pytest.approx(0.0, abs=1e-6)


def test_certain_and_different_is_ln_2():
    assert consistency_loss(certain_of(0), certain_of(2)).item() == pytest.approx(math.log(2.0))


def test_is_the_mean_divergence_from_the_average(views):
    p, q = (each.double().softmax(dim=1) for each in views)
    average = (p + q) / 2
    divergences = [(each * (each / average).log()).sum(1) for each in (p, q)]
    expected = (divergences[0] + divergences[1]).mean() / 2
    assert consistency_loss(*views).item() == pytest.approx(expected.item(), rel=1e-5)
    assert consistency_loss(*views[::-1]).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_step_along_the_gradient_brings_the_views_together(views):
    first, second = (each.clone().requires_grad_() for each in views)
    before = consistency_loss(first, second)
    before.backward()
    after = consistency_loss(first - 5 * first.grad, second - 5 * second.grad)
    assert after < before


def test_gradient_is_exact(views):
    small = [each[:1, :, :2, :1].double().requires_grad_() for each in views]
    assert torch.autograd.gradcheck(consistency_loss, small)


def test_autocast_changes_nothing(views):
    half = [each.bfloat16() for each in views]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = consistency_loss(*half)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, consistency_loss(*(each.float() for each in half)))


def test_shapes_must_agree(views):
    with pytest.raises(ValueError, match="one shape"):
        consistency_loss(views[0], views[1][:1])
