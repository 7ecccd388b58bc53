"""What a checkpoint holds, and what is told of one that lacks something."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gsema_core.configuration import build
from gsema_core.errors import UserError
from gsema_core.networks import build_network
from gsema_core.training.checkpoint import Checkpoint, Progress, save_checkpoint
from gsema_core.training.loss_scale import LossScale
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.trainer import Trainer


@pytest.fixture
def make_trainer(make_tiny):
    return lambda **sections: _trainer(make_tiny(**sections))


def _trainer(config) -> Trainer:
    return Trainer(config, build_network(config.network), torch.device("cpu"))


def load_checkpoint(path: Path, trainer: Trainer) -> Progress:
    return Checkpoint.read(path, trainer.config).restore(trainer)


@pytest.fixture
def saved(make_trainer, tmp_path):
    """A checkpoint's file."""
    save_checkpoint(tmp_path / "checkpoint.pt", make_trainer(), Progress(seconds=3.0, stale=2))
    return tmp_path / "checkpoint.pt"


def test_brings_back_progress_scale_and_random_numbers(make_trainer, tmp_path):
    path, trainer = tmp_path / "checkpoint.pt", make_trainer(run={"precision": "fp16"})
    trainer.loss_scale, trainer.step = LossScale(128.0, good_steps=5), 7
    torch.manual_seed(3)
    progress = Progress(4.0, 0.5, 6, 7, 2, "ab", "6+2")
    save_checkpoint(path, trainer, progress)
    expected = torch.rand(5)
    torch.manual_seed(4)
    other = make_trainer(run={"precision": "fp16"})
    assert load_checkpoint(path, other) == progress
    assert torch.equal(torch.rand(5), expected)
    assert (other.loss_scale, other.step) == (LossScale(128.0, good_steps=5), 7)


def test_the_gpus_generator_is_saved_and_restored(make_trainer, tmp_path, monkeypatch):
    gpu = torch.device("cuda", 0)
    calls: list[tuple[list[int], torch.device]] = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: torch.tensor([7]))
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda state, device: calls.append((state.tolist(), device))
    )
    path, trainer = tmp_path / "checkpoint.pt", make_trainer()
    trainer.device = gpu
    save_checkpoint(path, trainer, Progress())
    load_checkpoint(path, trainer)
    assert calls == [([7], gpu)]
    load_checkpoint(path, make_trainer())  # goes on without a GPU
    assert len(calls) == 1


@pytest.mark.parametrize(
    "missing",
    ["config", "student", "teacher", "optimizer", "scheduler", "step", "ema_updates",
     "skipped_steps", "progress", "random_state"],
)  # fmt: skip
def test_one_that_lacks_something_is_named(make_trainer, saved, missing):
    state = torch.load(saved, weights_only=True)
    del state[missing]
    torch.save(state, saved)
    with pytest.raises(UserError, match=r"checkpoint\.pt cannot be read, or lacks something"):
        load_checkpoint(saved, make_trainer())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("student", {}),
        ("optimizer", {"state": {}}),
        ("step", "many"),
        ("progress", {"unknown": 1}),
        ("random_state", None),
        ("config", []),
        ("fit", {"patch": [16, 16, 16]}),
    ],
)
def test_one_with_something_wrong_is_named(make_trainer, saved, name, value):
    state = torch.load(saved, weights_only=True)
    state[name] = value
    torch.save(state, saved)
    with pytest.raises(UserError, match=r"checkpoint\.pt cannot be read, or lacks something"):
        load_checkpoint(saved, make_trainer())


def test_other_formats_and_files_are_named(make_trainer, saved):
    torch.save({"format": 99}, saved)
    with pytest.raises(UserError, match="has format 99, expected 1"):
        load_checkpoint(saved, make_trainer())
    torch.save([1], saved)
    with pytest.raises(UserError, match="cannot be read"):
        load_checkpoint(saved, make_trainer())


def test_one_of_an_older_version_goes_on(make_trainer, saved):
    state = torch.load(saved, weights_only=True)
    for name in ("fit", "loss_scale", "gpu_random_state"):
        del state[name]
    state["progress"] = {"seconds": 3.0, "best_score": 0.5, "best_step": 0}
    state["step"] = 500
    torch.save(state, saved)
    trainer = make_trainer()
    progress = load_checkpoint(saved, trainer)
    assert (progress.validated_step, progress.best_score, trainer.step) == (500, 0.5, 500)


def test_remembers_what_was_asked_for_beside_what_fits(make_trainer, make_tiny, tmp_path):
    path, asked = tmp_path / "checkpoint.pt", make_tiny(run={"batch_size": 4})
    fit = Fit(2, 2, (16, 16, 16))
    save_checkpoint(path, _trainer(fit.apply(asked)), Progress(), asked)
    state = torch.load(path, weights_only=True)
    assert state["config"]["run"]["batch_size"] == 4
    assert build(Fit, state["fit"]) == fit
    load_checkpoint(path, _trainer(asked))
