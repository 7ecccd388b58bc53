"""Qt properties as Python attributes, and nothing but what the C++ class has (as in PythonQt).

PySide gives ``button.text()``; Slicer's PythonQt gives ``button.text`` and refuses to create an
attribute that the C++ class lacks. Code tested with PySide's rules would fail in Slicer, so the
harness bends PySide's classes to PythonQt's rules, once for the whole process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6 import QtCore

from slicer_harness.pythonqt.overloads import UNFIT, as_float, as_int

# C++ looks these virtual functions up by name on Python subclasses: they must stay callable.
_VIRTUAL_GETTERS = {"sizeHint", "minimumSizeHint"}

_read = QtCore.QObject.property
_write = QtCore.QObject.setProperty


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "int": as_int,
    "double": as_float,
    "QString": str,
}
"""What PythonQt makes of a value before Qt sees it, by the property's C++ type."""


class QtProperty:
    """A C++ property behaving as an attribute; a static function of that name stays reachable."""

    def __init__(self, name: str, type_name: str, writable: bool, static: Any) -> None:
        self.name, self.type_name, self.writable, self.static = name, type_name, writable, static

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self if self.static is None else self.static
        value = _read(instance, self.name)
        return tuple(value) if isinstance(value, list) else value

    def __set__(self, instance: Any, value: Any) -> None:
        if not self.writable:
            raise AttributeError(f"{type(instance).__name__}.{self.name} is read-only")
        given = _CONVERSIONS.get(self.type_name, lambda value: value)(value)
        if given is UNFIT or not _write(instance, self.name, given):
            raise ValueError(f"{type(instance).__name__}.{self.name} cannot be {value!r}")


def _is_cpp(cls: type) -> bool:
    """Whether the class is C++ in Slicer; a subclass written by a module may get attributes."""
    return cls.__module__.startswith("PySide6") or "_standsForCpp" in cls.__dict__


def _set_attribute(self: Any, name: str, value: Any) -> None:
    for cls in type(self).__mro__:
        descriptor = cls.__dict__.get(name)
        if descriptor is None:
            continue
        if isinstance(descriptor, QtCore.Property):
            if not _write(self, name, list(value) if isinstance(value, tuple) else value):
                raise ValueError(f"{type(self).__name__}.{name} cannot be {value!r}")
            return
        if hasattr(type(descriptor), "__set__"):
            descriptor.__set__(self, value)
            return
        break
    if isinstance(value, QtCore.QObject) and _read(value, "objectName") == name:
        return  # PySide's .ui loader offers children as attributes of the top widget, Qt's does not
    if isinstance(value, QtCore.SignalInstance):  # PySide keeps bound signals so
        self.__dict__[name] = value
        return
    # Stand-ins keep their own state in underscored names, which Slicer's modules never touch.
    if _is_cpp(type(self)) and not name.startswith("_"):
        raise AttributeError(
            f"{type(self).__name__} has no property '{name}', and an attribute cannot be added "
            "to a C++ object"
        )
    self.__dict__[name] = value


def _bend(cls: type) -> None:
    meta = cls.staticMetaObject  # type: ignore[attr-defined]
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        found = meta.property(index)
        name = found.name()
        own = cls.__dict__.get(name)
        if name in _VIRTUAL_GETTERS or isinstance(own, QtCore.Property):
            continue
        static = getattr(cls, name, None) if _is_static(cls, name) else None
        setattr(cls, name, QtProperty(name, found.typeName(), found.isWritable(), static))
    cls.__setattr__ = _set_attribute  # type: ignore[method-assign, assignment]


def _is_static(cls: type, name: str) -> bool:
    # QTimer has both a property and a static function singleShot.
    return (cls.__name__, name) == ("QTimer", "singleShot")


def bend_classes(modules: Iterable[Any]) -> list[type]:
    """Apply PythonQt's attribute rules to all QObject classes of the modules; returns them."""
    done: dict[type, None] = {}
    for module in modules:
        for candidate in list(vars(module).values()):
            if not (isinstance(candidate, type) and issubclass(candidate, QtCore.QObject)):
                continue
            for cls in reversed(candidate.__mro__):
                if cls not in done and "staticMetaObject" in cls.__dict__:
                    done[cls] = None
                    _bend(cls)
    QtCore.QObject.name = property(  # type: ignore[attr-defined]
        lambda self: _read(self, "objectName"),
        lambda self, value: self.setObjectName(value),
    )
    QtCore.QObject.className = lambda self: self.metaObject().className()  # type: ignore[attr-defined]
    return list(done)
