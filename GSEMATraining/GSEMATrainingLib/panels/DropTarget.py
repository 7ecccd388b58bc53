"""Files and folders that are dropped on a widget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt


class DropTarget(qt.QObject):
    """Watches a widget; keep it as long as the widget.

    Args:
        widget: what files may be dropped on.
        onPath: called with each local file or folder.
    """

    def __init__(self, widget: Any, onPath: Callable[[str], None]) -> None:
        super().__init__(widget)
        self._onPath = onPath
        # A table's own viewport gets the events of the mouse.
        widget.setAcceptDrops(True)
        widget.viewport().setAcceptDrops(True)
        widget.viewport().installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Called by Qt before the widget sees an event; True keeps it from the widget."""
        kind = event.type()
        if kind not in (qt.QEvent.DragEnter, qt.QEvent.DragMove, qt.QEvent.Drop):
            return False
        paths = [path for url in event.mimeData().urls() if (path := url.toLocalFile())]
        if paths:
            event.acceptProposedAction()
        if kind == qt.QEvent.Drop:
            for path in paths:
                self._onPath(path)
        return bool(paths)
