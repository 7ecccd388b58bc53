"""GSEMASegmentationLogic.segmentAtPoint: what a click adds, replaces and leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

from gsema_core.labels import ANEURYSM, COLORS
from gsema_core.terminology import terminology_entry

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
SECOND = (10, 12, 14)  # voxel (k, j, i) of a second aneurysm
OBLIQUE_PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def test_a_click_gives_the_aneurysm_on_the_volumes_own_grid(make_logic, make_balls, ijk_to_ras):
    volume = make_balls(ijk_to_ras)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    assert outcome.kind == "found" and outcome.message == ""
    node = outcome.segmentationNode
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, outcome.segmentId, volume)
    assert np.array_equal(found != 0, slicer.util.arrayFromVolume(volume) == 200)
    assert np.abs(outcome.aneurysm.ras - ANEURYSM_CENTER).max() < 0.5 * min(volume.GetSpacing())


@pytest.mark.parametrize("kind", ["shifted and turned", "turned"])
def test_the_click_is_meant_in_the_world(make_logic, make_balls, world_centroid, kind):
    parent = OBLIQUE_PARENT.copy()
    if kind == "turned":
        parent[:3, 3] = 0
    volume = make_balls(parent=parent)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    node = outcome.segmentationNode
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    assert np.abs(world_centroid(node, "Aneurysm") - ANEURYSM_CENTER).max() < 0.4
    assert np.abs(outcome.aneurysm.ras - ANEURYSM_CENTER).max() < 0.4
    assert np.linalg.norm(outcome.highestRas - ANEURYSM_CENTER) < 4.5


def test_name_color_terminology_surface_and_place(
    make_logic, make_balls, scene, surface_points, names
):
    volume = make_balls()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    node = outcome.segmentationNode
    assert names(node) == ["Aneurysm"]
    segment = node.GetSegmentation().GetSegment(outcome.segmentId)
    assert segment.GetColor() == pytest.approx(COLORS[ANEURYSM])
    text = vtk.reference("")
    assert segment.GetTag("TerminologyEntry", text)
    assert text.get() == terminology_entry(ANEURYSM)
    assert surface_points(node, outcome.segmentId) > 100
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_further_clicks_add_further_aneurysms(make_logic, two_aneurysms, at_voxel, names):
    logic = make_logic("good")
    first = logic.segmentAtPoint(two_aneurysms, ANEURYSM_CENTER)
    second = logic.segmentAtPoint(two_aneurysms, at_voxel(two_aneurysms, SECOND))
    node = second.segmentationNode
    assert node is first.segmentationNode  # the last click's, without being told
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = [
        slicer.util.arrayFromSegmentBinaryLabelmap(node, one.segmentId, two_aneurysms)
        for one in (first, second)
    ]
    assert found[1].sum() == 64 and found[1][SECOND] == 1
    both = (found[0] + found[1]) != 0
    assert np.array_equal(both, slicer.util.arrayFromVolume(two_aneurysms) == 200)


def test_a_click_after_a_whole_run_refreshes_the_runs_aneurysm(
    make_logic, two_aneurysms, voxels, at_voxel, segment_ids
):
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    before = {one: int(voxels(node, one).sum()) for one in segment_ids(node)}
    second = at_voxel(two_aneurysms, SECOND)
    outcome = logic.segmentAtPoint(two_aneurysms, second, outputSegmentation=node)
    assert outcome.isRefreshed
    assert outcome.segmentId == "GSEMA_Aneurysm_2"
    assert {one: int(voxels(node, one).sum()) for one in segment_ids(node)} == before


def test_aneurysms_that_only_touch_are_two(make_logic, make_balls, at_voxel, segment_ids, names):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    array = slicer.util.arrayFromVolume(volume)
    ball = array == 200
    i = int(np.argwhere(ball)[:, 2].max())
    edge = np.argwhere(ball & (np.indices(ball.shape)[2] == i))[0]  # shared by both
    array[ball] = 0
    array[edge[0] : edge[0] + 5, edge[1] : edge[1] + 5, i : i + 5] = 200
    slicer.util.arrayFromVolumeModified(volume)
    place = at_voxel(volume, (edge[0] + 2, edge[1] + 2, i + 2))
    assert not logic.segmentAtPoint(volume, place).isRefreshed
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = [
        slicer.util.arrayFromSegmentBinaryLabelmap(node, one, volume) for one in segment_ids(node)
    ]
    assert np.array_equal(found[0] != 0, ball)
    assert (found[0] & found[1]).sum() > 0


def test_segments_of_others_stay_untouched(
    existing_segmentation, make_logic, make_balls, scene, snapshot, segment_ids, names
):
    volume, logic = make_balls(), make_logic("good")
    node, drawn = existing_segmentation(volume, "mine", "Aneurysm")
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert segment_ids(node) == ["mine", outcome.segmentId]
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, "mine", volume)
    assert np.array_equal(found, drawn)
    logic.undo()
    assert snapshot(scene) == before
