"""Scripted plug-ins of the data tree, and the context menu that Slicer makes of them.

Written after Slicer's qSlicerSubjectHierarchyScriptedPlugin, -PluginHandler and -PluginLogic and
its Python package SubjectHierarchyPlugins. There is no tree here: ``contextMenu`` is what a right
click on an item shows.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import slicer
from PySide6 import QtCore


class qSlicerSubjectHierarchyScriptedPlugin(QtCore.QObject):
    """The C++ side of a plug-in."""

    _standsForCpp = True

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._python: Any = None
        self.setObjectName("UnnamedScriptedPlugin")

    def setPythonSource(self, path: str) -> bool:
        """Load a file and make the object of the class that is called as the file."""
        name = Path(path).stem
        if Path(path).suffix not in (".py", ".pyc") or not Path(path).exists():
            return False
        class_name = name if name.endswith("SubjectHierarchyPlugin") else f"{name}{_SUFFIX}"
        if not hasattr(sys.modules.get(name), class_name):
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None and spec.loader is not None
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        self._python = getattr(sys.modules[name], class_name)(self)
        setattr(slicer, class_name, self._python)
        return True


_SUFFIX = "SubjectHierarchyPlugin"


class qSlicerSubjectHierarchyPluginHandler:
    """All plug-ins, and the item whose menu is open."""

    _instance: ClassVar[Any] = None

    def __init__(self) -> None:
        self._plugins: list[Any] = []
        self._item = 0

    @classmethod
    def instance(cls) -> Any:
        cls._instance = cls._instance or cls()
        return cls._instance

    def registerPlugin(self, plugin: Any) -> bool:
        if any(one.name == plugin.name for one in self._plugins):
            return False  # Slicer warns of a name that is taken
        self._plugins.append(plugin)
        return True

    def currentItem(self) -> int:
        return self._item

    def setCurrentItem(self, item: int) -> None:
        self._item = item

    def contextMenu(self, item: int) -> list[Any]:
        """The actions that a right click on an item shows."""
        self.setCurrentItem(item)
        actions = []
        for plugin in self._plugins:
            own = plugin._python.itemContextMenuActions()
            for action in own:
                action.visible = False
            plugin._python.showContextMenuActionsForItem(item)
            actions += own
        return [action for action in actions if action.visible]


class AbstractScriptedSubjectHierarchyPlugin:
    """Slicer's base class of the Python side: it registers the C++ side."""

    def __init__(self, scriptedPlugin: Any) -> None:
        self.scriptedPlugin = scriptedPlugin
        qSlicerSubjectHierarchyPluginHandler.instance().registerPlugin(scriptedPlugin)


def install_subject_hierarchy_plugins() -> None:
    """Put the classes where Slicer has them."""
    slicer.qSlicerSubjectHierarchyScriptedPlugin = qSlicerSubjectHierarchyScriptedPlugin
    slicer.qSlicerSubjectHierarchyPluginHandler = qSlicerSubjectHierarchyPluginHandler
    for name in ("SubjectHierarchyPlugins", "AbstractScriptedSubjectHierarchyPlugin"):
        module = types.ModuleType(name)
        module.AbstractScriptedSubjectHierarchyPlugin = (  # type: ignore[attr-defined]
            AbstractScriptedSubjectHierarchyPlugin
        )
        sys.modules[name] = module
