"""A clicked aneurysm has a label map of its own; files, surfaces and measurements follow."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

SECOND = (10, 12, 14)  # voxel (k, j, i) of the second aneurysm
ANEURYSM_CENTER = (14.0, 1.0, 3.0)
LABELMAP = "Binary labelmap"


@pytest.fixture
def refreshed(make_logic, two_aneurysms, at_voxel):
    """A whole run, of which a click has replaced the second aneurysm by a smaller one."""
    logic, volume = make_logic("good"), two_aneurysms
    node = logic.segment(volume)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    k, j, i = SECOND
    slicer.util.arrayFromVolume(volume)[k - 2 : k, j - 2 : j + 2, i - 2 : i + 2] = 0
    slicer.util.arrayFromVolumeModified(volume)
    surface = node.GetClosedSurfaceInternalRepresentation("GSEMA_Vessel")
    before = surface, surface.GetMTime()
    outcome = logic.segmentAtPoint(volume, at_voxel(volume, SECOND), outputSegmentation=node)
    assert outcome.isRefreshed and outcome.segmentId == "GSEMA_Aneurysm_2"
    return logic, volume, node, before


def test_only_its_own_label_map_and_surface_are_new(refreshed, segment_ids):
    _logic, _volume, node, (surface, time) = refreshed
    assert node.GetClosedSurfaceInternalRepresentation("GSEMA_Vessel") is surface
    assert surface.GetMTime() == time
    segmentation = node.GetSegmentation()
    layers = {one: segmentation.GetLayerIndex(one) for one in segment_ids(node)}
    assert layers == {"GSEMA_Vessel": 0, "GSEMA_Aneurysm": 0, "GSEMA_Aneurysm_2": 1}
    small = segmentation.GetSegment("GSEMA_Aneurysm_2").GetRepresentation(LABELMAP)
    assert small.GetDimensions() == (4, 4, 2)
    shared = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, "GSEMA_Vessel")
    values = {segmentation.GetSegment(one).GetLabelValue() for one in segment_ids(node)[:2]}
    assert set(np.unique(shared)) == {0, *values}  # nothing of the old one is left in it


def test_a_file_has_the_same_segments(refreshed, segment_ids, names, tmp_path):
    _logic, volume, node, _surface = refreshed
    path = str(tmp_path / "case.seg.nrrd")
    assert slicer.util.saveNode(node, path)
    again = slicer.util.loadSegmentation(path)
    assert segment_ids(again) == segment_ids(node)
    assert names(again) == names(node)
    for one in segment_ids(node):
        first, second = (
            slicer.util.arrayFromSegmentBinaryLabelmap(which, one, volume)
            for which in (node, again)
        )
        assert first.sum() > 0
        assert np.array_equal(first, second)


def test_only_what_has_changed_is_measured_again(refreshed, monkeypatch):
    from GSEMASegmentationLib.measure import SegmentMeasurement

    logic, _volume, node, _surface = refreshed
    measured = []
    real = SegmentMeasurement.measured
    monkeypatch.setattr(
        SegmentMeasurement, "measured", lambda *values: measured.append(1) or real(*values)
    )

    def rows(**named):
        measured.clear()
        table = logic.measure(node, **named)
        count = table.GetNumberOfColumns()
        return [[table.GetCellText(row, n) for n in range(count)] for row in range(2)]

    whole = rows()
    assert len(measured) == 2
    assert rows(onlyChanged=True) == whole
    assert len(measured) == 0
    node.GetSegmentation().GetSegment("GSEMA_Aneurysm").SetName("Basilar tip aneurysm")
    renamed = rows(onlyChanged=True)
    assert len(measured) == 1
    assert renamed[0][0] == "Basilar tip aneurysm"
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Vessel")
    for place, count in (((0, 0, -1), 0), ((26, 28, 52), 1)):
        drawn[place] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, "GSEMA_Vessel")
        rows(onlyChanged=True)
        assert len(measured) == count  # near an aneurysm, the neck may be another one
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    transform.SetMatrixTransformToParent(
        slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1.0, 1.0, 1.0]))
    )
    node.SetAndObserveTransformNodeID(transform.GetID())
    moved = rows(onlyChanged=True)
    assert len(measured) == 2
    assert moved != whole
    assert rows() == moved
    assert len(measured) == 2  # asked for as a whole, nothing is trusted


def test_turned_off_surfaces_stay_off(refreshed, at_voxel):
    logic, volume, node, _surface = refreshed
    node.GetSegmentation().RemoveRepresentation("Closed surface")
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_a_whole_run_after_clicks_replaces_them(make_logic, two_aneurysms, segment_ids):
    logic, volume = make_logic("good"), two_aneurysms
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    assert logic.segment(volume, outputSegmentation=node) is node
    assert sorted(segment_ids(node)) == ["GSEMA_Aneurysm", "GSEMA_Aneurysm_2", "GSEMA_Vessel"]
    array = slicer.util.arrayFromVolume(volume)
    found = {
        one: slicer.util.arrayFromSegmentBinaryLabelmap(node, one, volume) != 0
        for one in segment_ids(node)
    }
    assert np.array_equal(found["GSEMA_Vessel"], array == 100)
    assert np.array_equal(found["GSEMA_Aneurysm"] | found["GSEMA_Aneurysm_2"], array == 200)
    assert found["GSEMA_Aneurysm_2"][SECOND]
