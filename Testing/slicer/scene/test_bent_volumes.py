"""Volumes under transforms that bend them: by the rounding of a DICOM import, or by more."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from gsema_core.errors import UserError


def regularize(volume, millimeters, shift=None):
    """The transform that Slicer's DICOM import adds: one vector at each corner of each slice.

    Args:
        millimeters: how far the slices lie from where they should, at most, to and fro.
        shift: mm, of a linear transform above it; None for none.
    """
    columns, rows, slices = volume.GetImageData().GetDimensions()
    spacing = volume.GetSpacing()
    image = vtk.vtkImageData()
    image.SetOrigin(*volume.GetOrigin())
    image.SetDimensions(2, 2, slices)
    image.SetSpacing(spacing[0] * columns, spacing[1] * rows, spacing[2])
    image.AllocateScalars(vtk.VTK_DOUBLE, 3)
    transform = slicer.vtkOrientedGridTransform()
    directions = vtk.vtkMatrix4x4()
    volume.GetIJKToRASDirectionMatrix(directions)
    transform.SetGridDirectionMatrix(directions)
    transform.SetDisplacementGridData(image)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "acquisition transform")
    node.SetAndObserveTransformToParent(transform)
    along = slicer.util.arrayFromVTKMatrix(directions)[:3, 2]
    displacements = slicer.util.arrayFromGridTransform(node)
    displacements[:] = (millimeters * np.sin(np.arange(slices)))[:, None, None, None] * along
    slicer.util.arrayFromGridTransformModified(node)
    volume.SetAndObserveTransformNodeID(node.GetID())
    if shift is not None:
        above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "above")
        matrix = np.eye(4)
        matrix[:3, 3] = shift
        above.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        node.SetAndObserveTransformNodeID(above.GetID())
    return node


def bend(volume, millimeters):
    """Put it under B-splines with one coefficient of this length."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    coefficients = vtk.vtkImageData()
    coefficients.SetDimensions(6, 6, 6)
    coefficients.SetOrigin(-60, -60, -60)
    coefficients.SetSpacing(24, 24, 24)
    coefficients.AllocateScalars(vtk.VTK_DOUBLE, 3)
    values = vtk_to_numpy(coefficients.GetPointData().GetScalars())
    values[:] = 0
    values[86] = [0, 0, millimeters]
    splines = slicer.vtkOrientedBSplineTransform()
    splines.SetCoefficientData(coefficients)
    node.SetAndObserveTransformToParent(splines)
    volume.SetAndObserveTransformNodeID(node.GetID())
    return node


@pytest.fixture
def bending(scene, segmentation_module):
    from GSEMASegmentationLib.scene import Bending

    return Bending


def test_the_largest_displacement_is_that_of_the_vectors(bending, make_balls, scene):
    volume = make_balls()
    node = regularize(volume, 0.05)
    expected = 0.05 * np.abs(np.sin(np.arange(52))).max()
    assert bending.largestDisplacement(node) == pytest.approx(expected)
    # Stored the other way round it is the same.
    inverse = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "inverse")
    inverse.SetAndObserveTransformFromParent(node.GetTransformToParent())
    assert bending.largestDisplacement(inverse) == pytest.approx(expected)


def test_a_tenth_of_the_smallest_voxel_side_is_the_limit(bending, make_balls):
    for millimeters, is_bent in ((0.079, False), (0.081, True)):  # voxels of 0.8 mm
        volume = make_balls(name=f"{millimeters}")
        regularize(volume, millimeters / np.abs(np.sin(np.arange(52))).max())
        assert bending.isBent(volume) is is_bent
    volume = make_balls(np.diag([2.0, 2.0, 0.4, 1.0]))
    regularize(volume, 0.06)
    assert bending.isBent(volume)


def test_what_cannot_be_measured_counts_as_bent(bending, make_balls, scene):
    spline, points = vtk.vtkThinPlateSplineTransform(), vtk.vtkPoints()
    for point in ((0, 0, 0), (9, 0, 0), (0, 9, 0), (0, 0, 9), (5, 5, 5)):
        points.InsertNextPoint(point)
    spline.SetSourceLandmarks(points)
    spline.SetTargetLandmarks(points)
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    node.SetAndObserveTransformToParent(spline)
    volume = make_balls()
    volume.SetAndObserveTransformNodeID(node.GetID())
    assert bending.isBent(volume)
    assert not bending.isBent(make_balls(parent=np.diag([1.0, -1.0, -1.0, 1.0])))


def test_b_splines_bend_by_their_coefficients(bending, make_balls, scene):
    volume = make_balls()
    node = bend(volume, 0.0)
    assert not bending.isBent(volume)
    bend(volume, 0.5)
    assert bending.isBent(volume)
    turned = bend(volume, 0.0)
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 5.0)
    turned.GetTransformToParent().SetBulkTransformMatrix(matrix)
    assert bending.isBent(volume)
    assert node is not turned


def test_numbers_that_are_none_count_as_bent(bending, make_balls):
    volume = make_balls()
    node = regularize(volume, 0.01)
    slicer.util.arrayFromGridTransform(node)[3, 0, 1, 2] = np.nan
    assert bending.isBent(volume)


@pytest.mark.parametrize("shift", [None, (20.0, -7.0, 11.0)])
def test_a_run_takes_what_is_negligible_and_leaves_the_scene_as_it_was(
    make_logic, make_balls, world_centroid, ijk_to_ras, shift
):
    volume = make_balls(ijk_to_ras)
    node = regularize(volume, 0.02, shift)
    before = slicer.util.arrayFromGridTransform(node).copy()
    voxels = slicer.util.arrayFromVolume(volume).copy()
    logic = make_logic("good")
    output = logic.segment(volume, keepProbability=True)
    # The balls were drawn without the transforms above.
    moved = np.zeros(3) if shift is None else np.array(shift)
    aneurysm = np.array([14.0, 1.0, 3.0]) + moved
    assert np.abs(world_centroid(output, "Aneurysm") - aneurysm).max() < 0.15
    told = np.array([-1.0, -2.0, 3.0]) + moved  # the fake worker says LPS 1, 2, 3 of any scan
    assert np.allclose(logic.aneurysms[0].ras, told)
    assert output.GetParentTransformNode() is node.GetParentTransformNode()
    assert volume.GetParentTransformNode() is node
    assert np.array_equal(slicer.util.arrayFromGridTransform(node), before)
    assert np.array_equal(slicer.util.arrayFromVolume(volume), voxels)
    # The segmentation's grid is the volume's own, for exports and the Segment Editor.
    found = slicer.util.arrayFromSegmentBinaryLabelmap(output, segment_of(output, "Aneurysm"))
    assert found.sum() == (voxels == 200).sum()
    reference = slicer.vtkOrientedImageData()
    geometry = output.GetSegmentation().GetConversionParameter("Reference image geometry")
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, reference, False)
    assert reference.GetDimensions() == volume.GetImageData().GetDimensions()
    matrix = vtk.vtkMatrix4x4()
    reference.GetImageToWorldMatrix(matrix)
    assert np.allclose(slicer.util.arrayFromVTKMatrix(matrix), ijk_to_ras, atol=1e-5)
    assert logic.measure(output).GetTable().GetNumberOfRows() == 1
    again = logic.segment(volume, outputSegmentation=output)
    assert again is output


def segment_of(node, name):
    return node.GetSegmentation().GetSegmentIdBySegmentName(name)


def test_a_click_goes_the_same_way(make_logic, make_balls, world_centroid):
    volume = make_balls()
    regularize(volume, 0.02, (20.0, -7.0, 11.0))
    outcome = make_logic("good").segmentAtPoint(volume, (34.0, -6.0, 14.0))
    assert outcome.isFound
    centroid = world_centroid(outcome.segmentationNode, "Aneurysm")
    assert np.abs(centroid - [34.0, -6.0, 14.0]).max() < 0.15


def test_what_bends_more_is_refused_and_measured_as_nothing_else(make_logic, make_balls):
    volume = make_balls(name="bent")
    regularize(volume, 0.5)
    with pytest.raises(UserError, match="bent lies under the non-linear transform acquisition"):
        make_logic("good").segment(volume)


def test_no_matrix_stands_for_a_transform_that_bends(bending, make_balls):
    from GSEMASegmentationLib.scene.Coordinates import matrixBetween, toWorld

    volume = make_balls()
    node = regularize(volume, 0.5)
    for ask in (lambda: toWorld(volume), lambda: matrixBetween(None, node)):
        with pytest.raises(UserError, match="acquisition transform is not linear"):
            ask()


def test_the_button_hardens_a_copy_and_chooses_it(panel, make_balls, scene, spin, world_centroid):
    assert not panel.ui.hardenButton.visible
    volume = make_balls(name="case")
    panel.parent.show()
    panel.ui.inputSelector.setCurrentNode(volume)
    assert not panel.ui.hardenButton.visible
    regularize(volume, 0.0, (0.0, 0.0, 6.0))
    node = volume.GetParentTransformNode()
    slicer.util.arrayFromGridTransform(node)[:] = [2.0, 0.0, 0.0]
    slicer.util.arrayFromGridTransformModified(node)
    panel.ui.inputSelector.setCurrentNode(None)
    panel.ui.inputSelector.setCurrentNode(volume)
    assert "harden it first" in panel.ui.volumeInfoLabel.text
    assert panel.ui.hardenButton.visible
    assert not panel.ui.segmentButton.enabled
    before = slicer.util.arrayFromVolume(volume).copy()
    panel.ui.hardenButton.click()
    copy = panel.ui.inputSelector.currentNode()
    assert (copy.GetName(), copy.GetParentTransformNode()) == ("case hardened", None)
    assert not panel.ui.hardenButton.visible
    spin(lambda: panel.voxelCheck.isDone)
    assert panel.ui.segmentButton.enabled
    # 2 mm to the right and 6 mm up, as the views have shown it.
    array = slicer.util.arrayFromVolume(copy)
    k, j, i = (axis.mean() for axis in np.nonzero(array > 150))
    matrix = vtk.vtkMatrix4x4()
    copy.GetIJKToRASMatrix(matrix)
    assert np.abs(np.array(matrix.MultiplyPoint((i, j, k, 1))[:3]) - [16.0, 1.0, 9.0]).max() < 0.3
    assert volume.GetParentTransformNode() is node
    assert np.array_equal(slicer.util.arrayFromVolume(volume), before)
