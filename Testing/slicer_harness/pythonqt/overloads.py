"""Which overload of a C++ function PythonQt calls, and with what.

Read from PythonQt's sources (``PythonQtSlot.cpp``, ``PythonQtConversion.cpp``,
``PythonQtClassInfo.cpp``, ``PythonQtMethodInfo.cpp``; the versions 3.6 and 4.1 do the same):

- Only overloads of exactly as many parameters as there are arguments are tried; each trailing
  parameter with a default makes one overload more.
- A first pass converts strictly: an int only from an int, a str only from a str, an enumeration
  only from a member of it. No Python value has the type of C++ flags, so a parameter that takes
  flags never fits in this pass. A second pass converts where it can: an int from any number or
  enumeration, a str from anything, a bool from any truth value, flags from a number.
- In each pass the first overload that fits is called. They stand in alphabetical order of their
  parameters as C++ writes them; of constructors the first is the first, then come the others
  backwards. (Held against the wrappers that PythonQt generates for Qt 5.15: 378 of 391 functions
  have this order, in the others it decides nothing but whether True is an int or a double.)
- None fits every pointer. Keyword arguments are refused with ValueError, as is what fits nothing.
"""

from __future__ import annotations

import enum
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore
from shibokensupport.signature import get_signature  # type: ignore[import-untyped]

from slicer_harness.pythonqt.enumerations import enumerator

_NAMES = """
    addButton addEnabledOption button edit hasFeature isOptionEnabled sectionText
    setCurrentSection setDefaultButton setEscapeButton setFlag setOption setOptimizationFlag
    setRenderHint setSelectedSection subControlRect testOption testRenderHint
"""
ONE_OF_FLAGS = frozenset(_NAMES.split())
"""Functions that take one value of an enumeration that others take as flags; for PySide both are
one type. These are all of Qt 5.15's QtCore, QtGui and QtWidgets that PythonQt wraps."""

UNFIT = object()
"""What cannot be converted."""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        kind: its Python type, or Any.
        is_flags: whether it takes C++ flags.
        is_pointer: whether None fits.
        is_optional: whether it has a default.
    """

    kind: Any
    is_flags: bool
    is_pointer: bool
    is_optional: bool

    @property
    def spelling(self) -> str:
        """As C++ writes it, to sort by."""
        name = getattr(self.kind, "__qualname__", str(self.kind)).replace(".", "::")
        if self.kind in (int, bool, float):
            return {int: "int", bool: "bool", float: "qreal"}[self.kind]
        if self.kind is str:
            return "const QString&"
        if isinstance(self.kind, enum.EnumMeta):
            return f"{name}s" if self.is_flags else name
        return f"{name}*" if self.is_pointer else f"const {name}&"

    def converted(self, value: Any, strict: bool) -> Any:
        """The argument for PySide, or UNFIT."""
        kind = self.kind
        if isinstance(kind, enum.EnumMeta):
            if type(value) is kind and not self.is_flags:
                return value
            number = UNFIT if strict else as_int(value)
            return number if number is UNFIT else enumerator(kind, number)
        if kind in _PLAIN:
            return value if type(value) is kind else UNFIT if strict else _PLAIN[kind](value)
        if kind in (bytes, QtCore.QByteArray):
            if isinstance(value, str) and not strict:
                return value.encode() if kind is QtCore.QByteArray else value
            return _fitting(value, (bytes, QtCore.QByteArray))
        if not _is_class(kind):
            return value
        if value is None:
            return None if self.is_pointer else UNFIT
        if not strict and self.is_pointer and type(value) is int and value == 0:
            return None
        return _fitting(value, (kind,) if strict else (kind, *_ALSO_FROM.get(kind.__name__, ())))


_ALSO_FROM: dict[str, tuple[Any, ...]] = {
    "QColor": (QtCore.Qt.GlobalColor,),
    "QCursor": (QtCore.Qt.CursorShape,),
}


def _fitting(value: Any, kinds: tuple[Any, ...]) -> Any:
    return value if isinstance(value, kinds) else UNFIT


def as_int(value: Any) -> Any:
    """A whole number of what is one, of a float the one below; UNFIT of anything else."""
    try:
        return math.floor(value) if isinstance(value, float) else int(value.__index__())
    except (AttributeError, TypeError):
        return UNFIT


def as_float(value: Any) -> Any:
    """A float of any number; UNFIT of anything else."""
    number = value if isinstance(value, float) else as_int(value)
    return number if number is UNFIT else float(number)


_PLAIN: dict[Any, Callable[[Any], Any]] = {int: as_int, float: as_float, bool: bool, str: str}


def _is_class(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__module__.startswith("PySide6")


Overload = tuple[Parameter, ...]


def overloads_of(function: Any, name: str, is_constructor: bool = False) -> list[Overload]:
    """All overloads, in the order in which PythonQt tries them; empty where PySide knows none.

    Args:
        function: a class (for its constructors) or a function of PySide's.
        name: the function's name.
        is_constructor: whether ``function`` is a class.
    """
    signatures = get_signature(function)
    if signatures is None:
        return []
    listed = signatures if isinstance(signatures, list) else [signatures]
    declared = sorted(
        (tuple(_parameters(one, name)) for one in listed),
        key=lambda overload: [parameter.spelling for parameter in overload],
    )
    full = [shorter for overload in declared for shorter in _with_defaults(overload)]
    return full[:1] + full[:0:-1] if is_constructor else full


def _with_defaults(overload: Overload) -> Iterator[Overload]:
    yield overload
    while overload and overload[-1].is_optional:
        overload = overload[:-1]
        yield overload


def _parameters(signature: inspect.Signature, name: str) -> Iterator[Parameter]:
    for parameter in signature.parameters.values():
        if parameter.name == "self" or parameter.kind is parameter.KEYWORD_ONLY:
            continue
        kind, allows_none = _first_type(parameter.annotation)
        is_flag = isinstance(kind, enum.EnumMeta) and issubclass(kind, enum.Flag)
        is_object = isinstance(kind, type) and issubclass(kind, QtCore.QObject)
        yield Parameter(
            kind,
            is_flag and name not in ONE_OF_FLAGS and parameter.name != "defaultButton",
            is_object or (allows_none and _is_class(kind)),
            parameter.default is not parameter.empty,
        )


def _first_type(annotation: Any) -> tuple[Any, bool]:
    """The C++ type of an annotation, and whether it names None.

    PySide lists further types that it would convert; the first is what C++ has.
    """
    options = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        options = list(typing.get_args(annotation))
    named = [one for one in options if one is not type(None)]
    kind = named[0] if named else Any
    return (kind if isinstance(kind, type) else Any), len(named) < len(options)


def resolved(
    overloads: Sequence[Overload], arguments: Sequence[Any], name: str
) -> tuple[Overload, list[Any]]:
    """The overload that PythonQt calls, and its arguments.

    Raises:
        ValueError: none fits.
    """
    # What is not overloaded is converted in the second way at once.
    passes = (True, False) if len(overloads) > 1 else (False,)
    for strict in passes:
        for overload in overloads:
            if len(overload) != len(arguments):
                continue
            given = [
                parameter.converted(value, strict)
                for parameter, value in zip(overload, arguments, strict=True)
            ]
            if not any(value is UNFIT for value in given):
                return overload, given
    known = "; ".join(
        ", ".join(parameter.spelling for parameter in overload) for overload in overloads
    )
    raise ValueError(f"no overload of {name} takes {tuple(arguments)!r}: there are ({known})")
