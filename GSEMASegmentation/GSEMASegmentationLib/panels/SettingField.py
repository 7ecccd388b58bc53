"""The widget of a setting, made from what its field says: both panels show settings by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from gsema_core.configuration import Setting


def valueText(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, (list, tuple)):
        return ", ".join(valueText(one) for one in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def parsedValue(kind: Any, text: str) -> Any:
    """What was typed, as the type; the text itself where it is not of that type.

    The configuration's own checks then say what is wrong with it.
    """
    arguments = getattr(kind, "__args__", ())
    if arguments:
        return [parsedValue(arguments[0], one.strip()) for one in text.split(",") if one.strip()]
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        return text


class SettingField:
    """A check box, a list of choices, a number with steps, or a line of text.

    Args:
        setting: what is shown.
        onChanged: called when the user has changed it.
    """

    def __init__(self, setting: Setting, onChanged: Callable[[], None]) -> None:
        self.setting = setting
        self._chosen = bool(setting.choices) and not setting.is_list  # several are typed
        self._shown: tuple[float, Any] | None = None  # in the box, and the value that it stands for
        if setting.kind is bool:
            self.widget = qt.QCheckBox()
            self.widget.connect("clicked(bool)", lambda checked: onChanged())
        elif self._chosen:
            self.widget = qt.QComboBox()
            self.widget.addItems(list(setting.choices))
            self.widget.connect("activated(int)", lambda index: onChanged())
        elif setting.step:
            self.widget = self._spinBox()
            self.widget.connect("editingFinished()", onChanged)
            self.widget.connect(_spinSignal(setting), lambda value: onChanged())
        else:
            self.widget = qt.QLineEdit()
            self.widget.connect("editingFinished()", onChanged)
        self.widget.objectName = setting.name
        self.widget.toolTip = _("{help} Default: {default}.").format(
            help=setting.help, default=self.text(setting.default)
        )
        self.setValue(setting.default)

    @property
    def value(self) -> Any:
        if self.setting.kind is bool:
            return bool(self.widget.checked)
        if self._chosen:
            return self.widget.currentText
        if not self.setting.step:
            return parsedValue(self.setting.kind, self.widget.text)
        if self.setting.optional and self.widget.value <= self.widget.minimum:
            return None
        if self._shown is not None and self.widget.value == self._shown[0]:
            return self._shown[1]  # the box rounds
        value = round(float(self.widget.value), 6)
        return int(value) if self.setting.kind is int else value

    def setValue(self, value: Any) -> None:
        """Show it, without telling of a change."""
        blocked = self.widget.blockSignals(True)
        if self.setting.kind is bool:
            self.widget.checked = bool(value)
        elif self._chosen:
            if self.setting.part and self.widget.findText(str(value)) < 0:
                self.widget.addItem(str(value))  # a part from outside, which is installed
            self.widget.currentIndex = self.widget.findText(str(value))
        elif self.setting.step:
            self.widget.value = self.widget.minimum if value is None else value
            self._shown = None if value is None else (self.widget.value, value)
        else:
            self.widget.text = valueText(value)
        self.widget.blockSignals(blocked)

    def text(self, value: Any) -> str:
        """A value for people."""
        if value is None:
            return self.setting.none
        return valueText(value) or _("none")

    def _spinBox(self) -> Any:
        """A box whose 0 stands for none, where there may be none."""
        setting = self.setting
        box = qt.QSpinBox() if setting.kind is int else qt.QDoubleSpinBox()
        if setting.kind is float:
            box.decimals = 2 if setting.step < 1 else 1
        low = 0 if setting.optional else setting.low
        box.minimum, box.maximum = setting.kind(low), setting.kind(setting.high)
        box.singleStep = setting.kind(setting.step)
        box.suffix = f" {setting.unit}".replace("mm3", "mm³") if setting.unit else ""
        if setting.optional:
            box.specialValueText = setting.none.capitalize()
        return box


def _spinSignal(setting: Setting) -> str:
    return "valueChanged(int)" if setting.kind is int else "valueChanged(double)"
