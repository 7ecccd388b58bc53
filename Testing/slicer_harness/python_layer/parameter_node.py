"""``slicer.parameterNodeWrapper``: typed access to a parameter node, with Slicer's own encoding.

The types that the modules use: node classes, bool, int, float, str and pathlib.Path, annotated
with WithinRange, Minimum, Choice or Default. The values stand in the node as Slicer writes them,
so that a scene saved here loads there.
"""

from __future__ import annotations

import pathlib
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
import slicer.util
import vtk

from slicer_harness.python_layer.connectors import connector_for

__all__ = ["Choice", "Default", "Minimum", "WithinRange", "parameterNodeWrapper"]

SLICER_PARAMETER_NAME = "SlicerParameterName"


@dataclass(frozen=True)
class Default:
    """The value of a parameter that was never set."""

    value: Any


@dataclass(frozen=True)
class WithinRange:
    """The value lies between two bounds, both allowed."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within [{self.minimum}, {self.maximum}]")


@dataclass(frozen=True)
class Minimum:
    """The value is at least this."""

    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum}")


@dataclass(frozen=True)
class Choice:
    """The value is one of these."""

    choices: tuple[Any, ...] | list[Any]

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"{value} is not one of {self.choices}")


_ZEROS: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: "", pathlib.Path: pathlib.Path()}


@dataclass(frozen=True)
class _Parameter:
    name: str
    kind: type
    annotations: tuple[Any, ...]
    default: Any

    @property
    def is_node(self) -> bool:
        return issubclass(self.kind, slicer.vtkMRMLNode)

    def read(self, node: Any) -> Any:
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        return text == "True" if self.kind is bool else self.kind(text)

    def write(self, node: Any, value: Any) -> None:
        if self.is_node:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"{self.name} must be a {self.kind.__name__}, not {value!r}")
            with slicer.util.NodeModify(node):
                node.SetParameter(self.name, "")
                node.SetNodeReferenceID(self.name, value.GetID() if value else None)
            return
        if self.kind in (int, float) and isinstance(value, (int, float)):
            value = self.kind(value)
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name} must be a {self.kind.__name__}, not {value!r}")
        for annotation in self.annotations:
            if hasattr(annotation, "validate"):
                annotation.validate(value)
        node.SetParameter(self.name, str(value))


def _parameters(cls: type) -> dict[str, _Parameter]:
    found = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        annotated = hasattr(hint, "__metadata__")
        kind = hint.__origin__ if annotated else hint
        annotations = tuple(hint.__metadata__) if annotated else ()
        if kind not in _ZEROS and not issubclass(kind, slicer.vtkMRMLNode):
            raise TypeError(f"the harness cannot store {name}, a {kind}")
        defaults = [item.value for item in annotations if isinstance(item, Default)]
        default = getattr(cls, name, defaults[0] if defaults else _ZEROS.get(kind))
        found[name] = _Parameter(name, kind, annotations, default)
    return found


class _Bindings:
    """One call of connectGui: widget and parameter follow each other until disconnected."""

    def __init__(self, wrapper: Any, connectors: dict[str, Any]) -> None:
        self._wrapper, self._connectors = wrapper, connectors
        self._updating = False
        self.update()
        for name, connector in connectors.items():
            connector.connect(self._writer(name, connector))
        self._tag = wrapper.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.update())

    def _writer(self, name: str, connector: Any) -> Callable[[], None]:
        def write() -> None:
            if not self._updating:
                setattr(self._wrapper, name, connector.read())

        return write

    def update(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for name, connector in self._connectors.items():
                connector.write(getattr(self._wrapper, name))
        finally:
            self._updating = False

    def remove(self) -> None:
        for connector in self._connectors.values():
            connector.disconnect()
        self._wrapper.RemoveObserver(self._tag)


def parameterNodeWrapper(cls: type) -> type:
    """Class decorator: annotated names become parameters stored in a vtkMRMLScriptedModuleNode."""
    parameters = _parameters(cls)

    def initialize(self: Any, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._bindings = {}
        for parameter in parameters.values():
            if not parameterNode.HasParameter(parameter.name):
                parameter.write(parameterNode, parameter.default)

    def connect_gui(self: Any, gui: Any) -> int:
        connectors = {}
        for widget in vars(gui).values():
            name = widget.property(SLICER_PARAMETER_NAME)
            if name:
                parameter = parameters[name]
                connectors[name] = connector_for(widget, parameter.kind, parameter.annotations)
        tag = len(self._bindings)
        self._bindings[tag] = _Bindings(self, connectors)
        return tag

    def disconnect_gui(self: Any, tag: int) -> None:
        bindings = self._bindings.get(tag)
        if bindings:
            bindings.remove()
            self._bindings[tag] = None

    for parameter in parameters.values():
        setattr(
            cls,
            parameter.name,
            property(
                lambda self, parameter=parameter: parameter.read(self.parameterNode),
                lambda self, value, parameter=parameter: parameter.write(self.parameterNode, value),
            ),
        )
    members: dict[str, Any] = {
        "__init__": initialize,
        "connectGui": connect_gui,
        "disconnectGui": disconnect_gui,
        "AddObserver": lambda self, *args: self.parameterNode.AddObserver(*args),
        "RemoveObserver": lambda self, tag: self.parameterNode.RemoveObserver(tag),
        "StartModify": lambda self: self.parameterNode.StartModify(),
        "EndModify": lambda self, was: self.parameterNode.EndModify(was),
    }
    for name, member in members.items():
        setattr(cls, name, member)
    return cls
