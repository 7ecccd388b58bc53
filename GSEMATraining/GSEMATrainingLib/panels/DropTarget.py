"""Files, folders and data of the scene that are dropped on a widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import qt
from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy

ITEM = ("mrml", "scene", "/subjecthierarchy/item")
"""Scheme, host and path of the addresses that Slicer's data tree drags; so in qMRMLUtils."""


class DropTarget(qt.QObject):
    """Watches a widget; keep it as long as the widget.

    Args:
        widget: what may be dropped on.
        onPath: called with each local file or folder.
        onNodes: called with the data nodes that were dragged from the data tree.
    """

    def __init__(
        self, widget: Any, onPath: Callable[[str], None], onNodes: Callable[[list[Any]], None]
    ) -> None:
        super().__init__(widget)
        self._onPath, self._onNodes = onPath, onNodes
        # A table's own viewport gets the events of the mouse.
        widget.setAcceptDrops(True)
        widget.viewport().setAcceptDrops(True)
        widget.viewport().installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Called by Qt before the widget sees an event; True keeps it from the widget."""
        kind = event.type()
        if kind not in (qt.QEvent.DragEnter, qt.QEvent.DragMove, qt.QEvent.Drop):
            return False
        urls = event.mimeData().urls()
        paths = [path for url in urls if (path := url.toLocalFile())]
        nodes = droppedNodes(url.toString() for url in urls)
        if paths or nodes:
            event.acceptProposedAction()
        if kind == qt.QEvent.Drop:
            for path in paths:
                self._onPath(path)
            if nodes:
                self._onNodes(nodes)
        return bool(paths or nodes)


def droppedNodes(addresses: Iterable[str]) -> list[Any]:
    """The data nodes of addresses as Slicer's data tree drags them; others are left out."""
    hierarchy = subjectHierarchy()
    nodes = []
    for address in addresses:
        parts = urlsplit(address)
        numbers = parse_qs(parts.query).get("id", [])
        if (parts.scheme, parts.netloc, parts.path) == ITEM and numbers and numbers[0].isdigit():
            nodes.append(hierarchy.GetItemDataNode(int(numbers[0])))
    return [node for node in nodes if node is not None]
