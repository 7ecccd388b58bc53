"""Every setting of a training as a form, made from the configuration's own dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import qt
from GSEMASegmentationLib.panels.SettingField import SettingField, valueText

from gsema_core.configuration import Setting, settings_of
from gsema_core.training.config import TrainingConfig
from gsema_core.training.presets import PRESETS

ELSEWHERE = {
    ("data", "datalist"),
    ("data", "replay_share"),
    ("run", "output"),
    ("run", "name"),
    ("run", "initial_teacher"),
    ("run", "device"),
    ("run", "steps"),
    ("run", "minutes"),
}
"""Settings for which the panel has a widget of its own, or which it decides itself."""


def allSettings() -> dict[str, list[Setting]]:
    """By section the settings, in their order, without those of ``ELSEWHERE``.

    Tables, which are options of parts from outside, are for configurations written by hand.
    """
    return {
        section.name: [
            one
            for one in settings_of(section.kind)
            if (section.name, one.name) not in ELSEWHERE and one.kind not in (Path, dict)
        ]
        for section in settings_of(TrainingConfig)
        if is_dataclass(section.kind)
    }


class SettingsForm:
    """A page a section; remembers what differs from the method's own.

    Args:
        tabWidget: an empty QTabWidget.
        onChanged: called when the user has changed a setting.
    """

    def __init__(self, tabWidget: Any, onChanged: Callable[[], None]) -> None:
        self._onChanged = onChanged
        self._fields: dict[tuple[str, str], SettingField] = {}
        self._own: dict[tuple[str, str], Any] = {}
        for section, settings in allSettings().items():
            area = qt.QScrollArea()
            area.widgetResizable = True
            page = qt.QWidget()
            form = qt.QFormLayout(page)
            for setting in settings:
                field = SettingField(setting, onChanged)
                form.addRow(f"{setting.label}:", field.widget)
                self._fields[section, setting.name] = field
            area.setWidget(page)
            tabWidget.addTab(area, section.capitalize())

    def setOwn(self, preset: str, own: Mapping[str, Mapping[str, Any]]) -> None:
        """What the settings are without a change by the user; keeps the user's changes.

        Args:
            preset: the method.
            own: what the panel sets besides, by section.
        """
        changes = self.changes
        for key, field in self._fields.items():
            section, name = key
            value = PRESETS.get(preset, {}).get(section, {}).get(name, field.setting.default)
            self._own[key] = own.get(section, {}).get(name, value)
            field.setValue(self._own[key])
        self.setChanges(changes)

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """What the user has set otherwise, by section."""
        tables: dict[str, dict[str, Any]] = {}
        for (section, name), field in self._fields.items():
            own = self._own.get((section, name), field.setting.default)
            if valueText(field.value) != valueText(own):
                tables.setdefault(section, {})[name] = field.value
        return tables

    def setChanges(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Show these changes."""
        for section, values in tables.items():
            for name, value in values.items():
                if (section, name) in self._fields:
                    self._fields[section, name].setValue(value)

    def reset(self) -> None:
        """Take every change back."""
        for key, field in self._fields.items():
            field.setValue(self._own.get(key, field.setting.default))
        self._onChanged()
