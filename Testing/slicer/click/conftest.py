"""What tests of clicks look at: the whole scene before and after, and single segments."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk

SECOND = (10, 12, 14)  # voxel (k, j, i) of a second aneurysm


def _voxels(node, segment_id):
    """Where a segment is; slicer.util's function for it would leave nodes in the scene."""
    array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
    return array == node.GetSegmentation().GetSegment(segment_id).GetLabelValue()


def _snapshot(scene):
    """All of the scene's nodes with what a click could have changed of them."""
    described = []
    for nodes in slicer.util.getNodes("*", useLists=True).values():
        for node in nodes:
            segments = []
            if node.IsA("vtkMRMLSegmentationNode"):
                segments = [_described_segment(node, one) for one in _segment_ids(node)]
            if not node.IsA("vtkMRMLLabelMapVolumeDisplayNode"):  # slicer.util leaves these
                described.append((node.GetID(), node.GetName(), segments))
    return sorted(described)


def _described_segment(node, segment_id):
    """Id, name, all voxels by their place in the world, and the surface's size."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation("Binary labelmap")
    where = b""
    if image is not None and not image.IsEmpty():
        i, _, j, _, k, _ = image.GetExtent()
        where = np.add(np.argwhere(_voxels(node, segment_id)), (k, j, i)).tobytes()
    surface = node.GetClosedSurfaceInternalRepresentation(segment_id)
    points = 0 if surface is None else surface.GetNumberOfPoints()
    return segment_id, segment.GetName(), where, points


def _surface_points(node, segment_id):
    return _described_segment(node, segment_id)[-1]


def _at_voxel(volume, kji):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix.MultiplyPoint((*kji[::-1], 1.0))[:3]


def _segment_ids(node):
    return list(node.GetSegmentation().GetSegmentIDs())


def _names(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(one).GetName() for one in segmentation.GetSegmentIDs()]


@pytest.fixture
def two_aneurysms(make_balls):
    """The two balls of ``make_balls`` and a second aneurysm: a block of 4 voxels in the corner."""
    volume = make_balls()
    k, j, i = SECOND
    slicer.util.arrayFromVolume(volume)[k - 2 : k + 2, j - 2 : j + 2, i - 2 : i + 2] = 200
    slicer.util.arrayFromVolumeModified(volume)
    return volume


@pytest.fixture
def voxels(scene):
    return _voxels


@pytest.fixture
def snapshot(scene):
    return _snapshot


@pytest.fixture
def surface_points(scene):
    return _surface_points


@pytest.fixture
def at_voxel(scene):
    return _at_voxel


@pytest.fixture
def segment_ids(scene):
    return _segment_ids


@pytest.fixture
def names(scene):
    return _names
