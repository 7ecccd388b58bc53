"""Neck planes in the scene: shown at the fit, followed when moved, put back, saved."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

SAC, SECOND, VESSEL_ID = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2", "GSEMA_Vessel"
CENTER = np.array([2.0, 5.0, 3.0])
UP = np.array([0.0, 1.0, 0.0])
HIGH = CENTER + 0.7 * UP
OBLIQUE = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)
SHEARED = np.array(
    [[1.1, 0.2, 0.0, 2.0], [0.0, 0.9, 0.1, -3.0], [0.1, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]
)
HELD = slicer.vtkMRMLMarkupsNode.PointStartInteractionEvent
LET_GO = slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent


def planes():
    return slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")


def plane_of(node, segment_id=SAC):
    (plane,) = [one for one in planes() if one.GetAttribute("GSEMASegmentation.neck") == segment_id]
    return plane


def place(plane, origin, normal=UP):
    """As a hand does it: through the plane's matrix, so that small turns count."""
    from GSEMASegmentationLib.neck.NeckPlace import planeFromWorld
    from GSEMASegmentationLib.neck.NeckPlane import movePlane

    movePlane(plane, planeFromWorld(plane, origin, normal))


@pytest.fixture
def drag(spin, harness):
    """Move a plane as a handle does: held, moved through some places, let go."""

    def drag(logic, plane, *places, let_go=True):
        plane.InvokeEvent(HELD)
        for origin, normal in places:
            place(plane, origin, normal)
            harness.application.processEvents()
        if let_go:
            plane.InvokeEvent(LET_GO)

    return drag


@pytest.mark.parametrize("parent", [None, OBLIQUE, SHEARED], ids=["none", "rigid", "sheared"])
def test_each_aneurysm_has_the_plane_of_its_fit(make_logic, make_case, ijk_to_ras, parent):
    from GSEMASegmentationLib.measure.SegmentMeasurement import measureSegments

    case, logic = make_case(ijk_to_ras, parent), make_logic("good")
    problems = logic.showNecks(case.node)
    rows = measureSegments(case.node)
    # In one of the volumes, the second aneurysm's neck lies at the border.
    assert {row.segmentId for row in rows if row.aneurysm.neck_center_lps is None} == set(problems)
    rows = [row for row in rows if row.segmentId not in problems]
    assert SAC in [row.segmentId for row in rows]
    for row in rows:
        plane = plane_of(case.node, row.segmentId)
        assert plane.GetName() == f"{row.name} neck plane"
        flip = np.array([-1.0, -1.0, 1.0])
        center, normal = (
            flip * getattr(row.aneurysm, name) for name in ("neck_center_lps", "neck_normal_lps")
        )
        np.testing.assert_allclose(plane.GetOriginWorld(), center, atol=1e-4)
        np.testing.assert_allclose(plane.GetNormalWorld(), normal, atol=1e-4)
        display = plane.GetDisplayNode()
        assert display.GetHandlesInteractive()
        assert display.GetTranslationHandleVisibility() and display.GetRotationHandleVisibility()
        assert not display.GetScaleHandleVisibility()
        assert not display.GetPointLabelsVisibility()
        width = row.aneurysm.neck_width_mm
        assert width < min(plane.GetSize()) < 3 * width + 4
    assert len(planes()) == len(rows)
    count = slicer.mrmlScene.GetNumberOfNodes()
    logic.showNecks(case.node)
    assert slicer.mrmlScene.GetNumberOfNodes() == count


@pytest.mark.parametrize("parent", [None, OBLIQUE, SHEARED], ids=["none", "rigid", "sheared"])
def test_moving_and_turning_a_plane_cuts_there(make_logic, make_case, same, spin, parent):
    case, logic = make_case(parent=parent), make_logic("good")
    logic.showNecks(case.node)
    before, plane = case.masks(), plane_of(case.node)
    for origin, normal in ((HIGH, UP), (HIGH, (0.3, 1, 0.1)), (HIGH, (0.31, 1, 0.1))):
        wanted = before[SAC] & case.above(origin, normal)
        assert not same(case.mask(SAC), wanted)
        place(plane, origin, normal)
        spin(lambda wanted=wanted: same(case.mask(SAC), wanted))
        np.testing.assert_allclose(plane.GetOriginWorld(), origin, atol=1e-6)
    assert same(case.mask(SECOND), before[SECOND])


def test_by_slicers_own_setters_too(make_logic, case, same, spin):
    logic = make_logic("good")
    logic.showNecks(case.node)
    before, plane = case.mask(SAC), plane_of(case.node)
    plane.SetOriginWorld(*HIGH)
    plane.SetNormalWorld(0.6, 0.8, 0.0)
    spin(lambda: same(case.mask(SAC), before & case.above(HIGH, (0.6, 0.8, 0))))


def test_the_last_position_wins_and_a_drag_is_one_step(make_logic, case, same, drag, monkeypatch):
    from GSEMASegmentationLib.neck.NeckCut import NeckCut

    logic = make_logic("good")
    logic.showNecks(case.node)
    before, plane, fit = case.masks(), plane_of(case.node), plane_of(case.node).GetOriginWorld()
    cuts = []
    divide = NeckCut.divide
    monkeypatch.setattr(NeckCut, "divide", lambda *given: cuts.append(1) or divide(*given))
    for n in range(50):  # in one go, before the event loop comes to it
        place(plane, CENTER + 0.05 * n * UP)
    assert cuts == []
    logic.necks.cutNow()
    assert cuts == [1]
    assert same(case.mask(SAC), before[SAC] & case.above(CENTER + 2.45 * UP, UP))
    drag(logic, plane, *((CENTER + x * UP, UP) for x in (0.1, 0.9, -0.5, 1.6)))
    assert len(cuts) == 5
    assert same(case.mask(SAC), before[SAC] & case.above(CENTER + 1.6 * UP, UP))
    assert logic.undo() == "the cut of Aneurysm 1"
    np.testing.assert_allclose(plane.GetOriginWorld(), CENTER + 2.45 * UP, atol=1e-6)
    assert same(case.mask(SAC), before[SAC] & case.above(CENTER + 2.45 * UP, UP))
    logic.undo()
    np.testing.assert_allclose(plane.GetOriginWorld(), fit, atol=1e-6)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])
    logic.necks.cutNow()  # the undo moved the plane, and is no wish to cut
    assert len(cuts) == 5 and logic.undoTitle == ""


def test_reset_puts_plane_and_division_back(make_logic, case, same, drag):
    logic = make_logic("good")
    logic.showNecks(case.node)
    before, plane = case.masks(), plane_of(case.node)
    fit = plane.GetOriginWorld(), plane.GetNormalWorld()
    drag(logic, plane, (HIGH, (0.3, 1, 0)), ((2, -1, 3), (-0.2, 1, 0)))
    logic.resetNeck(case.node, SAC)
    np.testing.assert_allclose((plane.GetOriginWorld(), plane.GetNormalWorld()), fit, atol=1e-6)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_a_plane_that_divides_nothing_says_so_and_goes_back(make_logic, case, same, drag):
    logic, told = make_logic("good"), []
    logic.necks.onTold = lambda node, segment_id, problem: told.append((segment_id, problem))
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    color = plane.GetDisplayNode().GetSelectedColor()
    drag(logic, plane, (HIGH, UP), ((2, 14, 3), UP), let_go=False)
    good = case.mask(SAC)
    assert told[0] == (SAC, "")
    assert told[1][0] == SAC and "crosses neither" in told[1][1]
    assert plane.GetDisplayNode().GetSelectedColor() != color
    plane.InvokeEvent(LET_GO)
    assert same(case.mask(SAC), good)
    np.testing.assert_allclose(plane.GetOriginWorld(), HIGH, atol=1e-6)
    assert plane.GetDisplayNode().GetSelectedColor() == color
    # Moved by a script it stays, gray, and the division too.
    place(plane, (2, 14, 3))
    logic.necks.cutNow()
    assert same(case.mask(SAC), good)
    assert plane.GetDisplayNode().GetSelectedColor() != color


def test_a_plane_follows_the_cut_from_the_console(make_logic, case):
    logic = make_logic("good")
    logic.showNecks(case.node)
    normal = np.array([0.2, 1.0, 0.1]) / np.linalg.norm([0.2, 1.0, 0.1])
    logic.cutAtPlane(case.node, SAC, HIGH, normal)
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), HIGH, atol=1e-6)
    np.testing.assert_allclose(plane_of(case.node).GetNormalWorld(), normal, atol=1e-6)


def test_without_a_neck_there_is_a_reason_and_no_plane(make_logic, case):
    alone = np.linalg.norm(case.points - (2, -9, 12), axis=-1) < 2.5
    case.add("alone", "Left aneurysm", alone)
    case.node.GetSegmentation().AddEmptySegment("empty", "Empty aneurysm")
    problems = make_logic("good").showNecks(case.node)
    assert set(problems) == {"alone", "empty"}
    assert problems["alone"].startswith("Left aneurysm has no neck: no vessel touches")
    assert problems["empty"] == "Empty aneurysm is empty: there is nothing to cut."
    assert len(planes()) == 2


def test_hidden_planes_leave_no_node_and_no_observer(make_logic, case, scene, drag):
    logic = make_logic("good")
    count = scene.GetNumberOfNodes()
    for _time in range(5):
        logic.showNecks(case.node)
        drag(logic, plane_of(case.node), (HIGH, UP), (CENTER + 2 * UP, UP))
        logic.hideNecks(case.node)
        assert planes() == [] and scene.GetNumberOfNodes() == count
        assert case.node.GetNumberOfNodeReferences("GSEMASegmentation.necks") == 0
        assert logic.necks._followed == {} and len(logic._cuts.places) == 2


def test_many_moves_add_nothing(make_logic, case, scene, drag):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    drag(logic, plane, (HIGH, UP))
    count = scene.GetNumberOfNodes()
    events = (slicer.vtkMRMLMarkupsNode.PointModifiedEvent, HELD, LET_GO)
    tags = plane.AddObserver(events[0], lambda caller, event: None)
    plane.RemoveObserver(tags)
    attributes = len(plane.GetAttributeNames())
    for n in range(30):
        drag(logic, plane, (CENTER + 0.1 * n * UP, UP), (HIGH, (0.01 * n, 1, 0)))
        logic.showNecks(case.node)
    assert scene.GetNumberOfNodes() == count
    # Slicer keeps two attributes of its own while a handle is held.
    assert len(plane.GetAttributeNames()) == attributes
    # One observer of each kind: a new one's tag is as far from the last as before the moves.
    assert plane.AddObserver(events[0], lambda caller, event: None) == tags + 1
    assert len(logic.necks._followed) == 2


def test_a_logic_that_stops_observes_nothing(make_logic, case, same, harness):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane, before = plane_of(case.node), case.mask(SAC)
    event = slicer.vtkMRMLMarkupsNode.PointModifiedEvent
    assert plane.HasObserver(event)
    logic.stop()
    assert not plane.HasObserver(event)
    place(plane, HIGH)
    harness.application.processEvents()
    assert same(case.mask(SAC), before)


def test_the_segment_is_removed_while_its_plane_is_shown(make_logic, case):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    place(plane, HIGH)
    case.node.GetSegmentation().RemoveSegment(SAC)
    logic.necks.cutNow()  # nothing to cut any more, and no error
    logic.showNecks(case.node)
    assert [one.GetAttribute("GSEMASegmentation.neck") for one in planes()] == [SECOND]


@pytest.mark.parametrize("what", ["plane", "segmentation", "scene"])
def test_what_leaves_the_scene_is_left_alone(make_logic, case, scene, what, harness):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    place(plane, HIGH)
    if what == "plane":
        scene.RemoveNode(plane)
    elif what == "segmentation":
        scene.RemoveNode(case.node)
    else:
        scene.Clear()
    harness.application.processEvents()
    logic.necks.cutNow()
    if what == "plane":
        assert logic.showNecks(case.node) == {}
        assert len(planes()) == 2


def test_a_segmentation_that_goes_while_its_plane_is_held(make_logic, case, scene):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    plane.InvokeEvent(HELD)
    place(plane, HIGH)
    scene.RemoveNode(case.node)
    plane.InvokeEvent(LET_GO)
    assert (case.node.GetID(), SAC) not in logic.necks._followed


def test_a_rejected_aneurysm_has_nothing_to_cut_until_it_is_back(make_logic, case, same, drag):
    logic, told = make_logic("good"), []
    logic.necks.onTold = lambda node, segment_id, problem: told.append(problem)
    logic.showNecks(case.node)
    drag(logic, plane_of(case.node), (HIGH, UP))
    cut = case.masks()
    logic.rejectAneurysm(case.node, SAC)
    rejected = case.masks()
    drag(logic, plane_of(case.node), (CENTER + 2 * UP, UP))
    assert "Aneurysm 1 is empty" in told[-1]
    for segment_id, mask in case.masks().items():
        assert same(mask, rejected[segment_id])
    logic.undo()
    for segment_id, mask in case.masks().items():
        assert same(mask, cut[segment_id])
    drag(logic, plane_of(case.node), (CENTER + 2 * UP, UP))
    assert same(case.mask(SAC), cut[SAC] & case.above(CENTER + 2 * UP, UP))


def test_a_plane_without_points_says_so(make_logic, case, same):
    logic, told = make_logic("good"), []
    logic.necks.onTold = lambda node, segment_id, problem: told.append(problem)
    logic.showNecks(case.node)
    before = case.mask(SAC)
    plane_of(case.node).RemoveAllControlPoints()
    logic.necks.cutNow()
    assert same(case.mask(SAC), before)
    assert "press Reset" in told[-1]
    logic.resetNeck(case.node, SAC)
    assert plane_of(case.node).GetNumberOfControlPoints() > 0


@pytest.mark.parametrize("parent", [None, OBLIQUE], ids=["none", "rigid"])
def test_a_saved_scene_brings_the_planes_back(
    make_logic, make_case, scene, same, drag, tmp_path, parent
):
    case, logic = make_case(parent=parent), make_logic("good")
    logic.showNecks(case.node)
    before, fit = case.masks(), plane_of(case.node).GetOriginWorld()
    drag(logic, plane_of(case.node), (HIGH, (0.2, 1, 0)), (CENTER - 6.3 * UP, UP))
    cut, origin = case.masks(), plane_of(case.node).GetOriginWorld()
    assert (cut[SAC] & before[VESSEL_ID]).any()
    path = str(tmp_path / "case.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear()
    slicer.util.loadScene(path)
    case.node = slicer.util.getNode("scan aneurysms")
    case.volume = slicer.util.getNode("scan")
    again = make_logic("good")
    assert again.showNecks(case.node) == {}
    assert len(planes()) == 2
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), origin, atol=1e-4)
    for segment_id, mask in case.masks().items():
        assert same(mask, cut[segment_id])
    # From the same aneurysm as before the scene was saved.
    drag(again, plane_of(case.node), (HIGH, (0.2, 1, 0)))
    assert same(case.mask(SAC), before[SAC] & case.above(HIGH, (0.2, 1, 0)))
    again.undo()
    for segment_id, mask in case.masks().items():
        assert same(mask, cut[segment_id])
    again.resetNeck(case.node, SAC)
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), fit, atol=1e-4)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"extent": [0, 1]}', None])
def test_a_plane_whose_memory_is_damaged_cuts_what_is_there(make_logic, case, same, drag, text):
    logic = make_logic("good")
    logic.showNecks(case.node)
    drag(logic, plane_of(case.node), (HIGH, UP))
    cut = case.masks()
    plane = plane_of(case.node)
    if text is None:  # of another version, or changed since
        content = json.loads(plane.GetAttribute("GSEMASegmentation.neckBefore"))
        text = json.dumps({**content, "now": "0"})
    plane.SetAttribute("GSEMASegmentation.neckBefore", text)
    plane.SetAttribute("GSEMASegmentation.neckFit", "")
    logic.stop()
    again = make_logic("good")
    again.showNecks(case.node)
    again.resetNeck(case.node, SAC)
    for segment_id, mask in case.masks().items():
        assert same(mask, cut[segment_id])
    drag(again, plane, (CENTER + 2 * UP, UP))
    assert same(case.mask(SAC), cut[SAC] & case.above(CENTER + 2 * UP, UP))


def test_the_transform_may_change_while_planes_are_shown(make_logic, make_case, scene, same, drag):
    case, logic = make_case(parent=OBLIQUE), make_logic("good")
    logic.showNecks(case.node)
    before, plane = case.masks(), plane_of(case.node)
    fit = np.array(plane.GetOriginWorld())
    matrix = np.eye(4)
    matrix[:3, 3] = 5, -4, 3
    case.transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix @ OBLIQUE))
    np.testing.assert_allclose(plane.GetOriginWorld(), np.add(fit, (5, -4, 3)), atol=1e-6)
    logic.necks.cutNow()
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])
    drag(logic, plane, (np.add(HIGH, (5, -4, 3)), UP))
    assert same(case.mask(SAC), before[SAC] & case.above(HIGH, UP))


def test_what_has_no_necks_is_refused(make_logic, case, scene):
    logic = make_logic("good")
    for wrong in (None, case.volume):
        with pytest.raises(UserError, match="choose a segmentation"):
            logic.showNecks(wrong)
    warp = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    case.node.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(UserError, match="non-linear transform warp"):
        logic.showNecks(case.node)
