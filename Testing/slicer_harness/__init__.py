"""Run scripted Slicer modules on Slicer's real MRML core, with Qt stand-ins for its widgets.

``slicer-core`` gives the scene, the nodes, the logics, the storage nodes and the displayable
managers as they are in Slicer. What it lacks is added here: PythonQt's ``qt`` module on PySide6,
the few ctk and qMRML widgets that the modules use, ``slicer.app``, ``slicer.modules`` and the
scripted-module classes. Passing here is not the same as a run of the real application.
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass
from typing import Any

from slicer_harness.system_libraries import INSTALL_COMMAND, missing_libraries

__all__ = ["INSTALL_COMMAND", "Harness", "boot", "missing_libraries"]


@dataclass(frozen=True)
class Harness:
    """The running harness; keep it as long as the scene is used."""

    core: Any
    application: Any
    has_widgets: bool

    def return_to_loop(self) -> None:
        """Do what is due, and delete what was closed: ``processEvents`` leaves that to the loop."""
        from PySide6 import QtCore

        self.application.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)


_running: list[Harness] = []


def boot(with_widgets: bool | None = None) -> Harness:
    """Start the core once for the process and return it.

    Args:
        with_widgets: False leaves out the panels and the pictures; None decides by the system's
            OpenGL libraries.
    """
    if _running:
        return _running[0]
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if with_widgets is None:
        with_widgets = not missing_libraries()
    from slicer_harness.application.core import start_core
    from slicer_harness.application.slicer_app import start_application
    from slicer_harness.application.subject_hierarchy import install_subject_hierarchy_plugins
    from slicer_harness.loader import install_module_classes
    from slicer_harness.pythonqt.modules import install_qt

    install_qt(with_widgets)
    core = start_core()
    application = start_application(core, with_widgets)
    install_module_classes(with_widgets)
    _install_python_layer()
    if with_widgets:
        install_subject_hierarchy_plugins()
    _running.append(Harness(core, application, with_widgets))
    return _running[0]


def _install_python_layer() -> None:
    import slicer

    from slicer_harness.python_layer import (
        packaging,
        parameter_node,
        scripted_module,
        translation,
    )

    modules: dict[str, types.ModuleType] = {
        "ScriptedLoadableModule": scripted_module,
        "parameterNodeWrapper": parameter_node,
        "i18n": translation,
        "packaging": packaging,
    }
    for name, module in modules.items():
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
