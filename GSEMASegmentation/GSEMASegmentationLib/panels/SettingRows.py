"""The segmentation's settings as rows of the panel, made from the fields that state them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import qt
import slicer

from gsema_core.configuration import Setting, checked, settings_of
from gsema_core.configuration.building import NotFitting
from gsema_core.inference import settings as segmentation
from GSEMASegmentationLib.panels.SettingField import SettingField

KEY = "GSEMASegmentation/Settings/"
"""Before a setting's name in the application's settings."""


class SettingRows:
    """Settings that decide over results belong to the case and go into the scene; the others, as
    the number of threads, belong to the computer and go into the application's settings.

    Args:
        parent: an empty widget, which gets the rows.
        onChanged: called when the user has changed a setting.
    """

    def __init__(self, parent: Any, onChanged: Callable[[], None]) -> None:
        self._onChanged = onChanged
        self.fields: dict[str, SettingField] = {}
        form = qt.QFormLayout(parent)
        form.setContentsMargins(0, 0, 0, 0)
        for setting in settings_of(segmentation.SegmentationSettings):
            if setting.group:
                field = SettingField(setting, self._changed)
                self.fields[setting.name] = field
                form.addRow(f"{setting.title or setting.label}:", field.widget)
        stored = slicer.app.userSettings()
        for name, field in self.fields.items():
            if not field.setting.decides:
                self._show(field, _fromText(stored.value(KEY + name, "")))

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the defaults, by the settings' names."""
        changed = [one for one in self.fields.values() if one.value != one.setting.default]
        return {one.setting.name: one.value for one in changed}

    @property
    def valuesAtAClick(self) -> dict[str, Any]:
        """Those of ``values`` that mean something at a click."""
        values = self.values.items()
        return {name: v for name, v in values if not self.fields[name].setting.whole_scan}

    def value(self, name: str) -> Any:
        """One of them as it is now."""
        return self.fields[name].value

    @property
    def ofCase(self) -> str:
        """Those that the scene keeps, as JSON; empty where all have their defaults."""
        own = {name: v for name, v in self.values.items() if self.fields[name].setting.decides}
        return json.dumps(own) if own else ""

    def showCase(self, text: str) -> None:
        """Show what a scene kept; what cannot be used has its default."""
        kept = _fromText(text)
        kept = kept if isinstance(kept, dict) else {}
        for name, field in self.fields.items():
            if field.setting.decides:
                self._show(field, kept.get(name, field.setting.default))

    def _show(self, field: SettingField, value: Any) -> None:
        """Show a value of an old scene or file: the default where it does not fit."""
        setting: Setting = field.setting
        try:
            field.setValue(checked(setting, value))
        except NotFitting:
            field.setValue(setting.default)

    def _changed(self) -> None:
        stored = slicer.app.userSettings()
        for name, field in self.fields.items():
            if not field.setting.decides:
                stored.setValue(KEY + name, json.dumps(field.value))
        self._onChanged()


def _fromText(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
