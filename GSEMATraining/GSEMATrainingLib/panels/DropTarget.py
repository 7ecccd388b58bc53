"""Files and folders that are dropped on a widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt


class DropTarget(qt.QObject):
    """Watches a widget; keep it as long as the widget.

    Args:
        widget: what files may be dropped on.
        onPaths: called with the local paths.
    """

    def __init__(self, widget: Any, onPaths: Callable[[Sequence[str]], None]) -> None:
        super().__init__(widget)
        self._onPaths = onPaths
        # A table's own viewport gets the events of the mouse.
        widget.setAcceptDrops(True)
        widget.viewport().setAcceptDrops(True)
        widget.viewport().installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Called by Qt before the widget sees an event; True keeps it from the widget."""
        kind = event.type()
        if kind in (qt.QEvent.DragEnter, qt.QEvent.DragMove):
            if droppedPaths(event.mimeData()):
                event.acceptProposedAction()
                return True
        elif kind == qt.QEvent.Drop:
            paths = droppedPaths(event.mimeData())
            if paths:
                event.acceptProposedAction()
                self._onPaths(paths)
                return True
        return False


def droppedPaths(mimeData: Any) -> list[str]:
    """The local files and folders of a drag."""
    paths = (url.toLocalFile() for url in mimeData.urls())
    return [path for path in paths if path]
