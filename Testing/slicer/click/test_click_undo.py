"""Taking clicks back: the scene is as before, or nothing is done."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
SECOND = (10, 12, 14)  # voxel (k, j, i) of a second aneurysm
OBLIQUE_PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def test_undo_takes_click_after_click_back(make_logic, two_aneurysms, scene, snapshot, at_voxel):
    logic = make_logic("good")
    states = [snapshot(scene)]
    for place in (ANEURYSM_CENTER, at_voxel(two_aneurysms, SECOND)):
        logic.segmentAtPoint(two_aneurysms, place)
        states.append(snapshot(scene))
    for state in reversed(states[:-1]):
        assert logic.undoTitle == "the click"
        logic.undo()
        assert snapshot(scene) == state
    assert not logic.undoTitle
    with pytest.raises(UserError, match="nothing to take back"):
        logic.undo()


def test_a_click_on_what_is_there_refreshes_it_and_undo_brings_the_old_back(
    make_logic, make_balls, scene, snapshot, segment_ids
):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    array = slicer.util.arrayFromVolume(volume)
    k, _, i = np.argwhere(array == 200).mean(axis=0).round().astype(int)
    array[k:, :, i:][array[k:, :, i:] == 200] = 0  # a part of it is gone
    slicer.util.arrayFromVolumeModified(volume)
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert outcome.isRefreshed
    assert segment_ids(node) == ["GSEMA_Aneurysm"]
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, outcome.segmentId, volume)
    assert np.array_equal(found != 0, array == 200)
    assert snapshot(scene) != before
    logic.undo()
    assert snapshot(scene) == before


def test_the_empty_segment_of_a_run_without_aneurysm_is_filled_first(
    make_logic, make_balls, scene, voxels, snapshot, segment_ids
):
    volume, logic = make_balls(), make_logic("good")
    array = slicer.util.arrayFromVolume(volume)
    ball = array == 200
    array[ball] = 0
    slicer.util.arrayFromVolumeModified(volume)
    node = logic.segment(volume)
    before = snapshot(scene)
    array[ball] = 200
    slicer.util.arrayFromVolumeModified(volume)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert not outcome.isRefreshed
    assert segment_ids(node) == ["GSEMA_Vessel", "GSEMA_Aneurysm"]
    assert voxels(node, "GSEMA_Aneurysm").sum() == ball.sum()
    logic.undo()
    assert snapshot(scene) == before


def test_undo_spares_what_was_edited_after_the_click(make_logic, make_balls, voxels):
    volume, logic = make_balls(), make_logic("good")
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    node, one = outcome.segmentationNode, outcome.segmentId
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, one, volume)
    drawn[0, 0, :5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, one, volume)
    with pytest.raises(UserError, match="was changed after the click"):
        logic.undo()
    assert voxels(node, one).sum() == drawn.sum()


@pytest.mark.parametrize("what", ["segment", "segmentation", "scene"])
def test_what_is_gone_needs_no_undo(make_logic, make_balls, scene, what):
    logic = make_logic("good")
    outcome = logic.segmentAtPoint(make_balls(), ANEURYSM_CENTER)
    if what == "segment":
        outcome.segmentationNode.GetSegmentation().RemoveSegment(outcome.segmentId)
    elif what == "segmentation":
        scene.RemoveNode(outcome.segmentationNode)
    else:
        scene.Clear()
    assert not logic.undoTitle
    with pytest.raises(UserError, match="nothing to take back"):
        logic.undo()


def test_undo_leaves_an_empty_segmentation_as_it_was(make_logic, make_balls, scene, snapshot):
    parent = OBLIQUE_PARENT
    volume, logic = make_balls(parent=parent), make_logic("good")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), folder)

    def links():
        role = node.GetReferenceImageGeometryReferenceRole()
        name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
        return (
            node.GetNodeReferenceID(role),
            node.GetSegmentation().GetConversionParameter(name),
            node.GetTransformNodeID(),
            node.GetNumberOfDisplayNodes(),
            hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)),
        )

    before = (links(), snapshot(scene))
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert all(old != new for old, new in zip(before[0], links(), strict=True))
    logic.undo()
    assert (links(), snapshot(scene)) == before
