"""What a training does, in words."""

from __future__ import annotations

import os

import pytest

from gsema_core.training.lock import held
from gsema_core.training.status import ENDLESS, Status

BY_TIME = {"step": 464, "steps": ENDLESS, "seconds": 735.0, "minutes": 30.0}


@pytest.fixture
def said(training_module, tmp_path):
    """What is said of a status; ``more`` are the view's attributes."""
    from GSEMATrainingLib.panels.RunText import sentence
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import RunView

    for name in ("config.toml", "datalist.json", "teacher.safetensors"):
        (tmp_path / name).touch()
    return lambda status, **more: sentence(RunView(RunFolder(tmp_path), status, **more))


def test_a_training_by_time_counts_its_minutes(said):
    status = Status("training", **BY_TIME, seconds_left=1100.0)
    assert said(status, isRunning=True) == (
        "Training: step 464, 12 of 30 minutes; about 18 min left."
    )
    assert status.fraction == pytest.approx(735 / 1800)
    early = Status("training", **BY_TIME, seconds_left=1100.0, earliest_step=700)
    assert said(early, isRunning=True).endswith(
        "; about 18 min left at the latest, as patience may end it from step 700 on."
    )
    both = Status("validating", **{**BY_TIME, "steps": 5000})
    assert said(both, isRunning=True) == "Validating the model: step 464 of 5000, 12 of 30 minutes."


def test_a_long_training_without_minutes_has_its_total(said):
    status = Status("training", step=9, steps=ENDLESS, epochs=10_000, seconds_left=50_000.0)
    assert said(status, isRunning=True) == (
        f"Training: step 9 of {ENDLESS}, epoch 0 of 10000; about 13.9 h left."
    )


def test_a_training_that_is_over_writes_before_it_ends(said):
    status = Status("training", step=40, steps=40, epoch=4, epochs=4)
    done = "step 40 of 40, epoch 4 of 4"
    assert said(status, isRunning=True) == f"Ending: the checkpoint is written, {done}."
    ended = Status("finished", step=40, steps=40, epoch=4, epochs=4)
    assert said(ended, isRunning=True, isEnding=True) == f"Ending: everything is written, {done}."
    assert said(ended, isRunning=True) == "Starting..."  # what the session before has said


def test_the_end_says_which_model_came_out(said, tmp_path):
    assert said(Status("finished", **BY_TIME, best_score=0.5, best_step=400)) == (
        "Finished after step 464, 12 of 30 minutes; the best model is that of step 400."
    )
    assert "none was better yet than the model that it started from" in said(
        Status("finished", **BY_TIME, best_score=0.5)
    )
    assert said(Status("finished", **BY_TIME, best_step=464)).endswith(
        "; the model is that of step 464."
    )
    (tmp_path / "teacher.safetensors").unlink()
    assert said(Status("stopped", **BY_TIME)).endswith("; there is no new model yet.")


def test_the_end_of_this_session_is_told_from_that_before(training_module, tmp_path):
    """By the process that holds the folder, and by what was said before ours was started."""
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import lookAt
    from GSEMATrainingLib.run.TrainingProcess import TrainingProcess

    class Process(TrainingProcess):
        isAlive = True

    folder = RunFolder(tmp_path)
    before = Status("stopped", pid=1, step=8)
    for ended in (before, Status("stopped", pid=os.getpid(), step=12)):
        folder.path.joinpath("status.json").write_text(
            f'{{"state": "stopped", "pid": {ended.pid}, "step": {ended.step}}}'
        )
        assert lookAt(folder, Process(before)).isEnding == (ended != before)
        with held(tmp_path):
            view = lookAt(folder)
            assert view.isRunning and view.isEnding == (ended != before)
        assert not lookAt(folder).isRunning and not lookAt(folder).isEnding
