"""A volume that is dragged from the data tree onto the panel's selector."""

from __future__ import annotations

import pytest
import slicer
from PySide6 import QtCore, QtGui


@pytest.fixture
def drop(panel, scene):
    """Drop nodes, or addresses, on the selector; whether it took them."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)

    def address(what):
        if isinstance(what, str):
            return QtCore.QUrl(what)
        item = hierarchy.GetItemByDataNode(what)
        return QtCore.QUrl(f"mrml://scene/subjecthierarchy/item?id={item}")

    def onto(*what):
        data = QtCore.QMimeData()
        data.setUrls([address(one) for one in what])
        position, action = QtCore.QPointF(5, 5), QtCore.Qt.DropAction.CopyAction
        button, key = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier
        enter = QtGui.QDragEnterEvent(position.toPoint(), action, data, button, key)
        enter.ignore()
        slicer.app.sendEvent(panel.ui.inputSelector, enter)
        if enter.isAccepted():
            event = QtGui.QDropEvent(position, action, data, button, key)
            slicer.app.sendEvent(panel.ui.inputSelector, event)
        return enter.isAccepted()

    return onto


def test_a_volume_is_chosen(panel, make_balls, drop):
    make_balls(name="other")
    volume = make_balls(name="dragged")
    assert drop(volume)
    assert panel.ui.inputSelector.currentNode() is volume
    assert panel.ui.segmentButton.enabled


def test_of_several_the_first_volume_counts(panel, make_balls, scene, drop):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    volume = make_balls(name="dragged")
    assert drop(node, volume)
    assert panel.ui.inputSelector.currentNode() is volume


def test_what_is_no_volume_is_told(panel, scene, drop):
    assert drop(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments"))
    assert panel.ui.inputSelector.currentNode() is None
    assert panel.ui.statusLabel.text == "segments is not a volume: drop an angiography."


@pytest.mark.parametrize(
    "address",
    [
        "file:///tmp/case.nrrd",
        "mrml://scene/subjecthierarchy/item?id=987654",
        "mrml://scene/subjecthierarchy/item?id=x",
        "mrml://scene/subjecthierarchy/item",
        "https://scene/subjecthierarchy/item?id=1",
    ],
)
def test_what_is_nothing_of_the_scene_is_left_to_slicer(drop, address):
    assert not drop(address)
