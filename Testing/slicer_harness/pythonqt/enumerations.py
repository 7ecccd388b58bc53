"""Qt's enumerations as PythonQt has them: integers, and joined by ``|`` plain ones.

PySide makes Python's ``Enum`` and ``Flag`` of them, whose ``A | B`` still knows that it stands for
flags. In PythonQt it is the number alone, which matters where a function has several overloads.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Iterable
from typing import Any


def bend_enumerations(classes: Iterable[type]) -> None:
    """Give the enumerations of these classes the arithmetic and comparisons of integers."""
    for owner in classes:
        for member in list(vars(owner).values()):
            if isinstance(member, enum.EnumMeta):
                _bend(member)


def enumerator(kind: Any, number: int) -> Any:
    """The number as PySide takes it; C++ has no objection to a number without a name."""
    try:
        return kind(number)
    except ValueError:
        nameless = int.__new__(kind, number) if issubclass(kind, int) else object.__new__(kind)
        nameless._name_, nameless._value_ = None, number
        return nameless


def _bend(kind: Any) -> None:
    # Python's own machinery for flags calls none of these on the members that it makes.
    kind.__int__ = kind.__index__ = lambda self: int(self.value)
    kind.__hash__ = lambda self: hash(int(self.value))
    kind.__bool__ = lambda self: int(self.value) != 0
    for name, joining in (("or", operator.or_), ("and", operator.and_), ("xor", operator.xor)):
        setattr(kind, f"__{name}__", _joined(joining))
        setattr(kind, f"__r{name}__", _joined(joining))
    kind.__invert__ = lambda self: ~int(self.value)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(kind, f"__{name}__", _joined(getattr(operator, name)))


def _joined(operation: Callable[[int, int], Any]) -> Callable[[Any, Any], Any]:
    def on_numbers(self: Any, other: Any) -> Any:
        if not isinstance(other, (int, enum.Enum)):
            return NotImplemented
        number = other.value if isinstance(other, enum.Enum) else other
        return operation(int(self.value), int(number))

    return on_numbers
