"""Stand-ins for the qMRML widgets that the modules use, on the real MRML scene."""

from __future__ import annotations

import fnmatch
from typing import Any

import shiboken6
from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

from slicer_harness.widgets.stand_in import stand_in


@stand_in("slicer")
class qMRMLWidget(QtWidgets.QWidget):
    """A widget that passes its scene on to the widgets inside."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


_CREATE, _RENAME, _DELETE = "\nnew", "\nrename", "\ndelete"  # never a node's ID


def _option(name: str, kind: Any, default: Any) -> Property:
    """A property of the combo box that decides which entries it shows."""

    def write(self: Any, value: Any) -> None:
        self._options[name] = list(value) if kind == "QStringList" else value
        self._refresh()

    def read(self: Any) -> Any:
        value = self._options.get(name, default)
        return tuple(value) if isinstance(value, list) else value

    return Property(kind, read, write)


@stand_in("slicer")
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Choose one node of the scene, or none, or create a new one."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observations: list[int] = []
        self._options: dict[str, Any] = {}
        self._attributes: list[tuple[str, str, Any]] = []
        self._announced: str | None = None
        # CTK's box of Slicer's selector is as wide as its widest entry when it is first shown.
        self._box = QtWidgets.QComboBox()
        self._box.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding
        )
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._onActivated)
        self._box.currentIndexChanged.connect(lambda *_: self._announce())

    nodeTypes = _option("nodeTypes", "QStringList", [])
    hideChildNodeTypes = _option("hideChildNodeTypes", "QStringList", [])
    showChildNodeTypes = _option("showChildNodeTypes", bool, True)
    showHidden = _option("showHidden", bool, False)
    noneEnabled = _option("noneEnabled", bool, False)
    noneDisplay = _option("noneDisplay", str, "None")
    addEnabled = _option("addEnabled", bool, True)
    removeEnabled = _option("removeEnabled", bool, True)
    renameEnabled = _option("renameEnabled", bool, False)
    editEnabled = _option("editEnabled", bool, False)
    selectNodeUponCreation = _option("selectNodeUponCreation", bool, True)
    baseName = _option("baseName", str, "")
    currentNodeID = Property(
        str,
        lambda self: self._box.currentData if self.currentNode() else "",
        lambda self, value: self.setCurrentNodeID(value),
    )

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        for observation in self._observations:
            self._scene.RemoveObserver(observation)
        self._scene = scene
        events = ("NodeAddedEvent", "NodeRemovedEvent", "EndBatchProcessEvent", "EndCloseEvent")
        self._observations = (
            [scene.AddObserver(getattr(scene, event), self._onScene) for event in events]
            if scene
            else []
        )
        self._refresh()

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._box.currentData or "") if self._scene else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else node.GetID() if node else "")

    def setCurrentNodeID(self, identifier: str | None) -> None:
        index = self._box.findData(identifier) if identifier else (0 if self.noneEnabled else -1)
        self._box.currentIndex = index

    def nodeCount(self) -> int:
        return len(self._nodes())

    def addAttribute(self, nodeType: str, name: str, value: Any = None) -> None:
        self._attributes.append((nodeType, name, value))
        self._refresh()

    def addNode(self, nodeType: str = "") -> Any:
        """What choosing "Create new ..." does."""
        name = self._scene.GenerateUniqueName(
            self.baseName or (nodeType or self.nodeTypes[0])[7:-4]
        )
        node = self._scene.AddNewNodeByClass(nodeType or self.nodeTypes[0], name)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        if self.currentNode():
            self._scene.RemoveNode(self.currentNode())

    def _nodes(self) -> list[Any]:
        if not self._scene:
            return []
        collection = self._scene.GetNodes()
        nodes = (collection.GetItemAsObject(i) for i in range(collection.GetNumberOfItems()))
        return [node for node in nodes if self._accepts(node)]

    def _accepts(self, node: Any) -> bool:
        exact = not self.showChildNodeTypes
        if not any(
            node.GetClassName() == kind if exact else node.IsA(kind) for kind in self.nodeTypes
        ) or any(node.IsA(kind) for kind in self.hideChildNodeTypes):
            return False
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        for kind, name, value in self._attributes:
            found = node.GetAttribute(name)
            if node.IsA(kind) and (
                found is None or (value is not None and not fnmatch.fnmatch(found, str(value)))
            ):
                return False
        return True

    def _refresh(self) -> None:
        box, chosen = self._box, self._box.currentData
        nodes = self._nodes()
        box.blockSignals(True)
        box.clear()
        if self.noneEnabled:
            box.addItem(self.noneDisplay, "")
        for node in nodes:
            box.addItem(node.GetName() or "", node.GetID())
        selectable = box.count
        for enabled, text, data in (
            (self.addEnabled, "Create new " + (self.baseName or "node"), _CREATE),
            (self.renameEnabled, "Rename current node", _RENAME),
            (self.removeEnabled, "Delete current node", _DELETE),
        ):
            if enabled and self._scene:
                box.addItem(text, data)
        # As in Slicer: without a "None" entry the first node is chosen.
        index = box.findData(chosen) if chosen else -1
        box.currentIndex = max(index, 0) if selectable else -1
        box.blockSignals(False)
        self._announce()

    def _onScene(self, scene: Any, event: str) -> None:
        if shiboken6.isValid(self) and not scene.IsBatchProcessing():
            self._refresh()

    def _onActivated(self, index: int) -> None:
        data = self._box.itemData(index)
        if data == _CREATE:
            self.addNode()
        elif data == _DELETE and self._announced:
            self._scene.RemoveNode(self._scene.GetNodeByID(self._announced))
        elif self.currentNode():
            self.nodeActivated.emit(self.currentNode())

    def _announce(self) -> None:
        node = self.currentNode()
        identifier = node.GetID() if node else None
        if identifier == self._announced or (self._box.currentData or "").startswith("\n"):
            return
        self._announced = identifier
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(identifier or "")


@stand_in("slicer")
class qMRMLSegmentationShow3DButton(QtWidgets.QPushButton):
    """Show or hide a segmentation's closed surface."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Show 3D", parent)
        self.checkable = True
        self.enabled = False
        self._node: Any = None
        self.toggled.connect(self._onToggled)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._node = node
        self.enabled = node is not None
        self.blockSignals(True)
        self.checked = bool(
            node
            and node.GetDisplayNode()
            and node.GetSegmentation().ContainsRepresentation("Closed surface")
            and node.GetDisplayNode().GetVisibility3D()
        )
        self.blockSignals(False)

    def _onToggled(self, shown: bool) -> None:
        if not self._node:
            return
        if shown:
            self._node.CreateClosedSurfaceRepresentation()
        self._node.CreateDefaultDisplayNodes()
        self._node.GetDisplayNode().SetVisibility3D(shown)
