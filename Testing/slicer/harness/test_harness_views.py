"""The harness's views: pictures without a window, clicks without a mouse."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support


def pixels_of(image):
    width, height, _ = image.GetDimensions()
    scalars = image.GetPointData().GetScalars()
    return numpy_support.vtk_to_numpy(scalars).reshape(height, width, 3)


@pytest.fixture
def cube(scene):
    array = np.zeros((20, 40, 40), np.int16)
    array[5:15, 10:30, 10:30] = 100
    return slicer.util.addVolumeFromArray(array, name="cube")


def test_views_render_and_take_clicks(scene, cube, tmp_path):
    from slicer_harness.views import SliceView, ThreeDView, beside, write_png

    view = SliceView("Red", size=(200, 200))
    view.show_volume(cube)
    view.node.JumpSliceByCentering(20, 20, 10)
    write_png(beside(view.image(), ThreeDView("1", (100, 200)).image()), tmp_path / "both.png")
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(tmp_path / "both.png"))
    reader.Update()
    assert reader.GetOutput().GetDimensions() == (300, 200, 1)
    left = pixels_of(reader.GetOutput())[:, :200]
    assert left[100, 100].max() > left[5, 5].max() + 50  # the cube is brighter than its rim
    markups = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "seeds")
    markups.CreateDefaultDisplayNodes()
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
    selection.SetActivePlaceNodeID(markups.GetID())
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    interaction.SetCurrentInteractionMode(interaction.Place)
    point = view.click(130, 60)
    assert markups.GetNthControlPointPosition(0) == pytest.approx(point)


def test_views_of_one_name_show_the_same(scene, cube):
    from slicer_harness.views import SliceView, ThreeDView

    for view_class in (SliceView, ThreeDView):
        first = view_class("Yellow", size=(100, 100))
        if view_class is SliceView:
            first.show_volume(cube)
        shown = pixels_of(first.image()).copy()
        assert shown.max() > 0
        second = view_class("Yellow", size=(100, 100))
        assert second.node is first.node
        assert scene.IsNodePresent(second.node)
        if view_class is SliceView:
            second.show_volume(cube)
        assert np.array_equal(pixels_of(second.image()), shown)
        assert np.array_equal(pixels_of(first.image()), shown)


def test_a_view_outlives_its_scene(scene, cube):
    from slicer_harness.views import SliceView

    SliceView("Green", size=(100, 100)).show_volume(cube)
    scene.Clear()
    array = np.arange(1000, dtype=np.int16).reshape(10, 10, 10)
    again = SliceView("Green", size=(100, 100))
    again.show_volume(slicer.util.addVolumeFromArray(array, name="other"))
    assert pixels_of(again.image()).max() > 0
