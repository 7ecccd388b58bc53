"""Registering a Python class in place of one of Slicer's C++ widgets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from slicer_harness.widgets.facts import WIDGETS

WidgetClass = TypeVar("WidgetClass", bound=type)

STAND_INS: dict[str, type] = {}
"""Class name -> stand-in, what the .ui loader may instantiate."""


def stand_in(module: str) -> Callable[[WidgetClass], WidgetClass]:
    """Offer the decorated class as ``module.ClassName`` with the C++ class's signal signatures."""

    def register(cls: WidgetClass) -> WidgetClass:
        cls._standsForCpp = True  # type: ignore[attr-defined]
        cls._cppSignals = set(WIDGETS[cls.__name__].signals)  # type: ignore[attr-defined]
        STAND_INS[cls.__name__] = cls
        setattr(sys.modules[module], cls.__name__, cls)
        return cls

    return register
