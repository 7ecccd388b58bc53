from __future__ import annotations

import copy

import pytest
import torch

from gsema_core.datasets.patches import PatchPair
from gsema_core.networks import build_network
from gsema_core.training.trainer import Trainer


def make_pair(seed: int = 0) -> PatchPair:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 1, 32, 32, 32, generator=generator)
    labels = (image > 0.9).to(torch.uint8) + (image > 0.97).to(torch.uint8)
    return PatchPair(image, labels, image**2, labels)


@pytest.fixture
def make_trainer(make_config):
    def make(preset: str = "paper", **sections):
        torch.manual_seed(0)
        config = make_config(preset, **sections)
        return Trainer(config, build_network(config.network), torch.device("cpu"))

    return make


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()]).clone()


def test_teacher_starts_as_the_student(make_trainer):
    trainer = make_trainer()
    assert torch.equal(weights(trainer.teacher), weights(trainer.student))
    assert not any(each.requires_grad for each in trainer.teacher.parameters())


def test_open_gate_moves_the_teacher_part_of_the_way(make_trainer):
    trainer = make_trainer(method={"alpha_warmup": False})
    before = weights(trainer.teacher)
    record = trainer.train_step([make_pair()])
    assert record.gate_open and record.alpha == 0.9
    expected = 0.9 * before + 0.1 * weights(trainer.student)
    torch.testing.assert_close(weights(trainer.teacher), expected)


def test_closed_gate_leaves_the_teacher_bit_identical(make_trainer):
    trainer = make_trainer("algorithm1")  # closed where gradients agree, as they do here
    before = weights(trainer.teacher)
    record = trainer.train_step([make_pair()])
    assert record.gate_open and record.alpha == 1.0
    assert torch.equal(weights(trainer.teacher), before)
    assert not torch.equal(weights(trainer.student), before)
    assert trainer.ema_updates == 0


def test_no_ema_makes_the_teacher_the_student(make_trainer):
    trainer = make_trainer("no_ema")
    trainer.train_step([make_pair()])
    torch.testing.assert_close(weights(trainer.teacher), weights(trainer.student))


def test_a_step_that_is_not_finite_is_skipped_and_counted(make_trainer):
    trainer = make_trainer()
    trainer.train_step([make_pair()])
    student, teacher = weights(trainer.student), weights(trainer.teacher)
    poisoned = make_pair(1)
    poisoned.target_image[0, 0, 0, 0, 0] = float("nan")
    record = trainer.train_step([poisoned])
    assert record.skipped and trainer.skipped_steps == 1 and trainer.step == 2
    assert torch.equal(weights(trainer.student), student)
    assert torch.equal(weights(trainer.teacher), teacher)
    assert not trainer.train_step([make_pair(2)]).skipped


def test_accumulation_is_one_step_with_the_mean_gradient(make_trainer):
    once, twice = make_trainer(), make_trainer()
    once.train_step([make_pair()])
    record = twice.train_step([make_pair(), make_pair()])
    assert twice.step == 1 and record.loss_source > 0
    torch.testing.assert_close(weights(twice.student), weights(once.student), atol=1e-5, rtol=1e-4)


def test_long_gradients_are_clipped(make_trainer):
    free = make_trainer(optimization={"clip_norm": 0.0})
    clipped = make_trainer(optimization={"clip_norm": 1e-3})
    norm = free.train_step([make_pair()]).gradient_norm
    clipped.train_step([make_pair()])
    assert norm > 1e-3
    assert float(torch.linalg.vector_norm(free.rows.source)) == pytest.approx(norm, rel=1e-4)
    assert float(torch.linalg.vector_norm(clipped.rows.source)) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize(("volume", "boundary"), [(True, False), (False, True), (False, False)])
def test_contrast_terms_can_be_switched_off(make_trainer, volume, boundary):
    method = {"volume_contrast": volume, "boundary_contrast": boundary}
    record = make_trainer(method=method).train_step([make_pair()])
    assert (record.loss_contrast > 0) == (volume or boundary)


def test_student_and_teacher_share_no_memory(make_trainer):
    trainer = make_trainer()
    teacher = copy.deepcopy(trainer.teacher.state_dict())
    with torch.no_grad():
        next(trainer.student.parameters()).add_(1.0)
    assert all(torch.equal(trainer.teacher.state_dict()[name], teacher[name]) for name in teacher)
