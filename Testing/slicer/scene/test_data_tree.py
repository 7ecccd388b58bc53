"""The entry "Segment aneurysms" in the context menu of the data tree."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util


@pytest.fixture
def handler(panel, monkeypatch):
    """The data tree's plug-ins; choosing a module enters it."""
    from GSEMASegmentationLib.Startup import offerInDataTree

    chosen = []

    def select(name):
        chosen.append(name)
        panel.parent.enter()

    monkeypatch.setattr(slicer.util, "selectModule", select)
    handler = slicer.qSlicerSubjectHierarchyPluginHandler()
    monkeypatch.setattr(slicer.qSlicerSubjectHierarchyPluginHandler, "_instance", handler)
    offerInDataTree()
    handler.chosen = chosen
    return handler


@pytest.fixture
def menu(handler, scene):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return lambda node: handler.contextMenu(hierarchy.GetItemByDataNode(node))


def test_a_volume_offers_it_and_it_segments(panel, make_balls, handler, menu, spin):
    make_balls(name="other")
    volume = make_balls(name="case")
    (action,) = menu(volume)
    assert action.text == "Segment aneurysms"
    action.trigger()
    assert handler.chosen == ["GSEMASegmentation"]
    assert panel.ui.inputSelector.currentNode() is volume
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.outputSelector.currentNode().GetName() == "case aneurysms"


def test_nothing_else_offers_it(handler, menu, scene, make_balls):
    for kind in ("vtkMRMLLabelMapVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLTextNode"):
        assert menu(scene.AddNewNodeByClass(kind, "x")) == []
    assert handler.contextMenu(0) == []  # the scene itself
    (action,) = menu(make_balls())
    handler.setCurrentItem(0)
    action.trigger()
    assert handler.chosen == []


def test_what_cannot_be_segmented_is_told(panel, menu):
    (action,) = menu(slicer.util.addVolumeFromArray(np.zeros((1, 4, 4)), name="flat"))
    action.trigger()
    assert "flat has no 3D image" in panel.ui.statusLabel.text
    assert not panel.logic.isRunning


def test_a_run_goes_on(panel, make_balls, menu, fake_worker, spin):
    panel.logic._client._command = fake_worker("waits")
    volume, other = make_balls(name="case"), make_balls(name="other")
    menu(volume)[0].trigger()
    menu(other)[0].trigger()
    assert panel.ui.statusLabel.text.startswith("Wait for the end")
    assert panel.ui.inputSelector.currentNode() is volume
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.outputSelector.currentNode().GetName() == "case aneurysms"


def test_it_is_offered_when_slicer_has_started(handler, menu, make_balls):
    handler._plugins.clear()
    assert menu(make_balls()) == []
    slicer.app.startupCompleted.emit()
    assert [action.text for action in menu(make_balls())] == ["Segment aneurysms"]
