"""Calls of Qt's functions with PythonQt's rules instead of PySide's."""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Callable, Iterable
from typing import Any

from PySide6 import QtCore

from slicer_harness.pythonqt.overloads import Overload, overloads_of, resolved


class Call:
    """A function of Qt, bound to its object; not a method, which C++ would take for an override."""

    def __init__(self, function: Callable[..., Any], overloads: list[Overload], name: str) -> None:
        self._function, self._overloads, self.__name__ = function, overloads, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        _refuse(named, self.__name__)
        _overload, given = resolved(self._overloads, arguments, self.__name__)
        result = self._function(*given)
        return tuple(result) if isinstance(result, list) else result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self._function == other._function

    def __hash__(self) -> int:
        return hash(self._function)


def _refuse(named: dict[str, Any], name: str) -> None:
    if named:
        raise ValueError(f"{name} takes no keyword arguments in PythonQt: {', '.join(named)}")


def classes_of(modules: Iterable[Any]) -> list[type]:
    """All classes of Qt in these modules of PySide."""
    found: dict[type, None] = {}
    for module in modules:
        for candidate in vars(module).values():
            if isinstance(candidate, type) and candidate.__module__.startswith("PySide6"):
                found[candidate] = None
    return list(found)


def install_calls(classes: Iterable[type]) -> None:
    """Resolve overloads of constructors, functions and static functions as PythonQt does."""
    for cls in classes:
        if not issubclass(cls, _LEFT_ALONE) and type(cls).__name__ == "ObjectType":
            _bend_constructor(cls)
            _bend_static_functions(cls)
            _bend_functions(cls)


_LEFT_ALONE = (QtCore.QCoreApplication, enum.Enum)


def _bend_constructor(cls: Any) -> None:
    original = cls.__init__
    overloads: list[list[Overload]] = []  # found at the first call: it takes long for all classes

    def construct(self: Any, *arguments: Any, **named: Any) -> None:
        if not overloads:
            overloads.append(overloads_of(cls, cls.__name__, is_constructor=True))
        _refuse(named, cls.__name__)
        if overloads[0]:
            arguments = tuple(resolved(overloads[0], arguments, cls.__name__)[1])
        original(self, *arguments)

    cls.__init__ = construct


def _bend_static_functions(cls: Any) -> None:
    for name, member in list(vars(cls).items()):
        if isinstance(member, staticmethod) and not name.startswith("_"):
            setattr(cls, name, staticmethod(_static(getattr(cls, name), name)))


def _static(function: Any, name: str) -> Callable[..., Any]:
    known: list[list[Overload]] = []

    def call(*arguments: Any, **named: Any) -> Any:
        if not known:
            known.append(overloads_of(function, name))
        return Call(function, known[0], name)(*arguments, **named)

    return call


def _bend_functions(cls: Any) -> None:
    plain = cls.__getattribute__

    def getattribute(self: Any, name: str) -> Any:
        return _bound(plain(self, name))

    cls.__getattribute__ = getattribute


@functools.cache
def _overloads(owner: type, name: str) -> list[Overload]:
    return overloads_of(getattr(owner, name), name)


def _bound(function: Any) -> Any:
    """A function of a Qt object with PythonQt's rules; other values as they are."""
    if type(function) is not types.BuiltinMethodType or function.__name__.startswith("_"):
        return function
    overloads = _overloads(type(function.__self__), function.__name__)
    return Call(function, overloads, function.__name__) if overloads else function
