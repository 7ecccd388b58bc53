"""Click to segment in the panel: the mouse in a slice view, undo, and who ends it."""

from __future__ import annotations

import pytest
import slicer
import slicer.util
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

VESSEL = (3.0, -2.0, 5.0)
ANEURYSM = (14.0, 1.0, 3.0)


@pytest.fixture
def clicking(panel, make_balls, scene):
    """The panel with a volume, its click button pressed."""
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.clickButton.checked = True
    yield panel
    panel.clicks.stop()


def settle(panel, spin):
    spin(lambda: not panel.logic._client._requests and not panel.logic.isRunning)


def nodes_by_class(scene):
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return sorted((node.GetClassName(), node.GetID()) for node in nodes)


def test_a_click_in_a_slice_view_becomes_a_segment(panel, make_balls, spin, scene):
    from slicer_harness.views import SliceView

    volume = make_balls(name="case")
    panel.ui.inputSelector.setCurrentNode(volume)
    view = SliceView("Green", size=(200, 200))
    view.show_volume(volume)
    view.node.JumpSliceByCentering(*ANEURYSM)
    view.image()
    panel.ui.clickButton.click()
    assert panel.ui.statusLabel.text.startswith("Click on an aneurysm in a slice view.")
    settle(panel, spin)
    point = view.click(100, 100)
    assert point == pytest.approx(ANEURYSM, abs=0.8)
    spin(lambda: panel.logic.isRunning)
    assert panel.ui.segmentButton.text == "Cancel"
    settle(panel, spin)
    node = panel.ui.outputSelector.currentNode()
    assert [node.GetSegmentation().GetNthSegment(0).GetName()] == ["Aneurysm"]
    assert panel.ui.statusLabel.text.startswith("Aneurysm of 2")
    spin(lambda: panel.ui.aneurysmTable.rowCount == 1)  # measured when the segment is shown
    assert panel.ui.segmentButton.text == "Segment"
    assert panel.ui.clickButton.checked  # ready for the next one
    panel.ui.clickButton.click()
    (points,) = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    assert points.GetNthControlPointPositionWorld(0) == pytest.approx(point, abs=1e-3)


def test_undo_takes_it_back(clicking, spin):
    panel = clicking
    settle(panel, spin)
    assert not panel.ui.undoClickButton.enabled
    assert panel.ui.undoClickButton.toolTip == "There is nothing to take back."
    panel.clicks.onPoint(ANEURYSM)
    settle(panel, spin)
    assert panel.ui.undoClickButton.enabled
    panel.ui.undoClickButton.click()
    assert panel.ui.statusLabel.text == "Taken back: the click."
    assert not panel.ui.undoClickButton.enabled
    assert panel.ui.outputSelector.currentNode() is None
    assert panel.ui.aneurysmTable.rowCount == 0


def test_where_nothing_is_the_scene_stays(clicking, spin, scene):
    panel = clicking
    settle(panel, spin)
    before = nodes_by_class(scene)
    panel.clicks.onPoint((-15.0, -18.0, -15.0))
    settle(panel, spin)
    assert panel.ui.statusLabel.text == "No aneurysm here. The nearest candidate is 35 mm away."
    assert panel.ui.segmentButton.text == "Segment"
    assert nodes_by_class(scene) == before


def test_a_second_click_waits_for_the_first(clicking, spin):
    panel = clicking
    panel.clicks.onPoint(ANEURYSM)
    panel.clicks.onPoint(VESSEL)
    assert panel.ui.statusLabel.text == "Looking at R 14.0, A 1.0, S 3.0 mm..."
    spin(lambda: panel.ui.statusLabel.text.startswith("No aneurysm here."))
    assert panel.ui.outputSelector.currentNode().GetSegmentation().GetNumberOfSegments() == 1


def test_cancel_ends_a_click(panel, make_balls, fake_worker, spin, scene):
    panel.logic._client._command = fake_worker("slow")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.clicks.onPoint(ANEURYSM)
    panel.ui.segmentButton.click()
    settle(panel, spin)
    assert panel.ui.statusLabel.text == "Cancelled; the scene is unchanged."
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.text == "Segment"


def test_go_there_centers_the_views_and_changes_nothing(clicking, spin, scene):
    panel = clicking
    panel.parent.show()
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    slice_node.SetOrientation("Axial")
    settle(panel, spin)
    assert not panel.ui.goThereButton.visible
    panel.clicks.onPoint((-15.0, -18.0, -15.0))
    settle(panel, spin)
    assert panel.ui.goThereButton.visible
    before = nodes_by_class(scene)
    panel.ui.goThereButton.click()
    center = [slice_node.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    assert sum((a - b) ** 2 for a, b in zip(center, ANEURYSM, strict=True)) ** 0.5 < 4.5
    assert nodes_by_class(scene) == before
    panel.clicks.onPoint(ANEURYSM)
    assert not panel.ui.goThereButton.visible  # it belonged to the click before
    settle(panel, spin)
    assert not panel.ui.goThereButton.visible


def interaction(scene):
    return scene.GetFirstNodeByClass("vtkMRMLInteractionNode")


def end_by_mouse_mode(panel, scene, make_balls):
    node = interaction(scene)
    node.SetCurrentInteractionMode(node.ViewTransform)


def end_by_escape(panel, scene, make_balls):
    panel.parent.show()
    panel.parent.activateWindow()
    slicer.app.processEvents()
    QTest.keyClick(panel.ui.logTextEdit, Qt.Key.Key_Escape)


def end_by_right_click(panel, scene, make_balls):
    from slicer_harness.views import SliceView

    view = SliceView("Green", size=(200, 200))
    view.show_volume(panel.ui.inputSelector.currentNode())
    view.image()
    view.click(100, 100, "Right")


def end_by_button(panel, scene, make_balls):
    panel.ui.clickButton.click()


def end_by_other_module(panel, scene, make_balls):
    panel.parent.exit()


def end_by_other_volume(panel, scene, make_balls):
    panel.ui.inputSelector.setCurrentNode(make_balls(name="other"))


def end_by_no_volume(panel, scene, make_balls):
    scene.RemoveNode(panel.ui.inputSelector.currentNode())


def end_by_closing(panel, scene, make_balls):
    scene.Clear()


@pytest.mark.parametrize(
    "end",
    [end_by_mouse_mode, end_by_escape, end_by_right_click, end_by_button, end_by_other_module,
     end_by_other_volume, end_by_no_volume, end_by_closing],
)  # fmt: skip
def test_it_ends_with(clicking, scene, spin, make_balls, end):
    panel = clicking
    settle(panel, spin)
    assert interaction(scene).GetCurrentInteractionMode() == interaction(scene).Place
    assert panel.ui.statusLabel.text.endswith("Esc or a right click ends it.")
    end(panel, scene, make_balls)
    assert panel.ui.statusLabel.text == ""
    assert not panel.ui.clickButton.checked
    assert not panel.clicks.picker.isActive
    assert interaction(scene).GetCurrentInteractionMode() != interaction(scene).Place
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


def test_on_and_off_leaves_nothing_behind(panel, make_balls, scene, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    before = None
    for _ in range(5):
        panel.ui.clickButton.checked = True
        panel.ui.clickButton.checked = False
        settle(panel, spin)
        before = before or nodes_by_class(scene)
        assert nodes_by_class(scene) == before


def test_without_a_volume_the_button_says_why(panel):
    assert not panel.ui.clickButton.enabled
    assert "choose the angiography" in panel.ui.clickButton.toolTip


def test_what_the_worker_refuses_ends_it(panel, make_balls, fake_worker, spin):
    panel.logic._client._command = fake_worker("error")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.clickButton.checked = True
    settle(panel, spin)
    assert not panel.ui.clickButton.checked
    assert panel.ui.statusLabel.text.startswith("The volume is constant")


def test_missing_packages_are_one_sentence(panel, make_balls, monkeypatch):
    from GSEMASegmentationLib.install import Requirements

    monkeypatch.setattr(Requirements, "installedVersion", lambda package: None)
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.clickButton.checked = True
    assert not panel.ui.clickButton.checked
    assert panel.ui.statusLabel.text.startswith("Nothing was installed and nothing done")
    assert not panel.logic._client.isRunning
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


@pytest.fixture
def make_points(scene):
    def make(*points):
        markups = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "suspects")
        for point in points:
            markups.AddControlPointWorld(*point)
        return markups

    return make


def test_the_points_of_a_list_are_taken_one_after_the_other(panel, make_balls, make_points, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    assert panel.ui.segmentPointsButton.toolTip == "Choose a point list first."
    markups = make_points((-15.0, -18.0, -15.0), ANEURYSM)
    panel.ui.pointsSelector.setCurrentNode(markups)
    panel.ui.segmentPointsButton.click()
    summary = "An aneurysm was found at 1 of 2 points."
    spin(lambda: panel.ui.statusLabel.text == summary)
    settle(panel, spin)
    assert panel.ui.outputSelector.currentNode().GetSegmentation().GetNumberOfSegments() == 1
    assert markups.GetNumberOfControlPoints() == 2  # they belong to the user


def test_an_empty_list_and_a_cancel_end_it(panel, make_balls, make_points, fake_worker, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.pointsSelector.setCurrentNode(make_points())
    panel.ui.segmentPointsButton.click()
    assert panel.ui.statusLabel.text.startswith("The list has no points")
    panel.logic._client._command = fake_worker("slow")
    panel.ui.pointsSelector.setCurrentNode(make_points(ANEURYSM, VESSEL))
    panel.ui.segmentPointsButton.click()
    panel.ui.segmentButton.click()
    settle(panel, spin)
    assert panel.ui.statusLabel.text == "Cancelled; the scene is unchanged."
    assert panel.ui.segmentButton.text == "Segment"


def test_closing_the_scene_ends_a_click_in_a_panel_that_is_not_shown(
    panel, make_balls, fake_worker, scene, spin
):
    panel.logic._client._command = fake_worker("slow")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.clicks.onPoint(ANEURYSM)
    panel.parent.exit()
    scene.Clear()
    settle(panel, spin)
    assert panel.ui.segmentButton.text == "Segment"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_only_a_click_that_takes_long_gets_a_progress_bar(panel):
    panel.parent.show()
    panel.run.showBusy(True)
    panel.run.showClickProgress(0.3, "Reading the scan")
    assert not panel.ui.progressBar.visible
    panel.run._remaining._clock = lambda: panel.run._remaining._started + 2.0
    panel.run.showClickProgress(0.4, "Segmenting")
    assert panel.ui.progressBar.visible
    assert panel.ui.progressBar.value == 400
    panel.run.showBusy(False)
    assert not panel.ui.progressBar.visible
    assert panel.ui.segmentButton.text == "Segment"
