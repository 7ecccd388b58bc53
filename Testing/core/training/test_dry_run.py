"""``gsema train --dry-run``: what it tells, and that it leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import torch

from gsema_core.cli import main
from gsema_core.configuration.toml_files import toml_text
from gsema_core.errors import UserError
from gsema_core.machine import Computing
from gsema_core.training import train
from gsema_core.training.dry_run import dry_run
from gsema_core.training.dry_run_report import Measured, Part
from gsema_core.training.trainer import Trainer


def silent(line: str) -> None:
    pass


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr("gsema_core.training.dry_run.SECONDS_OF_STEPS", 0.0)
    monkeypatch.setattr("gsema_core.training.dry_run.FEWEST_STEPS", 1)


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time."""
    stats = {str(each): each.stat() for each in sorted(folder.rglob("*"))}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def test_it_measures_what_a_run_does_and_leaves_no_trace(make_tiny, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    config = make_tiny(
        run={"steps": 50, "validate_every": 20, "patience": 1, "batch_size": 2},
        data={"workers": 1, "cache": str(tmp_path / "cache")},
    )
    text = dry_run(config, silent)
    assert "8 cases; 8 patients, 2 centers" in text
    assert "Cases: 6 for training, 2 to choose the teacher by." in text
    assert "Batch: images 2 x 1 x 16 x 16 x 16 and labels 2 x 1 x 16 x 16 x 16" in text
    assert "a patch is 16 x 16 x 16 mm" in text
    assert "on cpu in fp32, 1 thread." in text
    assert "the most main memory of this process" in text
    assert "for 5 of 8 cases, which makes" in text  # four to train on, and one
    assert "A validation:" in text and "for 1 of 2 cases, which makes" in text
    assert "at the latest, by its 50 steps: at step 50, with 3 validations" in text
    assert "Its patience of 1 may end it from step 40 on." in text
    assert "Not measured: the memory of 1 process for patches;" in text
    assert not config.run.output.exists() and not (tmp_path / "cache").exists()
    assert not list(scratch.glob("gsema-*"))


def test_a_run_that_was_begun_is_tried_from_its_checkpoint_and_stays_as_it_is(make_tiny):
    config = make_tiny(optimization={"schedule": "constant"}, run={"steps": 2})
    train(config, silent)
    before = everything_in(config.run.output)
    text = dry_run(replace(config, run=replace(config.run, steps=6)), silent)
    assert "Going on with steps 6 in [run], which was 2." in text
    assert "The run goes on at step 2." in text
    with pytest.raises(UserError, match="has made its 2 steps: nothing is left to try"):
        dry_run(config, silent)
    with pytest.raises(UserError, match=r"another seed in \[run\]"):
        dry_run(replace(config, run=replace(config.run, seed=3)), silent)
    assert everything_in(config.run.output) == before


def test_a_case_that_cannot_be_used_is_refused_as_by_the_run(make_tiny, datalist, tmp_path):
    text = datalist.read_text().replace("case3-label.nrrd", "case4.nrrd")
    broken = datalist.with_name("broken.json")
    broken.write_text(text)
    config = make_tiny()
    config = replace(config, data=replace(config.data, datalist=broken))
    with pytest.raises(UserError, match="label"):
        dry_run(config, silent)
    assert not config.run.output.exists()


def test_short_memory_is_told_as_the_run_would_go_on(make_tiny, monkeypatch):
    make_step = Trainer.train_step

    def step(self, batches):
        if self.config.run.batch_size > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return make_step(self, batches)

    monkeypatch.setattr(Trainer, "train_step", step)
    text = dry_run(make_tiny(run={"batch_size": 2}), silent)
    assert "the run goes on with batch 1 x 2, patch 16 x 16 x 16 instead of batch 2 x 1" in text
    assert "images 1 x 1 x 16 x 16 x 16" in text and "2 such batches a step" in text


def test_the_command_prints_the_report_and_progress_apart(make_tiny, tmp_path, capsys):
    config = make_tiny()
    tables = {**config.to_dict(), "preset": "paper"}
    path = tmp_path / "config.toml"
    path.write_text(toml_text(tables))
    assert main(["train", str(path), "--dry-run", "--set", "run.steps=30"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Dry run: nothing was written into")
    assert "by its 30 steps" in told.out
    assert told.err.startswith(f"Reading {path}.\n") and "Examined 8 of 8 cases." in told.err
    assert not config.run.output.exists()


def measured(config, **more) -> Measured:
    return Measured(
        **{
            "config": config,
            "found": (),
            "computing": Computing(torch.device("cpu")),
            "threads": 2,
            "weights": 1234,
            "shapes": ((1, 1, 16, 16, 16), (1, 1, 16, 16, 16)),
            "step": 0,
            "spent": 0.0,
            "stale": -1,
            "examining": Part(5.0, 8, 8, 5.0),
            "preparing": Part(2.0, 4, 8, 5.0),
            "validating": Part(1.0, 1, 2, 2.0),
            "steps": (9.0, 1.0, 3.0),
            "waiting": (8.0, 0.5, 0.5),
            "memory_mb": {"main memory": 2048.0, "a GPU's": None},
            **more,
        }
    )


def test_the_expected_end_adds_up(make_tiny):
    """100 steps of 2 s, three validations of 2 s, 5 s of examining and 5 s of preparing."""
    config = make_tiny(run={"steps": 100, "validate_every": 40})
    lines = "\n".join(measured(config).lines(datetime(2026, 1, 1, 12, 0)))
    assert "A step: 2 s, the mean of 2 (1 to 3 s), 25 % of it waiting for patches." in lines
    assert "Expected end: about 4 min after it begins, by its 100 steps" in lines
    assert "with 3 validations. Begun now, that is 2026-01-01 12:03." in lines  # 216 s
    assert "1,234 weights; on cpu in fp32, 2 threads." in lines
    assert "Memory: 2.00 GB, main memory." in lines
    assert "Memory: the system does not tell, a GPU's." in lines
    tuned = replace(config, run=replace(config.run, initial_teacher="default", minutes=1.0))
    text = "\n".join(measured(tuned).lines(datetime(2026, 1, 1, 12, 0)))
    assert "by its 1 minute: at step 30, with 2 validations" in text  # the start is the first
    begun = "\n".join(measured(config, step=90, stale=0).lines(datetime(2026, 1, 1, 12, 0)))
    assert "Expected end: about 25 s after it begins" in begun  # 5 s, ten steps, one validation
