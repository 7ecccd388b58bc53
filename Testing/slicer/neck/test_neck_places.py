"""Where neck planes are after transforms, hiding, scripts' cuts and rejections."""

from __future__ import annotations

import numpy as np
import slicer
import slicer.util

SAC, SECOND = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2"
CENTER = np.array([2.0, 5.0, 3.0])
UP = np.array([0.0, 1.0, 0.0])
HIGH = CENTER + 0.7 * UP
OBLIQUE = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def planes():
    return slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")


def plane_of(node, segment_id=SAC):
    (plane,) = [one for one in planes() if one.GetAttribute("GSEMASegmentation.neck") == segment_id]
    return plane


def move(logic, plane, origin, normal):
    """Move a plane to a place of the world, and cut there."""
    from GSEMASegmentationLib.neck.NeckPlace import planeFromWorld
    from GSEMASegmentationLib.neck.NeckPlane import movePlane

    movePlane(plane, planeFromWorld(plane, origin, normal))
    logic.necks.cutNow()


def under(case, matrix):
    """Put the segmentation under a transform that it was not under when its planes came."""
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    case.node.SetAndObserveTransformNodeID(transform.GetID())


def moved(matrix, point):
    return (matrix @ [*point, 1.0])[:3]


def test_planes_go_along_under_a_transform_that_comes_later(make_logic, case, same):
    logic = make_logic("good")
    logic.showNecks(case.node)
    before, plane = case.masks(), plane_of(case.node)
    fit = np.array(plane.GetOriginWorld())
    under(case, OBLIQUE)
    np.testing.assert_allclose(plane.GetOriginWorld(), moved(OBLIQUE, fit), atol=1e-6)
    move(logic, plane, moved(OBLIQUE, HIGH), OBLIQUE[:3, :3] @ UP)
    assert same(case.mask(SAC), before[SAC] & case.above(HIGH, UP))
    logic.resetNeck(case.node, SAC)
    np.testing.assert_allclose(plane.GetOriginWorld(), moved(OBLIQUE, fit), atol=1e-6)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_a_plane_that_was_taken_out_of_its_transform_is_put_back(make_logic, make_case):
    case, logic = make_case(parent=OBLIQUE), make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    fit = np.array(plane.GetOriginWorld())
    plane.SetAndObserveTransformNodeID(None)
    logic.resetNeck(case.node, SAC)
    np.testing.assert_allclose(plane.GetOriginWorld(), fit, atol=1e-6)


def test_hardening_leaves_planes_where_they_are(make_logic, make_case):
    case, logic = make_case(parent=OBLIQUE), make_logic("good")
    logic.showNecks(case.node)
    plane = plane_of(case.node)
    move(logic, plane, HIGH, UP)
    case.node.HardenTransform()
    np.testing.assert_allclose(plane.GetOriginWorld(), HIGH, atol=1e-6)
    assert plane.GetTransformNodeID() is None
    count = int(case.mask(SAC).sum())
    logic.resetNeck(case.node, SAC)  # it is another aneurysm now, with the neck that it has
    assert int(case.mask(SAC).sum()) == count
    np.testing.assert_allclose(plane.GetOriginWorld(), HIGH, atol=0.6)
    move(logic, plane, HIGH + 1.5 * UP, UP)
    assert int(case.mask(SAC).sum()) < count
    logic.undo()
    assert int(case.mask(SAC).sum()) == count
    np.testing.assert_allclose(plane.GetOriginWorld(), HIGH, atol=0.6)


def test_a_plane_comes_back_where_the_neck_was_cut(make_logic, case, same):
    logic = make_logic("good")
    logic.showNecks(case.node)
    before, fit = case.masks(), np.array(plane_of(case.node).GetOriginWorld())
    move(logic, plane_of(case.node), HIGH, UP)
    logic.hideNecks(case.node)
    logic.showNecks(case.node)
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), HIGH, atol=1e-6)
    logic.resetNeck(case.node, SAC)
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), fit, atol=1e-6)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_a_plane_is_shown_where_a_script_has_cut_and_goes_back_with_undo(make_logic, case, same):
    logic = make_logic("good")
    logic.showNecks(case.node)
    before, fit = case.masks(), np.array(plane_of(case.node).GetOriginWorld())
    logic.hideNecks(case.node)
    logic.cutAtPlane(case.node, SAC, HIGH, UP)
    logic.showNecks(case.node)
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), HIGH, atol=1e-6)
    logic.undo()
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), fit, atol=1e-6)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_after_reset_without_a_plane_it_is_shown_where_the_neck_is(make_logic, case):
    logic = make_logic("good")
    logic.showNecks(case.node)
    fit = np.array(plane_of(case.node).GetOriginWorld())
    logic.hideNecks(case.node)
    logic.cutAtPlane(case.node, SAC, HIGH, UP)
    logic.resetNeck(case.node, SAC)
    logic.cutAtPlane(case.node, SAC, CENTER + 2 * UP, UP)
    logic.showNecks(case.node)
    logic.undo()
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), fit, atol=1e-6)


def test_planes_of_rejected_aneurysms_are_hidden(make_logic, case):
    logic = make_logic("good")
    logic.showNecks(case.node)
    move(logic, plane_of(case.node), HIGH, UP)
    plane_of(case.node, SECOND).SetDisplayVisibility(False)  # by the user
    logic.rejectAneurysm(case.node, SAC)
    assert logic.showNecks(case.node) == {}
    assert not plane_of(case.node).GetDisplayVisibility()
    logic.undo()
    logic.showNecks(case.node)
    assert plane_of(case.node).GetDisplayVisibility()
    np.testing.assert_allclose(plane_of(case.node).GetOriginWorld(), HIGH, atol=1e-6)
    assert not plane_of(case.node, SECOND).GetDisplayVisibility()


def test_what_is_accepted_again_gets_its_plane(make_logic, case):
    logic = make_logic("good")
    logic.rejectAneurysm(case.node, SAC)
    assert logic.showNecks(case.node) == {} and len(planes()) == 1
    assert logic.necks.follow(case.node) == {} and len(planes()) == 1
    logic.acceptAneurysm(case.node, SAC)
    assert logic.necks.follow(case.node) == {} and len(planes()) == 2
    logic.hideNecks(case.node)
    assert logic.necks.follow(case.node) == {} and planes() == []
