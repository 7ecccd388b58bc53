"""GSEMASegmentationLogic.segment on Slicer's real scene, with workers that do what we say."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
import vtk

from gsema_core.labels import ANEURYSM, COLORS, VESSEL
from gsema_core.terminology import terminology_entry

VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])


def test_segments_land_at_the_right_place(make_logic, make_balls, world_centroid, ijk_to_ras):
    volume = make_balls(ijk_to_ras)
    node = make_logic("good").segment(volume)
    half_voxel = 0.5 * min(volume.GetSpacing())
    assert np.abs(world_centroid(node, "Vessel") - VESSEL_CENTER).max() < half_voxel
    assert np.abs(world_centroid(node, "Aneurysm") - ANEURYSM_CENTER).max() < half_voxel


def test_the_labels_come_back_on_the_volumes_own_grid(make_logic, make_balls, ijk_to_ras):
    volume = make_balls(ijk_to_ras)
    node = make_logic("good").segment(volume)
    expected = slicer.util.arrayFromVolume(volume)
    for name, value in (("Vessel", 100), ("Aneurysm", 200)):
        segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        found = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
        assert np.array_equal(found != 0, expected == value)


def test_the_programs_own_grid_changes_keep_the_place(
    make_logic, make_balls, world_centroid, ijk_to_ras
):
    volume = make_balls(ijk_to_ras, softness=1.6)
    array = slicer.util.arrayFromVolume(volume)
    array[array > 100] = 0  # one ball is enough here
    slicer.util.arrayFromVolumeModified(volume)
    node = make_logic("core").segment(volume)
    half_voxel = 0.5 * min(volume.GetSpacing())
    assert np.abs(world_centroid(node, "Vessel") - VESSEL_CENTER).max() < half_voxel


def test_the_parent_transform_is_followed(make_logic, make_balls, world_centroid):
    parent = np.eye(4)
    parent[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    parent[:3, 3] = [2.0, -1.0, 4.0]
    volume = make_balls(parent=parent)
    logic = make_logic("good")
    node = logic.segment(volume)
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    assert np.abs(world_centroid(node, "Vessel") - VESSEL_CENTER).max() < 0.4
    # The worker speaks of LPS (1, 2, 3), before the transform.
    assert logic.aneurysms[0].ras == pytest.approx(tuple((parent @ [-1, -2, 3, 1])[:3]))


def test_names_colors_terminology_and_reference(make_logic, make_balls):
    volume = make_balls()
    node = make_logic("good").segment(volume)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    for label, name in ((VESSEL, "Vessel"), (ANEURYSM, "Aneurysm")):
        segment = segmentation.GetSegment(segmentation.GetSegmentIdBySegmentName(name))
        assert segment.GetColor() == pytest.approx(COLORS[label])
        text = vtk.reference("")
        assert segment.GetTag("TerminologyEntry", text)
        assert text.get() == terminology_entry(label)
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume
    assert segmentation.ContainsRepresentation("Closed surface")


def test_the_result_lies_beside_the_volume_in_the_hierarchy(make_logic, make_balls, scene):
    volume = make_balls()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    node = make_logic("good").segment(volume)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_nothing_found_still_gives_both_segments(make_logic, scene):
    volume = slicer.util.addVolumeFromArray(np.ones((8, 8, 8), np.float32), name="empty")
    logic = make_logic("good")
    node = logic.segment(volume)
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert logic.aneurysms == []


def test_other_segments_of_the_output_stay_untouched(
    existing_segmentation, make_logic, make_balls, scene
):
    volume = make_balls()
    node, bone = existing_segmentation(volume)
    logic = make_logic("good")
    for _ in range(2):  # the second run replaces the first one's segments
        assert logic.segment(volume, outputSegmentation=node) is node
        ids = list(node.GetSegmentation().GetSegmentIDs())
        assert ids == ["bone", "GSEMA_Vessel", "GSEMA_Aneurysm"]
        found = slicer.util.arrayFromSegmentBinaryLabelmap(node, "bone", volume)
        assert np.array_equal(found, bone)
    assert node.GetSegmentation().GetSegment("bone").GetName() == "Bone"
    vessel = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Vessel", volume)
    assert np.array_equal(vessel != 0, slicer.util.arrayFromVolume(volume) == 100)


def test_a_second_run_that_finds_less_empties_the_segment(make_logic, make_balls):
    volume = make_balls()
    logic = make_logic("good")
    node = logic.segment(volume)
    array = slicer.util.arrayFromVolume(volume)
    array[array == 200] = 0
    slicer.util.arrayFromVolumeModified(volume)
    logic.segment(volume, outputSegmentation=node)
    assert slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume).sum() == 0
    assert slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Vessel", volume).sum() > 0


def test_fifty_runs_leave_nothing_behind(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segment(volume)
    before = (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent"), len(logic._client._requests))
    representations = node.GetSegmentation().GetNumberOfLayers()
    for _ in range(50):
        logic.segment(volume, outputSegmentation=node)
    after = (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent"), len(logic._client._requests))
    assert after == before
    assert node.GetSegmentation().GetNumberOfLayers() == representations


def test_one_worker_serves_all_runs(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segment(volume)
    pid, nodes = logic._client.pid, scene.GetNumberOfNodes()
    for _ in range(5):
        logic.segment(volume, outputSegmentation=node)
    assert logic._client.pid == pid
    assert scene.GetNumberOfNodes() == nodes


def test_names_in_any_script_work(make_logic, make_balls, monkeypatch, tmp_path):
    folder = tmp_path / 'Patient "Ü" 患者 مريض'
    folder.mkdir()
    monkeypatch.setattr(type(slicer.app), "temporaryPath", property(lambda self: str(folder)))
    node = make_logic("good").segment(make_balls(name="患者 'مريض' \"1\""))
    assert node.GetName().startswith("患者 'مريض'")
    assert list(folder.iterdir()) == []
