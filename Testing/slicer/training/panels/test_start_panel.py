"""What a training starts from, by which method, and how long it takes."""

from __future__ import annotations

from gsema_core.training.status import Status


def test_every_method_has_plain_words(training_module):
    from GSEMATrainingLib.panels.PresetText import presetNames, presetText, presetTitle

    assert presetNames()[0] == "paper"
    for name in presetNames():
        assert len(presetText(name)) > 40, name
        assert presetTitle(name) != name
    assert presetTitle("brand_new") == "brand new"
    assert presetText("brand_new") == ""


def test_the_time_is_judged_by_the_last_training(panel):
    node = panel._parameterNode
    node.lengthUnit = "minutes"
    assert panel.ui.timeLabel.text == "Plus preparing, validations and comparison."
    node.lengthUnit, node.length = "steps", 600
    assert "known in the first minute" in panel.ui.timeLabel.text
    panel.start.rememberPace(Status("training", seconds_per_step=0.5))
    node.length = 1200
    assert panel.ui.timeLabel.text == "about 10 min, judged by the last training"
    node.lengthUnit, node.length = "epochs", 24
    assert "about 20 min" in panel.ui.timeLabel.text


def test_length_and_replay_are_kept_with_the_scene(panel):
    assert panel.ui.lengthUnitComboBox.currentText == "minutes"
    assert panel.ui.lengthSpinBox.value == 30
    panel.ui.lengthSpinBox.value = 12
    panel.ui.lengthUnitComboBox.currentIndex = 2
    panel.ui.replaySlider.value = 0.2
    chosen = panel._choicesNow()
    assert (chosen.length, chosen.unit, chosen.replayShare) == (12, "epochs", 0.2)
    assert chosen.tables()["data"]["replay_share"] == 0.2
