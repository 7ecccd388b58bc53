"""``sender.connect("clicked(bool)", receiver)`` with PythonQt's rules; an unknown signal raises.

Slicer only logs a wrong signature and goes on without the connection; a test must not.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from PySide6 import QtCore

_SIGNATURE = re.compile(r"^(\w+)\((.*)\)$")
_CPP_NOISE = re.compile(r"\bconst\b|&|\s")
_PYTHON_TYPES: dict[str, type] = {"bool": bool, "int": int, "double": float, "QString": str}

_connections = "_harnessConnections"


class UnknownSignal(RuntimeError):
    """The C++ class has no signal of this name and these argument types."""


def normalized(signature: str) -> str:
    """A C++ signature without const, references and blanks."""
    return _CPP_NOISE.sub("", signature)


def trimmed(receiver: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Call ``receiver`` with at most ``count`` arguments, and no more than it takes (PythonQt)."""
    try:
        parameters = list(inspect.signature(receiver).parameters.values())
    except (TypeError, ValueError):
        parameters = []
        takes = count
    else:
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        takes = sum(parameter.kind in positional for parameter in parameters)
        if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
            takes = count
    # With a fixed number of parameters, because PySide passes nothing to a catch-all.
    wrappers: tuple[Callable[..., Any], ...] = (
        lambda: receiver(),
        lambda first: receiver(first),
        lambda first, second: receiver(first, second),
        lambda first, second, third: receiver(first, second, third),
    )
    return wrappers[min(count, takes)]


def _signal(sender: Any, signature: str) -> tuple[Any, int]:
    """The bound PySide signal for a C++ signature, and how many arguments it carries."""
    match = _SIGNATURE.match(normalized(signature))
    if match is None:
        raise UnknownSignal(f"'{signature}' is not a signal's signature")
    name, arguments = match.groups()
    types = arguments.split(",") if arguments else []
    declared = _declared_signals(type(sender))
    if declared is not None and name in {item.split("(")[0] for item in declared}:
        if normalized(signature) not in declared:
            raise UnknownSignal(f"{type(sender).__name__} has {sorted(declared)}, not {signature}")
        bound = getattr(sender, name)
        wanted = object if arguments.endswith("*") else _PYTHON_TYPES.get(arguments)
        return (bound[wanted] if len(_overloads(type(sender), name)) > 1 else bound), len(types)
    meta = sender.metaObject()
    index = meta.indexOfSignal(QtCore.QMetaObject.normalizedSignature(signature).data().decode())
    if index < 0:
        raise UnknownSignal(f"{meta.className()} has no signal {signature}")
    return getattr(sender, name), len(types)


def _declared_signals(cls: type) -> set[str] | None:
    """C++ signatures of a stand-in's signals; Python's own signals cannot carry vtk types."""
    found: set[str] = set()
    for base in cls.__mro__:
        found |= base.__dict__.get("_cppSignals", set())
    return found or None


def _overloads(cls: type, name: str) -> set[str]:
    return {item for item in _declared_signals(cls) or () if item.startswith(name + "(")}


def _connect(self: Any, signature: str, receiver: Any, slot: str | None = None) -> bool:
    if slot is not None:
        receiver = getattr(receiver, slot.split("(")[0])
    if not callable(receiver):
        raise TypeError(f"cannot connect {signature} to {receiver!r}")
    bound, count = _signal(self, signature)
    connection = bound.connect(trimmed(receiver, count))
    self.__dict__.setdefault(_connections, []).append((normalized(signature), receiver, connection))
    return True


def _disconnect(self: Any, signature: str, receiver: Any, slot: str | None = None) -> bool:
    if slot is not None:
        receiver = getattr(receiver, slot.split("(")[0])
    _signal(self, signature)
    records = self.__dict__.get(_connections, [])
    for record in records:
        if record[0] == normalized(signature) and record[1] == receiver:
            records.remove(record)
            return bool(_plain_disconnect(record[2]))
    return False


_plain_disconnect = QtCore.QObject.disconnect


def install_connect(classes: Iterable[Any]) -> None:
    """Give the QObject classes PythonQt's ``connect`` and ``disconnect``.

    Shiboken answers these two names itself before it looks at a class's attributes, and does so
    anew in some subclasses, hence the detour over every class's ``__getattribute__``.
    """
    replaced = {"connect": _connect, "disconnect": _disconnect}

    def detour(plain: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        def getattribute(self: Any, name: str) -> Any:
            if name in replaced:
                return replaced[name].__get__(self)
            return plain(self, name)

        return getattribute

    for cls, plain in [(cls, cls.__getattribute__) for cls in classes]:
        cls.__getattribute__ = detour(plain)
