"""What tests of edits and decisions look at."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk


def _masks(node):
    """Where each segment is, by name: (k, j, i) on one common grid, read from their voxels."""
    found = {}
    segmentation = node.GetSegmentation()
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        image = segment.GetRepresentation("Binary labelmap")
        places = set()
        if image is not None and not image.IsEmpty():
            array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
            i, _, j, _, k, _ = image.GetExtent()
            where = np.argwhere(array == segment.GetLabelValue()) + np.array([k, j, i])
            places = set(map(tuple, where.tolist()))
        found[segment.GetName()] = places
    return found


def _paint(node, segment_id, volume, box, value=1):
    """Set a box of voxels of a segment, as a script does."""
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    mask[box] = value
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    for stale in slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeDisplayNode"):
        slicer.mrmlScene.RemoveNode(stale)


def _tag(node, segment_id, name):
    text = vtk.reference("")
    return node.GetSegmentation().GetSegment(segment_id).GetTag(name, text) and text.get()


@pytest.fixture
def masks(scene):
    return _masks


@pytest.fixture
def paint(scene):
    return _paint


@pytest.fixture
def tag(scene):
    return _tag


@pytest.fixture
def rows():
    """The table's rows as dictionaries."""

    def of(table_node):
        table = table_node.GetTable()
        columns = [table.GetColumn(n) for n in range(table.GetNumberOfColumns())]
        return [
            {column.GetName(): column.GetValue(row) for column in columns}
            for row in range(table.GetNumberOfRows())
        ]

    return of


@pytest.fixture
def two_aneurysms(make_balls):
    """The balls of ``make_balls`` and, apart from them, a block of 4 voxels."""
    volume = make_balls()
    slicer.util.arrayFromVolume(volume)[5:9, 5:9, 5:9] = 200
    slicer.util.arrayFromVolumeModified(volume)
    return volume


@pytest.fixture(params=["as made", "one layer", "own layers"])
def segmented(request, make_logic, two_aneurysms):
    """A logic, a volume and a segmentation of it, its segments in one label map or in several."""
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    segmentation = node.GetSegmentation()
    if request.param == "one layer":
        segmentation.CollapseBinaryLabelmaps(False)
        assert segmentation.GetNumberOfLayers() == 1
    elif request.param == "own layers":
        for segment_id in segmentation.GetSegmentIDs():
            segmentation.SeparateSegmentLabelmap(segment_id)
        assert segmentation.GetNumberOfLayers() == 3
    node.CreateClosedSurfaceRepresentation()
    return logic, two_aneurysms, node
