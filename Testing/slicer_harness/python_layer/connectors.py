"""Which property and signal of a widget carry a parameter (what Slicer calls GUI connectors)."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import slicer


class Connector:
    """A widget's value as a parameter: read it, write it, hear of its changes."""

    def __init__(
        self,
        widget: Any,
        signal: str,
        read: Callable[[], Any],
        write: Callable[[Any], None],
    ) -> None:
        self.read, self.write = read, write
        self._widget, self._signal = widget, signal
        self._callback: Callable[[], None] | None = None

    def connect(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._widget.connect(self._signal, callback)

    def disconnect(self) -> None:
        self._widget.disconnect(self._signal, self._callback)


_PROPERTIES: dict[tuple[str, type], tuple[str, str]] = {
    ("QCheckBox", bool): ("checked", "toggled(bool)"),
    ("QSpinBox", int): ("value", "valueChanged(int)"),
    ("QDoubleSpinBox", float): ("value", "valueChanged(double)"),
    ("ctkSliderWidget", float): ("value", "valueChanged(double)"),
    ("QLineEdit", str): ("text", "textChanged(QString)"),
    ("ctkPathLineEdit", pathlib.Path): ("currentPath", "currentPathChanged(QString)"),
}


def connector_for(widget: Any, kind: type, annotations: tuple[Any, ...]) -> Connector:
    """Return the connector Slicer would choose; raise TypeError where it knows none."""
    name = type(widget).__name__
    if name == "qMRMLNodeComboBox" and issubclass(kind, slicer.vtkMRMLNode):
        widget.nodeTypes = [kind.__name__]
        return Connector(
            widget, "currentNodeChanged(vtkMRMLNode*)", widget.currentNode, widget.setCurrentNode
        )
    choices = [item.choices for item in annotations if hasattr(item, "choices")]
    if name in ("QComboBox", "ctkComboBox") and choices:
        return _choice(widget, list(choices[0]))
    if (name, kind) not in _PROPERTIES:
        raise TypeError(f"no connector between a {name} and a {kind.__name__}")
    attribute, signal = _PROPERTIES[(name, kind)]
    for item in annotations:
        if hasattr(item, "maximum"):
            widget.minimum, widget.maximum = item.minimum, item.maximum
    return Connector(
        widget,
        signal,
        lambda: kind(getattr(widget, attribute)),
        lambda value: setattr(widget, attribute, str(value) if kind is pathlib.Path else value),
    )


def _choice(widget: Any, choices: list[Any]) -> Connector:
    widget.clear()
    for choice in choices:
        widget.addItem(str(choice))
    return Connector(
        widget,
        "currentIndexChanged(int)",
        lambda: choices[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", choices.index(value)),
    )
