"""float16: one scale for both losses, and no decision on what overflowed."""

from __future__ import annotations

import math

import pytest
import torch

from gsema_core.datasets.patches import PatchPair
from gsema_core.networks import build_network
from gsema_core.training.loss_scale import FIRST, INTERVAL, LossScale
from gsema_core.training.trainer import Trainer


def test_halves_when_a_step_overflows_and_doubles_after_many_good_ones():
    scale = LossScale.of("fp16")
    scale.update(finite=False)
    assert scale.value == FIRST / 2
    for _ in range(INTERVAL):
        scale.update(finite=True)
    assert scale.value == FIRST


def test_never_falls_below_one_nor_grows_without_end():
    low, high = LossScale(1.0), LossScale(2.0**24, good_steps=INTERVAL - 1)
    low.update(finite=False)
    high.update(finite=True)
    assert (low.value, high.value) == (1.0, 2.0**24)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_other_precisions_have_none(precision):
    scale = LossScale.of(precision)
    scale.update(finite=False)
    assert scale.value == 1.0


def pair(seed: int = 0) -> PatchPair:
    image = torch.rand(1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(seed))
    labels = (image > 0.9).to(torch.uint8) + (image > 0.97).to(torch.uint8)
    return PatchPair(image, labels, image**2, labels)


def make_trainer(config) -> Trainer:
    torch.manual_seed(0)
    return Trainer(config, build_network(config.network), torch.device("cpu"))


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()])


def test_the_scale_leaves_losses_cosine_and_step_as_they_are(make_config):
    plain, scaled = (make_trainer(make_config()) for _ in range(2))
    scaled.loss_scale = LossScale(1024.0)  # a power of two: exact in float32
    first, second = plain.train_step([pair()]), scaled.train_step([pair()])
    assert first == second
    assert torch.equal(weights(plain.teacher), weights(scaled.teacher))


@pytest.mark.parametrize("gate_scope", ["all", "decoder"])
def test_fp16_steps_like_fp32(make_config, gate_scope):
    method = {"gate_scope": gate_scope}
    exact = make_trainer(make_config(method=method))
    half = make_trainer(make_config(method=method, run={"precision": "fp16"}))
    expected, record = exact.train_step([pair()]), half.train_step([pair()])
    assert not record.skipped and record.gate_open == expected.gate_open
    assert record.loss_source == pytest.approx(expected.loss_source, rel=0.01)
    assert record.similarity == pytest.approx(expected.similarity, abs=0.02)
    assert record.gradient_norm == pytest.approx(expected.gradient_norm, rel=0.05)


def test_an_overflow_changes_no_network_and_halves_the_scale(make_config):
    trainer = make_trainer(make_config(run={"precision": "fp16"}))
    student, teacher = weights(trainer.student).clone(), weights(trainer.teacher).clone()
    trainer.loss_scale = LossScale(2.0**40)  # no float16 holds such gradients
    record = trainer.train_step([pair()])
    assert record.skipped and not record.gate_open and math.isnan(record.similarity)
    assert (trainer.skipped_steps, trainer.ema_updates) == (1, 0)
    assert trainer.loss_scale.value == 2.0**39
    assert torch.equal(weights(trainer.student), student)
    assert torch.equal(weights(trainer.teacher), teacher)
