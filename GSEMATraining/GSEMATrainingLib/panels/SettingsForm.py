"""Every setting of a training as a form, made from the configuration's own dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import qt
from slicer.i18n import tr as _

from gsema_core.training.checks import CHOICES
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


@dataclass(frozen=True)
class Setting:
    """One field of the configuration.

    Attributes:
        section, name: where it is.
        kind: its type: bool, int, float, str or a tuple of one of these.
        default: of the dataclass.
        help: one sentence.
        unit: mm, s, %...; empty for none.
        choices: the values that are allowed; empty for any.
    """

    section: str
    name: str
    kind: Any
    default: Any
    help: str
    unit: str
    choices: tuple[str, ...]

    @property
    def title(self) -> str:
        """For people: with the unit."""
        words = self.name.removesuffix("_mm").replace("_", " ")
        return f"{words} ({self.unit})" if self.unit else words


def allSettings() -> list[Setting]:
    """The fields of all sections, in the dataclasses' order, without those of ``ELSEWHERE``."""
    settings = []
    for section, sectionType in get_type_hints(TrainingConfig).items():
        if not is_dataclass(sectionType):
            continue
        hints = get_type_hints(sectionType)
        for one in fields(sectionType):
            if (section, one.name) in ELSEWHERE or hints[one.name] is Path:
                continue
            settings.append(
                Setting(
                    section,
                    one.name,
                    hints[one.name],
                    one.default,
                    str(one.metadata.get("help", "")),
                    str(one.metadata.get("unit", "")),
                    CHOICES.get(f"{section}.{one.name}") or one.metadata.get("choices", ()),
                )
            )
    return settings


def valueText(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, (list, tuple)):
        return ", ".join(valueText(one) for one in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def parsedValue(kind: Any, text: str) -> Any:
    """What was typed, as the field's type; the text itself where it is not of that type.

    The configuration's own checks then say what is wrong with it.
    """
    arguments = getattr(kind, "__args__", ())
    if arguments:
        return [parsedValue(arguments[0], one.strip()) for one in text.split(",") if one.strip()]
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        return text


class SettingsForm:
    """A page a section; remembers what differs from the method's own.

    Args:
        tabWidget: an empty QTabWidget.
        onChanged: called when the user has changed a setting.
    """

    def __init__(self, tabWidget: Any, onChanged: Callable[[], None]) -> None:
        self._onChanged = onChanged
        self._fields: dict[tuple[str, str], _Field] = {}
        self._own: dict[tuple[str, str], Any] = {}
        self._pages: list[Any] = []
        for section in dict.fromkeys(one.section for one in allSettings()):
            area = qt.QScrollArea()
            area.widgetResizable = True
            page = qt.QWidget()
            form = qt.QFormLayout(page)
            for setting in allSettings():
                if setting.section == section:
                    self._add(form, setting)
            area.setWidget(page)
            tabWidget.addTab(area, section.capitalize())
            self._pages.append(area)

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

    def _add(self, form: Any, setting: Setting) -> None:
        field = _Field(setting, self._onChanged)
        field.widget.toolTip = _("{help} Default: {default}.").format(
            help=setting.help, default=valueText(setting.default) or _("none")
        )
        form.addRow(f"{setting.title}:", field.widget)
        self._fields[setting.section, setting.name] = field


class _Field:
    """The widget for a setting: a check box, a list of choices, or a line of text."""

    def __init__(self, setting: Setting, onChanged: Callable[[], None]) -> None:
        self.setting = setting
        if setting.kind is bool:
            self.widget = qt.QCheckBox()
            self.widget.connect("clicked(bool)", lambda checked: onChanged())
        elif setting.choices:
            self.widget = qt.QComboBox()
            for choice in setting.choices:
                self.widget.addItem(choice)
            self.widget.connect("activated(int)", lambda index: onChanged())
        else:
            self.widget = qt.QLineEdit()
            self.widget.connect("editingFinished()", onChanged)
        self.setValue(setting.default)

    @property
    def value(self) -> Any:
        if self.setting.kind is bool:
            return bool(self.widget.checked)
        if self.setting.choices:
            return self.widget.currentText
        return parsedValue(self.setting.kind, self.widget.text)

    def setValue(self, value: Any) -> None:
        if self.setting.kind is bool:
            self.widget.checked = bool(value)
        elif self.setting.choices:
            self.widget.currentIndex = self.widget.findText(str(value))
        else:
            self.widget.text = valueText(value)
