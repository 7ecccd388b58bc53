"""One segment for each aneurysm: numbers, names, what a second run does, how it is shown."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.labels import ANEURYSM, VESSEL

SIDES = (3, 5, 4)  # of three cubes; the second is the largest


@pytest.fixture
def three_aneurysms(make_balls):
    """A volume whose voxels are 100 in a vessel and 200 in three aneurysms beside it."""
    volume = make_balls()
    array = slicer.util.arrayFromVolume(volume)
    array[:] = 0
    array[30:34, 5:50, 20:24] = 100
    for index, side in enumerate(SIDES):
        array[34 : 34 + side, 5 + 15 * index :, 20:][:, :side, :side] = 200
    slicer.util.arrayFromVolumeModified(volume)
    return volume


def sizes(node, volume):
    """Name -> number of voxels of each segment."""
    segmentation = node.GetSegmentation()
    return {
        segmentation.GetSegment(segment_id).GetName(): int(
            (slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume) != 0).sum()
        )
        for segment_id in segmentation.GetSegmentIDs()
    }


def erase(volume, side):
    array = slicer.util.arrayFromVolume(volume)
    index = SIDES.index(side)
    array[34:, 5 + 15 * index : 15 + 15 * index] = 0
    slicer.util.arrayFromVolumeModified(volume)


def test_several_aneurysms_are_numbered_the_largest_first(make_logic, three_aneurysms):
    node = make_logic("good").segment(three_aneurysms)
    assert sizes(node, three_aneurysms) == {
        "Vessel": 4 * 45 * 4,
        "Aneurysm 1": 125,
        "Aneurysm 2": 64,
        "Aneurysm 3": 27,
    }


def test_the_numbers_are_those_of_the_measurements(three_aneurysms):
    from GSEMASegmentationLib.scene.SegmentContent import segmentsOf

    from gsema_core.grids import Geometry, Volume
    from gsema_core.measurements import measure_aneurysms

    values = slicer.util.arrayFromVolume(three_aneurysms)
    labels = np.select([values == 200, values == 100], [ANEURYSM, VESSEL]).astype(np.uint8)
    labels[34:38, 48:52, 40:44] = ANEURYSM  # as large as another one
    geometry = Geometry(labels.shape[::-1], (0.8,) * 3, (0.0,) * 3, tuple(np.eye(3).ravel()))
    measured = measure_aneurysms(Volume(labels, geometry))
    contents = segmentsOf(labels)[1:]
    assert [content.mask.sum() for content in contents] == [one.voxels for one in measured]
    for content, one in zip(contents, measured, strict=True):
        middle = np.argwhere(content.mask).mean(axis=0) + content.start
        assert middle[::-1] == pytest.approx(one.centroid_ijk)


def test_a_second_run_that_finds_fewer_leaves_no_old_ones(make_logic, three_aneurysms):
    logic = make_logic("good")
    node = logic.segment(three_aneurysms)
    erase(three_aneurysms, 5)
    logic.segment(three_aneurysms, outputSegmentation=node)
    found = sizes(node, three_aneurysms)
    assert (found["Aneurysm 1"], found["Aneurysm 2"], len(found)) == (64, 27, 3)
    erase(three_aneurysms, 4)
    logic.segment(three_aneurysms, outputSegmentation=node)
    assert sizes(node, three_aneurysms)["Aneurysm"] == 27
    assert node.GetSegmentation().GetNumberOfSegments() == 2


def test_what_the_user_changed_of_a_segment_stays(make_logic, three_aneurysms):
    logic = make_logic("good")
    node = logic.segment(three_aneurysms)
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    segmentation.GetSegment("GSEMA_Aneurysm").SetName("ACom")
    segmentation.GetSegment("GSEMA_Aneurysm").SetColor(0.0, 1.0, 0.0)
    display.SetSegmentOpacity3D("GSEMA_Vessel", 0.9)
    logic.segment(three_aneurysms, outputSegmentation=node)
    assert segmentation.GetSegment("GSEMA_Aneurysm").GetName() == "ACom"
    assert segmentation.GetSegment("GSEMA_Aneurysm").GetColor() == (0.0, 1.0, 0.0)
    assert display.GetSegmentOpacity3D("GSEMA_Vessel") == 0.9


def test_the_vessel_lets_the_aneurysm_be_seen_in_3d(make_logic, make_balls):
    node = make_logic("good").segment(make_balls())
    display = node.GetDisplayNode()
    assert display.GetVisibility3D()
    assert display.GetSegmentOpacity3D("GSEMA_Vessel") == 0.5
    assert display.GetSegmentOpacity3D("GSEMA_Aneurysm") == 1.0
    for segment_id in ("GSEMA_Vessel", "GSEMA_Aneurysm"):
        surface = node.GetClosedSurfaceInternalRepresentation(segment_id)
        assert surface.GetNumberOfPoints() > 100
