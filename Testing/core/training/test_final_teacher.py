"""What a run's teacher file holds and what its card says: the teacher, not the student."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gsema_core.datasets import find_cases, split_by_patient
from gsema_core.errors import UserError
from gsema_core.files.atomic import make_folder
from gsema_core.labels import VESSEL
from gsema_core.losses import DiceCELoss
from gsema_core.teachers import load_teacher, read_card
from gsema_core.training import train
from gsema_core.training.beginning import begin
from gsema_core.training.control import Control
from gsema_core.training.final_teacher import changes
from gsema_core.training.loader import load_batches
from gsema_core.training.loop import Loop
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.prepared_cases import prepare
from gsema_core.training.ranks import Ranks
from gsema_core.training.run_files import TEACHER
from gsema_core.training.run_reporter import RunReporter
from gsema_core.transforms import build_transform

CPU = torch.device("cpu")
SLOW = {"alpha_aligned": 0.9, "alpha_conflict": 0.9, "alpha_warmup": False}


def silent(line: str) -> None:
    pass


def halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """As a file in half precision has them."""
    return {name: tensor.half().float() for name, tensor in weights.items()}


def prepared(config):
    """The cases of a configuration, and who tells of its run."""
    reporter = RunReporter(make_folder(config.run.output), silent)
    data = config.data
    split = split_by_patient(
        find_cases(data.datalist), data.centers, data.validation_share, config.run.seed
    )
    return prepare(config, split, [], reporter, lambda: False), reporter


def predict_only(network: torch.nn.Module, label: int) -> None:
    """Let a network answer every voxel with one label."""
    with torch.no_grad():
        network.head.weight.zero_()
        parts = len(network.head.bias) // 3  # of a coarse voxel
        network.head.bias.copy_(20.0 * torch.eye(3)[label].repeat_interleave(parts))


def test_the_file_holds_the_teacher_of_the_checkpoint(make_tiny):
    config = make_tiny(method=SLOW, run={"steps": 3})
    saved = load_teacher(train(config, silent).teacher).network.state_dict()
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    teacher, student = halved(state["teacher"]), halved(state["student"])
    assert all(torch.equal(saved[name], teacher[name]) for name in teacher)
    assert not any(torch.equal(saved[name], student[name]) for name in student)


def test_the_teacher_is_what_is_validated_and_kept(make_tiny):
    """The teacher calls everything vessel, the student background: only one has a Dice."""
    config = make_tiny(data={"validation_share": 0.25}, run={"validation_walls": False})
    cases, reporter = prepared(config)
    trainer, progress = begin(config, config.run.output / "checkpoint.pt", CPU)
    predict_only(trainer.teacher, VESSEL)
    predict_only(trainer.student, 0)
    loop = Loop(config, trainer, progress, cases, Control(config.run.output), reporter)
    loop._validate()
    shares = [np.mean(np.asarray(volume.labels) == VESSEL) for volume in cases.validation]
    expected = np.mean([2 * share / (1 + share) for share in shares])
    (row,) = read_metrics(config.run.output, "validation")
    assert float(row["vessel_dice"]) == pytest.approx(expected, abs=1e-4) and expected > 0
    saved = load_teacher(config.run.output / TEACHER).network
    assert (saved(torch.rand(1, 1, 16, 16, 16)).argmax(dim=1) == VESSEL).all()


def test_the_logged_cosine_is_that_of_two_gradients(make_tiny):
    """By autograd, from the run's own first batch and first weights."""
    config = make_tiny(run={"steps": 1})
    train(config, silent)
    (row,) = read_metrics(config.run.output, "training")
    fresh = replace(config, run=replace(config.run, output=config.run.output / "fresh"))
    cases, _ = prepared(fresh)
    trainer, _ = begin(fresh, fresh.run.output / "checkpoint.pt", CPU)
    transform = build_transform(config.method.transform)
    ((batch,),) = load_batches(fresh, cases, transform, 0, Ranks())
    gradients = []
    for image, labels in (
        (batch.source_image, batch.source_labels),
        (batch.target_image, batch.target_labels),
    ):
        loss = DiceCELoss()(trainer.student.train()(image), labels)
        parameters = list(trainer.student.parameters())
        each = torch.autograd.grad(loss, parameters)
        gradients.append(torch.cat([part.flatten() for part in each]).double().numpy())
    source, target = gradients
    cosine = source @ target / np.linalg.norm(source) / np.linalg.norm(target)
    assert abs(cosine) < 0.999  # else a cosine that is always 1 would do
    assert float(row["similarity"]) == pytest.approx(cosine, abs=1e-4)


def test_the_card_says_what_was_changed_of_the_preset(make_tiny):
    config = make_tiny(method={"alpha_aligned": 0.99})
    training = read_card(train(config, silent).teacher).training
    assert training["preset"] == "paper"
    assert (
        training["changes"]
        == {
            "method.alpha_aligned": 0.99,
            "optimization.learning_rate": 3e-3,
            "optimization.schedule": "cosine",
            "optimization.warmup_steps": 2,
        }
        == changes(config)
    )


def test_the_gates_scope_is_named_where_it_is_not_all(make_tiny):
    lines: list[str] = []
    config = make_tiny(method={"gate_scope": "decoder"}, run={"steps": 1})
    training = read_card(train(config, lines.append).teacher).training
    assert training["gate_scope"] == training["changes"]["method.gate_scope"] == "decoder"
    assert any("cosine of the decoder's gradients 0." in line for line in lines)
    state = torch.load(config.run.output / "checkpoint.pt", weights_only=True)
    assert state["config"]["method"]["gate_scope"] == "decoder"
    with pytest.raises(UserError, match=r"begun with another gate_scope in \[method\]"):
        train(make_tiny(run={"steps": 2}), silent)
