"""The form of single settings, made from the configuration's own words."""

from __future__ import annotations

import json
from pathlib import Path

import slicer


def test_every_setting_has_a_field_with_help_and_default(panel):
    from dataclasses import fields, is_dataclass

    from GSEMATrainingLib.panels.SettingsForm import ELSEWHERE, allSettings

    from gsema_core.training.config import TrainingConfig

    config = TrainingConfig()
    expected = {
        (section.name, one.name)
        for section in fields(config)
        if is_dataclass(getattr(config, section.name))
        for one in fields(getattr(config, section.name))
        if not isinstance(getattr(getattr(config, section.name), one.name), Path | dict)
    }
    shown = panel.start.form._fields
    assert set(shown) == expected - ELSEWHERE
    for section, settings in allSettings().items():
        for one in settings:
            assert one.help in shown[section, one.name].widget.toolTip
    assert shown["data", "spacing_mm"].setting.label == "Spacing (mm)"
    assert shown["optimization", "schedule"].widget.count == 4
    assert shown["network", "kind"].widget.count == 2


def test_a_network_that_is_installed_is_shown(panel):
    kind = panel.start.form._fields["network", "kind"]
    kind.setValue("installed")
    assert kind.value == "installed" and kind.widget.count == 3
    kind.setValue("cnn")
    assert kind.value == "cnn"


def test_a_list_of_choices_is_typed(panel):
    form = panel.start.form
    kinds = form._fields["method", "click_kinds"]
    assert kinds.value == ["anywhere", "middle", "near_wall", "beside"] and form.changes == {}
    kinds.widget.text = "middle, beside"
    assert form.changes == {"method": {"click_kinds": ["middle", "beside"]}}


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
