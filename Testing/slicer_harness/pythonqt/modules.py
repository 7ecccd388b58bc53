"""The ``qt`` and ``ctk`` modules that Slicer's Python has, made from PySide6."""

from __future__ import annotations

import sys
import types
from typing import Any

from PySide6 import QtCore

from slicer_harness.pythonqt.calls import classes_of, install_calls
from slicer_harness.pythonqt.enumerations import bend_enumerations
from slicer_harness.pythonqt.properties import bend_classes
from slicer_harness.pythonqt.signals import install_connect


def install_qt(with_widgets: bool) -> types.ModuleType:
    """Put ``qt`` and ``ctk`` into ``sys.modules``.

    Args:
        with_widgets: False leaves out everything that needs the OpenGL libraries of the system
            (QtGui, QtWidgets); processes, timers and settings still work.
    """
    if "qt" in sys.modules:
        return sys.modules["qt"]
    sources: list[Any] = [QtCore]
    if with_widgets:
        from PySide6 import QtGui, QtUiTools, QtWidgets

        sources += [QtGui, QtWidgets, QtUiTools]
    qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
    for source in sources:
        for name in dir(source):
            if not name.startswith("_"):
                setattr(qt, name, getattr(source, name))
    bend_enumerations(classes_of(sources))
    install_connect(bend_classes(sources))
    install_calls(classes_of(sources))
    sys.modules.update({"qt": qt, "ctk": ctk})
    if with_widgets:
        _bend_file_dialogs(qt)
        # These define stand-ins in qt, ctk and slicer while they are imported.
        from slicer_harness.pythonqt.ui_loader import UiLoader
        from slicer_harness.widgets import ctk_widgets, mrml_widgets, segment_editor  # noqa: F401

        qt.QUiLoader = UiLoader  # type: ignore[attr-defined]
    return qt


def _bend_file_dialogs(qt: Any) -> None:
    """PythonQt returns the chosen path alone, PySide a pair of path and filter."""
    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName"):
        original = getattr(qt.QFileDialog, name)

        def path_only(*arguments: Any, _original: Any = original, **named: Any) -> Any:
            chosen = _original(*arguments, **named)[0]
            return tuple(chosen) if isinstance(chosen, list) else chosen

        setattr(qt.QFileDialog, name, staticmethod(path_only))
