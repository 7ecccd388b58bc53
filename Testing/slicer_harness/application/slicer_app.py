"""``slicer.app`` and ``slicer.modules``: the functions of Slicer's application that modules use."""

from __future__ import annotations

import os
import types
from typing import Any

import slicer
from PySide6 import QtCore
from PySide6.QtCore import Signal

from slicer_harness.application.core import Core
from slicer_harness.application.io_manager import CoreIOManager


class ModuleManager(QtCore.QObject):
    """``slicer.app.moduleManager()``."""

    moduleAboutToBeUnloaded = Signal(str)
    moduleLoaded = Signal(str)

    def module(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower(), None)


class CoreModule:
    """A C++ module as ``slicer.modules.volumes``: only its logic is here."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title = name, name
        self._logic = logic

    def logic(self) -> Any:
        return self._logic


class _ApplicationFunctions:
    """Mixed into QApplication, or into QCoreApplication where the OpenGL libraries are missing."""

    _core: Core

    def startWith(self, core: Core) -> None:
        self._core = core
        self._moduleManager = ModuleManager()
        self._ioManager = CoreIOManager()
        settings = core.temporary_path / "settings"
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(
            QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(settings)
        )
        self._settings = QtCore.QSettings()

    @property
    def temporaryPath(self) -> str:
        return str(self._core.temporary_path)

    @property
    def slicerHome(self) -> str:
        return str(self._core.temporary_path / "home")

    @property
    def majorVersion(self) -> int:
        return 5

    @property
    def minorVersion(self) -> int:
        return 13

    def testingEnabled(self) -> bool:
        return True

    def mrmlScene(self) -> Any:
        return self._core.scene

    def applicationLogic(self) -> Any:
        return self._core.application_logic

    def coreIOManager(self) -> CoreIOManager:
        return self._ioManager

    def ioManager(self) -> CoreIOManager:
        return self._ioManager

    def moduleManager(self) -> ModuleManager:
        return self._moduleManager

    def settings(self) -> QtCore.QSettings:
        return self._settings

    def userSettings(self) -> QtCore.QSettings:
        return self._settings

    def layoutManager(self) -> None:
        """None, as in a Slicer without a main window."""

    def pauseRender(self) -> None:
        """There is no view of the application to hold back."""

    def resumeRender(self) -> None:
        """See pauseRender."""

    def translate(self, context: str, text: str) -> str:
        return text

    def startupEnvironment(self) -> dict[str, str]:
        return dict(os.environ)


def start_application(core: Core, with_widgets: bool) -> Any:
    """Make the Qt application that is ``slicer.app``, and ``slicer.modules``."""
    base: Any = QtCore.QCoreApplication
    if with_widgets:
        from PySide6 import QtWidgets

        base = QtWidgets.QApplication

    class SlicerApplication(_ApplicationFunctions, base):  # type: ignore[misc]
        """The application object; a module may not add attributes to it."""

        _standsForCpp = True
        startupCompleted = Signal()

    application = SlicerApplication(["slicer"])
    application.setOrganizationName("harness")
    application.setApplicationName("Slicer")
    application.startWith(core)
    slicer.app = application
    slicer.modules = types.SimpleNamespace(
        **{name.lower(): CoreModule(name, logic) for name, logic in core.logics.items()}
    )
    return application
