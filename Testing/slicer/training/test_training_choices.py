"""What is chosen becomes a configuration; the form is made from the configuration's own words."""

from __future__ import annotations

import json

import pytest
import slicer

from gsema_core.errors import UserError
from gsema_core.training.status import Status


@pytest.fixture
def choices(training_module, teachers):
    from GSEMATrainingLib.run.TrainingChoices import TrainingChoices

    return TrainingChoices


def test_every_setting_has_a_field_with_help_and_default(panel):
    from dataclasses import fields

    from GSEMATrainingLib.panels.SettingsForm import ELSEWHERE, allSettings

    from gsema_core.training.config import TrainingConfig

    config = TrainingConfig()
    expected = {
        (section.name, one.name)
        for section in fields(config)
        if section.name != "preset_name"
        for one in fields(getattr(config, section.name))
        if type(getattr(getattr(config, section.name), one.name)).__name__ != "PosixPath"
    }
    shown = panel.start.form._fields
    assert set(shown) == expected - ELSEWHERE
    for one in allSettings():
        assert one.setting.help in shown[one.section, one.setting.name].widget.toolTip
    assert shown["data", "spacing_mm"].setting.label == "Spacing (mm)"
    assert shown["optimization", "schedule"].widget.count == 3
    assert shown["network", "kind"].widget.count == 2


def test_a_teacher_decides_what_its_network_sees(choices):
    tables = choices(teacher="default", length=5, unit="steps").tables()
    assert tables["data"]["spacing_mm"] == 1.6
    assert tables["data"]["patch"] == [32, 32, 32]
    assert tables["network"]["features"] == 8
    assert tables["run"]["initial_teacher"] == "default"
    assert "initial_teacher" not in choices(teacher="").tables()["run"]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("steps", ("steps", 7)), ("epochs", ("steps", 700)), ("minutes", ("minutes", 7.0))],
)
def test_the_length_has_three_units(choices, unit, expected):
    run = choices(length=7, unit=unit).tables()["run"]
    assert run[expected[0]] == expected[1]


def test_senseless_choices_are_explained(choices):
    for bad, reason in (
        ({"unit": "years"}, "steps, epochs or minutes"),
        ({"name": "a/b"}, "not plain"),
        ({"teacher": "nobody"}, "no teacher named nobody"),
        ({"preset": "magic"}, "Unknown preset"),
        ({"settings": {"data": {"patch": [70, 70, 70]}}}, "does not fit the network"),
        ({"settings": {"run": {"seed": "x"}}}, "give a whole number"),
    ):
        with pytest.raises(UserError, match=reason):
            choices(**bad).tables()


def test_the_written_file_is_read_by_the_core(choices, tmp_path):
    from gsema_core.training.config import TrainingConfig

    folder = tmp_path / "läuft 患者"
    folder.mkdir()
    settings = {
        "data": {"description": 'so "called" \\ scans\n\x7f', "aneurysm_share": 0.5},
        "optimization": {"learning_rate": 1e-05, "class_weights": [0.1, 1.0, 2.0]},
        "method": {"transform": ["gin", "noise"], "alpha_warmup": False},
    }
    chosen = choices(preset="code", name="mine", replayShare=0.25, settings=settings)
    config = TrainingConfig.from_toml(chosen.write(folder, chosen.tables()))
    assert config.preset_name == "code"
    assert config.data.description == settings["data"]["description"]
    assert config.data.datalist == folder / "datalist.json"
    assert config.run.output == folder
    assert config.data.replay_share == 0.25
    assert config.optimization.learning_rate == 1e-05
    assert config.optimization.class_weights == (0.1, 1.0, 2.0)
    assert config.method.transform == ("gin", "noise") and not config.method.alpha_warmup


def test_every_method_has_plain_words(training_module):
    from GSEMATrainingLib.panels.PresetText import presetNames, presetText, presetTitle

    assert presetNames()[0] == "paper"
    for name in presetNames():
        assert len(presetText(name)) > 40, name
        assert presetTitle(name) != name
    assert presetTitle("brand_new") == "brand new"
    assert presetText("brand_new") == ""


def test_changes_in_the_form_reach_the_configuration_and_are_remembered(panel):
    form = panel.start.form
    panel.ui.teacherComboBox.currentIndex = panel.ui.teacherComboBox.count - 1
    assert panel.start.teacher == ""
    assert form.changes == {}
    field = form._fields["optimization", "learning_rate"]
    field.widget.text = "2e-4"
    field.widget.editingFinished.emit()
    assert form.changes == {"optimization": {"learning_rate": 2e-4}}
    assert "optimization.learning_rate" in panel.ui.advancedInfoLabel.text
    assert panel._choicesNow().tables()["optimization"]["learning_rate"] == 2e-4
    slicer.modules.gsematraining.closeWidget()
    again = slicer.modules.gsematraining.widgetRepresentation().self()
    assert again.start.form.changes == {"optimization": {"learning_rate": 2e-4}}
    again.ui.resetButton.click()
    assert again.start.form.changes == {}


def test_another_method_brings_its_own_values(panel):
    form = panel.start.form
    panel.ui.teacherComboBox.currentIndex = panel.ui.teacherComboBox.count - 1
    rate = form._fields["optimization", "learning_rate"]
    panel.ui.presetComboBox.currentIndex = panel.start._presets.index("code")
    assert rate.widget.text == "0.0001"
    assert "authors" in panel.ui.presetInfoLabel.text
    assert form.changes == {}


def test_a_wrong_value_is_told_at_the_train_button(panel, add_cases):
    add_cases()
    assert panel.ui.trainButton.enabled
    field = panel.start.form._fields["run", "batch_size"]
    field.widget.text = "many"
    field.widget.editingFinished.emit()
    assert not panel.ui.trainButton.enabled
    assert "batch_size" in panel.ui.trainButton.toolTip


def test_damaged_remembered_settings_do_no_harm(panel):
    slicer.modules.gsematraining.closeWidget()
    settings = slicer.app.userSettings()
    for key, value in (("Settings", "{x"), ("Preset", "gone"), ("Device", "toaster")):
        settings.setValue(f"GSEMATraining/{key}", value)
    again = slicer.modules.gsematraining.widgetRepresentation().self()
    assert (again.start.preset, again.start.form.changes) == ("paper", {})
    settings.setValue("GSEMATraining/Settings", json.dumps([1]))


def test_the_time_is_judged_by_the_last_training(panel):
    node = panel._parameterNode
    node.lengthUnit = "minutes"
    assert panel.ui.timeLabel.text == "of training, and the validations"
    node.lengthUnit, node.length = "steps", 600
    assert "known in the first minute" in panel.ui.timeLabel.text
    panel.start.rememberPace(Status("training", seconds_per_step=0.5))
    node.length = 1200
    assert panel.ui.timeLabel.text == "about 10 min, judged by the last training"
    node.lengthUnit, node.length = "epochs", 24
    assert "about 20 min" in panel.ui.timeLabel.text


def test_length_and_replay_are_kept_with_the_scene(panel):
    panel.ui.lengthSpinBox.value = 12
    panel.ui.lengthUnitComboBox.currentIndex = 1
    panel.ui.replaySlider.value = 0.2
    chosen = panel._choicesNow()
    assert (chosen.length, chosen.unit, chosen.replayShare) == (12, "epochs", 0.2)
    assert chosen.tables()["data"]["replay_share"] == 0.2
