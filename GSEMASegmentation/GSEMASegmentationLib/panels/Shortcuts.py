"""Keys of the panel."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import qt
import slicer.util
from slicer.i18n import tr as _

CLICK, UNDO, REDO, PREVIOUS, NEXT, END = "C", "Z", "Y", "Q", "W", "Esc"
"""Undo, redo, previous and next are those of the Segment Editor, which has its own only while it is
shown. None is a key of Slicer's main window or of its views."""


class Shortcuts:
    """Keys that do something while they are switched on, wherever in the main window one works.

    Args:
        panel: the module's widget; used where there is no main window.
        actions: by key, as Qt writes it: what it does.
    """

    def __init__(self, panel: Any, actions: Mapping[str, Callable[[], None]]) -> None:
        self._shortcuts = {}
        for key, action in actions.items():
            shortcut = qt.QShortcut(slicer.util.mainWindow() or panel)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.connect("activated()", action)
            self._shortcuts[key] = shortcut
        self.switch(False)

    def switch(self, isOn: bool) -> None:
        """Switch all on or off."""
        for shortcut in self._shortcuts.values():
            shortcut.enabled = isOn

    def remove(self) -> None:
        """Take them away; the main window outlives the panel."""
        self.switch(False)
        for shortcut in self._shortcuts.values():
            shortcut.deleteLater()
        self._shortcuts = {}


def withKey(tooltip: str, key: str) -> str:
    """A tooltip that also tells the key."""
    return _("{tooltip} Key: {key}.").format(tooltip=tooltip, key=key)


def ctrlName() -> str:
    """What the key is called that Qt calls Ctrl."""
    return "Cmd" if sys.platform == "darwin" else _("Ctrl")
