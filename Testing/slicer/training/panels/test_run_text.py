"""What a training does, in words."""

from __future__ import annotations

from gsema_core.training.status import Status


def test_a_training_by_time_shows_no_total(training_module, tmp_path):
    from GSEMATrainingLib.panels.RunText import sentence
    from GSEMATrainingLib.run.RunFolder import RunFolder
    from GSEMATrainingLib.run.RunWatch import RunView
    from GSEMATrainingLib.run.TrainingChoices import ENDLESS

    status = Status("training", step=8, steps=ENDLESS, seconds=60.0, seconds_left=180.0)
    view = RunView(RunFolder(tmp_path), status, isRunning=True)
    assert sentence(view) == "Training: step 8, epoch 0; about 3 min left."
    assert status.fraction == 0.25
