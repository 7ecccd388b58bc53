"""Loading a scripted module as Slicer's module factory does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer


class qSlicerScriptedLoadableModule:
    """The C++ side of a module; its Python side fills in the description."""

    _FIELDS = (
        "name path title categories dependencies contributors helpText acknowledgementText icon "
        "hidden associatedNodeTypes index"
    )

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path
        self.title, self.categories, self.dependencies = "", [], []
        self._python: Any = None
        self._widget: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._FIELDS.split():
            raise AttributeError(f"a module has no property '{name}'")
        super().__setattr__(name, value)

    def widgetRepresentation(self) -> Any:
        """The panel, made when it is first asked for."""
        if self._widget is None:
            self._widget = qSlicerScriptedLoadableModuleWidget(self.name, self._python)
        return self._widget

    def closeWidget(self) -> None:
        """Take the panel down as a reload or the end of the application does."""
        if self._widget is not None:
            slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.name)
            setattr(slicer.modules, self.name + "Widget", None)
            self._widget.deleteLater()
            self._widget = None


def _widget_class() -> type:
    class ScriptedWidget(slicer.qMRMLWidget):
        """The C++ widget that a scripted panel fills; knows whether it is entered."""

        _standsForCpp = True

        def __init__(self, name: str, python: Any) -> None:
            super().__init__()
            import qt

            qt.QVBoxLayout(self).setContentsMargins(0, 0, 0, 0)  # as Slicer's module panel does
            self._entered = False
            self._self: Any = None
            self.setMRMLScene(slicer.mrmlScene)
            self._self = getattr(python, name + "Widget")(self)
            setattr(slicer.modules, name + "Widget", self._self)
            self._self.setup()

        @property
        def isEntered(self) -> bool:
            return self._entered

        def self(self) -> Any:
            return self._self

        def enter(self) -> None:
            self._entered = True
            self._self.enter()

        def exit(self) -> None:
            self._entered = False
            self._self.exit()

    return ScriptedWidget


def install_module_classes(with_widgets: bool) -> None:
    """Put the C++ classes of scripted modules into ``slicer``."""
    slicer.qSlicerScriptedLoadableModule = qSlicerScriptedLoadableModule
    slicer.selfTests = {}
    if with_widgets:
        global qSlicerScriptedLoadableModuleWidget
        qSlicerScriptedLoadableModuleWidget = _widget_class()
        slicer.qSlicerScriptedLoadableModuleWidget = qSlicerScriptedLoadableModuleWidget


qSlicerScriptedLoadableModuleWidget: Any = None


def load_module(path: Path) -> Any:
    """Import a module's file and make its module object; returns the Python module.

    As in Slicer, the module's folder is put on ``sys.path`` first, and the module object is
    reachable as ``slicer.modules.<name in lower case>``.
    """
    name = path.stem
    if name in sys.modules:
        return sys.modules[name]
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    python = importlib.util.module_from_spec(spec)
    sys.modules[name] = python
    spec.loader.exec_module(python)
    module = qSlicerScriptedLoadableModule(name, str(path))
    module._python = python
    setattr(slicer.modules, name.lower(), module)
    setattr(slicer.modules, name + "Instance", getattr(python, name)(module))
    return python
