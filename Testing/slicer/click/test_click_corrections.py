"""Further clicks on an aneurysm: added, dragged, renamed, deleted, taken back, saved."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

ANEURYSM = np.array([14.0, 1.0, 3.0])
RIM = np.add(ANEURYSM, (3.0, 0.0, 0.0))  # inside, near the wall
SECOND = (10, 12, 14)  # voxel (k, j, i) of a second aneurysm
SAC = "GSEMA_Aneurysm"


def lists():
    return slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")


def described(points):
    return [
        (points.GetNthControlPointLabel(n), points.GetNthControlPointPositionWorld(n))
        for n in range(points.GetNumberOfControlPoints())
    ]


def names(points):
    return [name for name, _place in described(points)]


@pytest.fixture
def settle(panel, spin):
    return lambda: spin(
        lambda: (
            not panel.logic._client._requests
            and not panel.logic.isRunning
            and not panel.clicks.follower._timer.active
        )
    )


@pytest.fixture
def opened(panel, two_aneurysms, settle):
    """The panel with a volume, and functions to click into it and to count voxels."""
    panel.ui.inputSelector.setCurrentNode(two_aneurysms)

    class Opened:
        ui, clicks, logic, volume = panel.ui, panel.clicks, panel.logic, two_aneurysms

        @property
        def node(self):
            return panel.ui.outputSelector.currentNode()

        def click(self, ras, isInside=True):
            panel.clicks.onPoint(tuple(ras), isInside)
            settle()

        def sizes(self):
            found = {}
            for one in self.node.GetSegmentation().GetSegmentIDs():
                array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(self.node, one)
                value = self.node.GetSegmentation().GetSegment(one).GetLabelValue()
                found[one] = int((array == value).sum())
            return found

    return Opened()


def test_points_inside_and_outside_make_one_aneurysm(make_logic, make_balls, scene, snapshot):
    def segments(state):
        """Ids of display nodes are counted on."""
        return [one for one in state if one[-1]]

    volume, logic = make_balls(), make_logic("good")
    whole = int((slicer.util.arrayFromVolume(volume) == 200).sum())
    states = [snapshot(scene)]
    logic.segmentAtPoints(volume, inside=[ANEURYSM])
    states.append(snapshot(scene))
    outcome = logic.segmentAtPoints(volume, inside=[ANEURYSM], outside=[RIM])
    states.append(snapshot(scene))
    assert outcome.segmentId == SAC and outcome.isRefreshed
    (points,) = lists()
    assert names(points) == ["+", "-"]
    assert described(points)[1][1] == pytest.approx(tuple(RIM), abs=1e-3)
    assert not points.GetNthControlPointSelected(1)  # which has another color
    found = slicer.util.arrayFromSegmentBinaryLabelmap(outcome.segmentationNode, SAC, volume)
    assert 0 < found.sum() < whole
    for state in (states[1], states[0]):
        logic.undo()
        assert snapshot(scene) == state
    for state in states[1:]:
        assert logic.redoTitle == "the click"
        logic.redo()
        assert segments(snapshot(scene)) == segments(state)
    assert names(lists()[0]) == ["+", "-"]
    assert not logic.redoTitle
    logic.undo()
    logic.segmentAtPoints(volume, inside=[ANEURYSM])
    assert not logic.redoTitle  # something else was done since


def test_points_that_are_none_and_aneurysms_that_are_none_are_told(make_logic, make_balls):
    from gsema_core.errors import UserError

    volume, logic = make_balls(), make_logic("good")
    for points, wanted, text in (
        ({"inside": []}, "", "at least one"),
        ({"inside": [ANEURYSM], "outside": [(500, 0, 0)]}, "", "lies outside balls"),
        ({"inside": [ANEURYSM]}, "GSEMA_Aneurysm_7", "no aneurysm GSEMA_Aneurysm_7"),
    ):
        with pytest.raises(UserError, match=text):
            logic.segmentAtPoints(volume, **points, aneurysm=wanted)


def test_a_click_goes_to_the_nearest_aneurysm_or_begins_one(opened, at_voxel, settle):
    second = at_voxel(opened.volume, SECOND)
    opened.click(ANEURYSM)
    opened.click(second)
    assert set(opened.sizes()) == {SAC, f"{SAC}_2"}
    opened.click(np.add(ANEURYSM, (0, 5.5, 0)))  # 1.5 mm beside the first
    assert [len(names(one)) for one in lists()] == [2, 1]
    opened.clicks.picker.start()
    opened.clicks._showTargets()
    box = opened.ui.targetComboBox
    assert box.currentText == "The nearest (last: Aneurysm)"
    box.currentIndex = 1  # a new one, there where one is
    opened.click(ANEURYSM)
    assert len(opened.sizes()) == 3
    assert box.currentIndex == 0  # the next click is for what it is on
    box.currentIndex = 2
    opened.click(second)  # far away, but this one was chosen
    assert len(names(lists()[0])) == 3
    opened.clicks.stop()


def test_ctrl_and_click_in_a_slice_view_marks_what_is_no_aneurysm(opened, monkeypatch, settle):
    from GSEMASegmentationLib.click import PointPicker
    from slicer_harness.views import SliceView

    view = SliceView("Green", size=(200, 200))
    view.show_volume(opened.volume)
    view.node.JumpSliceByCentering(*RIM)
    view.image()
    monkeypatch.setattr(PointPicker, "sliceViews", lambda: [(view.interactor, view.node)])
    opened.click(ANEURYSM)
    whole = opened.sizes()[SAC]
    opened.ui.clickButton.checked = True
    settle()
    assert "Ctrl+click marks what is no aneurysm" in opened.ui.statusLabel.text
    ras = view.click(100, 100, ctrl=True)
    slicer.app.processEvents()
    settle()
    assert opened.sizes()[SAC] < whole
    (points,) = [one for one in lists() if one.GetNumberOfDefinedControlPoints()]
    assert names(points) == ["+", "-"]
    assert described(points)[1][1] == pytest.approx(ras, abs=1e-3)
    opened.ui.clickButton.checked = False
    view.click(100, 100, ctrl=True)
    slicer.app.processEvents()
    assert not opened.logic.isRunning  # nobody listens any more


def test_what_a_run_drew_too_large_needs_no_click_inside(opened):
    opened.click(RIM, isInside=False)
    assert opened.ui.statusLabel.text.startswith("No aneurysm within 3 mm")
    node = opened.logic.segment(opened.volume)
    opened.ui.outputSelector.setCurrentNode(node)
    before = opened.sizes()
    opened.click(RIM, isInside=False)
    (points,) = lists()
    assert names(points) == ["+", "-"]
    assert np.linalg.norm(np.subtract(described(points)[0][1], ANEURYSM)) < 3
    assert opened.sizes()[SAC] < before[SAC]
    points.RemoveNthControlPoint(0)
    slicer.app.processEvents()
    assert opened.sizes() == before and not lists()  # as the run has left it
    opened.ui.undoClickButton.click()
    assert names(lists()[0]) == ["+", "-"]


def test_the_aneurysm_follows_a_drag_when_it_ends(opened, settle):
    opened.click(ANEURYSM)
    opened.click(RIM, isInside=False)
    (points,) = lists()
    before, requests = opened.sizes(), opened.logic._client._requests
    points.InvokeCustomModifiedEvent(points.PointStartInteractionEvent)
    for shift in (1.0, 2.0):
        points.SetNthControlPointPositionWorld(1, *np.add(RIM, (shift, 0, 0)))
        slicer.app.processEvents()
        assert not requests
    points.InvokeCustomModifiedEvent(points.PointEndInteractionEvent)
    slicer.app.processEvents()
    settle()
    assert opened.sizes()[SAC] > before[SAC]
    assert opened.logic.undoTitle == "the move of a click"
    opened.ui.undoClickButton.click()
    slicer.app.processEvents()
    assert opened.sizes() == before
    assert described(points)[1][1] == pytest.approx(tuple(RIM), abs=1e-3)
    points.SetNthControlPointPositionWorld(0, -15.0, -18.0, -15.0)  # by a script, into nothing
    slicer.app.processEvents()
    settle()
    assert opened.sizes() == before
    assert described(points)[0][1] == pytest.approx(tuple(ANEURYSM), abs=1e-3)
    points.SetNthControlPointLabel(1, "+ really")
    slicer.app.processEvents()
    settle()
    assert names(points) == ["+", "+"] and opened.sizes()[SAC] > before[SAC]


def test_the_last_point_takes_what_it_had_begun_with_it(opened, settle):
    opened.click(ANEURYSM)
    before = opened.sizes()
    lists()[0].RemoveAllControlPoints()
    slicer.app.processEvents()
    assert opened.sizes() == {} and not lists()
    opened.ui.undoClickButton.click()
    assert opened.sizes() == before and names(lists()[0]) == ["+"]
    opened.ui.redoClickButton.click()
    assert opened.sizes() == {}


def test_a_saved_scene_goes_on(opened, scene, tmp_path, settle):
    opened.click(ANEURYSM)
    opened.click(RIM, isInside=False)
    before = opened.sizes()
    path = str(tmp_path / "case.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear()
    slicer.util.loadScene(path)
    (points,) = lists()
    assert names(points) == ["+", "-"]
    slicer.app.processEvents()
    settle()
    assert opened.sizes() == before  # nothing is asked before something has changed
    points.RemoveNthControlPoint(1)
    slicer.app.processEvents()
    settle()
    assert opened.sizes()[SAC] > before[SAC]
    points.RemoveNthControlPoint(0)
    slicer.app.processEvents()
    assert opened.sizes() == {}


@pytest.mark.parametrize("what", ["list", "segment", "segmentation", "scene"])
def test_what_is_removed_while_a_click_is_answered_breaks_nothing(opened, scene, what, settle):
    opened.click(ANEURYSM)
    (points,), node = lists(), opened.node
    opened.clicks.onPoint(tuple(RIM), False)
    opened.clicks.onPoint(tuple(RIM), True)
    if what == "scene":
        scene.Clear()
    elif what == "segment":
        node.GetSegmentation().RemoveSegment(SAC)
    else:
        scene.RemoveNode({"list": points, "segmentation": node}[what])
    slicer.app.processEvents()
    settle()
    assert opened.ui.segmentButton.text == "Segment"
    for one in lists():
        assert one.GetNumberOfControlPoints() > 0


def test_named_points_of_a_list_are_clicks(opened, scene, settle):
    mine = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "mine")
    for place, name in ((RIM, "-"), (ANEURYSM, "+")):
        mine.SetNthControlPointLabel(mine.AddControlPointWorld(*place), name)
    opened.ui.pointsSelector.setCurrentNode(mine)
    opened.ui.segmentPointsButton.click()
    settle()
    (points,) = [one for one in lists() if one is not mine]
    assert names(points) == ["+", "-"] and names(mine) == ["-", "+"]
    assert not opened.clicks._waiting


def test_clicks_follow_their_segmentation_under_a_transform(opened, scene, settle):
    opened.click(ANEURYSM)
    opened.click(RIM, isInside=False)
    (points,), node, before = lists(), opened.node, opened.sizes()
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    matrix = np.array([[0.8, -0.6, 0, 7], [0.6, 0.8, 0, -3], [0, 0, 1, 2], [0, 0, 0, 1.0]])
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    moved = matrix[:3, :3] @ RIM + matrix[:3, 3]
    for one in (opened.volume, node):
        one.SetAndObserveTransformNodeID(transform.GetID())
    assert described(points)[1][1] == pytest.approx(tuple(moved), abs=1e-3)
    for one in (opened.volume, node):
        one.HardenTransform()
    assert points.GetParentTransformNode() is None
    assert described(points)[1][1] == pytest.approx(tuple(moved), abs=1e-3)
    slicer.app.processEvents()
    settle()
    assert opened.sizes() == before  # the same clicks of the same aneurysm: nothing was asked
