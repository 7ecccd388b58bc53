"""A run with parts from outside: they are called, recorded and checked before the long part."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.machine.processes import Crew
from gsema_core.networks import build_network
from gsema_core.surgery import Gate
from gsema_core.teachers import load_teacher, read_card
from gsema_core.training import train
from gsema_core.training.checkpoint import Checkpoint, Progress, save_checkpoint
from gsema_core.training.parts import build_parts, check_parts
from gsema_core.training.trainer import Trainer

PARTS = """
    import os
    from pathlib import Path
    import torch
    from gsema_core.transforms import Transform

    class Negative(Transform):
        clips = False

        def __init__(self, *, note: str, probability: float = 1.0):
            super().__init__(probability=probability)
            self.note = note

        def draw_one(self, generator, image, donor):
            return float(torch.rand((), generator=generator))

        def apply_one(self, image, labels, parameters):
            with Path(self.note).open("a") as file:
                print(os.getpid(), file=file)
            return 1 - image, labels

    class Entropy:
        calls = 0

        def __call__(self, logits, labels):
            Entropy.calls += 1
            return torch.nn.functional.cross_entropy(logits.float(), labels[:, 0].long())
"""


def silent(line: str) -> None:
    pass


@pytest.fixture
def own(make_tiny: Any, own_module: Any, own_network: Any, tmp_path: Path):
    """A configuration whose transform, loss and network are from outside."""

    def make(name: str, **sections: Any):
        own_module(name, PARTS)
        kind = own_network(f"{name}_net").kind
        return make_tiny(
            network={"kind": kind, "options": {"width": 5}},
            method={
                "transform": ["noise", f"{name}:Negative"],
                "segmentation_loss": f"{name}:Entropy",
            },
            transforms={f"{name}:Negative": {"note": str(tmp_path / "note")}},
            **sections,
        )

    return make


def test_a_run_uses_and_records_them(own: Any, tmp_path: Path) -> None:
    import sys

    config = own("own_run_1", run={"steps": 2})
    result = train(config, silent)
    assert sys.modules["own_run_1"].Entropy.calls >= 4
    assert (tmp_path / "note").read_text().count("\n") == 2
    card = read_card(result.teacher)
    assert card.network["kind"] == "own_run_1_net:Small" and card.network["options"] == {"width": 5}
    assert card.training["transform"] == ["noise", "own_run_1:Negative"]
    assert card.training["segmentation_loss"] == "own_run_1:Entropy"
    assert list(card.training["options"]) == ["own_run_1:Negative"]
    assert card.training["changes"]["method.segmentation_loss"] == "own_run_1:Entropy"
    teacher = load_teacher(result.teacher, network="own_run_1_net:Small")
    assert teacher.network.down.out_channels == 5


def test_a_run_goes_on_from_a_teacher_whose_network_it_names(own: Any, tmp_path: Path) -> None:
    config = own("own_run_2", run={"steps": 1})
    first = train(config, silent)
    run = replace(config.run, output=tmp_path / "on", initial_teacher=str(first.teacher))
    assert train(replace(config, run=run), silent).step == 1


@pytest.mark.parametrize("context", [None, pytest.param("spawn", marks=pytest.mark.slow)])
def test_processes_that_prepare_patches_have_the_transform(
    own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str | None
) -> None:
    """Also where they begin with nothing in their memory, as on macOS and Windows."""
    import os

    if context:
        crew = partial(Crew, start=context)
        monkeypatch.setattr("gsema_core.training.loader.Crew", crew)
    config = own(f"own_worker_{context}", run={"steps": 2}, data={"workers": 1})
    train(config, silent)
    writers = set((tmp_path / "note").read_text().split())
    assert len(writers) == 1 and str(os.getpid()) not in writers


@pytest.mark.parametrize(
    ("section", "values", "told"),
    [
        ("method", {"segmentation_loss": "nowhere:Loss"}, "loss nowhere:Loss cannot be imported"),
        ("method", {"transform": ["nowhere:T"]}, "transform nowhere:T cannot be imported"),
        ("network", {"kind": "nowhere:N"}, "network nowhere:N cannot be imported"),
        ("transforms", {"paper": {"strenght": 1}}, "no option 'strenght': use one of strength"),
    ],
)
def test_what_cannot_be_used_is_told_before_the_cases_are_prepared(
    make_tiny: Any, section: str, values: Any, told: str
) -> None:
    config = make_tiny(**{section: values})
    with pytest.raises(UserError, match=told):
        check_parts(config)
    with pytest.raises(UserError, match=told):
        train(config, silent)
    assert not (config.run.output / "cache").exists()


def test_a_checkpoint_is_of_the_same_options(make_tiny: Any, tmp_path: Path) -> None:
    config = make_tiny(transforms={"paper": {"strength": 0.5}})

    def trainer(of: Any) -> Trainer:
        return Trainer(of, build_network(of.network), torch.device("cpu"))

    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, trainer(config), Progress())
    Checkpoint.read(path, config).restore(trainer(config))
    for other in ({}, {"paper": {"strength": 0.6}}):
        with pytest.raises(UserError, match=r"another table in \[transforms\]"):
            Checkpoint.read(path, replace(config, transforms=other))


def test_a_trainer_takes_ready_parts(make_tiny: Any, own_module: Any) -> None:
    """A loop of one's own decides what a step is made of."""
    from gsema_core.datasets.patches import PatchPair

    config = make_tiny()
    student = build_network(config.network)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    called = []

    def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        called.append(logits.shape)
        return logits.square().mean()

    parts = replace(
        build_parts(config, student),
        segmentation_loss=loss,
        contrastive_loss=None,
        gate=Gate(0.25, 0.25, "cosine"),
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0),
    )
    trainer = Trainer(config, student, torch.device("cpu"), parts=parts)
    image, labels = torch.rand(1, 1, 16, 16, 16), torch.ones(1, 1, 16, 16, 16)
    before = [each.clone() for each in student.parameters()]
    record = trainer.train_step([PatchPair(image, labels, 1 - image, labels)])
    assert len(called) == 2 and record.loss_contrast == 0.0
    assert trainer.optimizer is optimizer and trainer.gate.alpha_aligned == 0.25
    moved = [not torch.equal(a, b) for a, b in zip(before, student.parameters(), strict=True)]
    assert any(moved) and record.gradient_norm > 0
