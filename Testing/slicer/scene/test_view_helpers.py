"""What the views show after a run, rendered: the aneurysm in the middle and before the vessels."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from vtk.util import numpy_support

from gsema_core.labels import ANEURYSM, COLORS, VESSEL

SIZE = 240


def case(scene, aneurysm, plate=0.0):
    """A vessel along the body's axis, a ball beside it, and perhaps a plate further out."""
    from GSEMASegmentationLib.scene.SegmentationOutput import importSegments
    from GSEMASegmentationLib.scene.SegmentContent import segmentsOf

    matrix = np.diag([-0.8, -0.8, 0.8, 1.0])
    matrix[:3, 3] = (24.0, 24.0, -24.0)
    k, j, i = np.meshgrid(*[np.arange(60)] * 3, indexing="ij")
    ras = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ matrix.T
    r, a, s = (ras[..., axis] for axis in range(3))
    labels = np.where((r**2 + a**2 < 9) & (abs(s) < 22), VESSEL, 0)
    if plate:
        labels[(abs(r - plate) < 1) & (abs(a) < 8) & (abs(s) < 8)] = VESSEL
    if aneurysm is not None:
        labels[((ras[..., :3] - aneurysm) ** 2).sum(axis=-1) < 16] = ANEURYSM
    volume = slicer.util.addVolumeFromArray(labels * 100.0, matrix, name="case")
    return volume, importSegments(segmentsOf(labels.astype(np.uint8)), volume, None)


def pixels(view):
    image = view.image()
    width, height, _one = image.GetDimensions()
    array = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return array.reshape(height, width, 3).astype(int)


def is_like(color, array):
    """Whether pixels have a surface's hue, whatever its shade."""
    wanted = np.array(color) / np.linalg.norm(color)
    found = array / np.maximum(np.linalg.norm(array, axis=-1, keepdims=True), 1)
    return found @ wanted > 0.985


@pytest.mark.parametrize(
    ("aneurysm", "plate"),
    [((7, 0, 0), 0), ((-7, 0, 0), 0), ((0, -7, 5), 0), ((5, 5, -15), 0), ((7, 0, 0), 16)],
)
def test_the_aneurysm_is_in_the_middle_and_in_front(scene, segmentation_module, aneurysm, plate):
    from GSEMASegmentationLib.scene.ViewHelpers import showAneurysm
    from slicer_harness.views import ThreeDView

    views = [ThreeDView("1", (SIZE, SIZE)), ThreeDView("2", (SIZE, SIZE))]
    _volume, node = case(scene, aneurysm, plate)
    showAneurysm(node, aneurysm, 8.0)
    for view in views:
        array = pixels(view)
        middle = array[SIZE // 2 - 4 : SIZE // 2 + 4, SIZE // 2 - 4 : SIZE // 2 + 4]
        assert is_like(COLORS[ANEURYSM], middle).all()
        background = np.abs(np.diff(array, axis=1)).max(axis=-1) <= 2  # a gradient from above
        border = np.ones_like(background)
        border[3:-3, 3:-3] = False
        assert background[border].all()  # all of it is in the picture


def test_without_an_aneurysm_the_vessels_are_shown_from_the_front(scene, segmentation_module):
    from GSEMASegmentationLib.scene.ViewHelpers import showVessels
    from slicer_harness.views import ThreeDView

    view = ThreeDView("1", (SIZE, SIZE))
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    slice_node.SetOrientation("Axial")
    _volume, node = case(scene, None)
    showVessels(node)
    camera = slicer.modules.cameras.logic().GetViewActiveCameraNode(view.node)
    assert camera.GetPosition()[1] > 50 and camera.GetViewUp() == (0.0, 0.0, 1.0)
    center = [slice_node.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    assert np.hypot(*center[:2]) < 3  # within the lumen
    assert abs(center[2]) < 22


def test_without_views_and_without_surfaces_nothing_happens(scene, segmentation_module):
    from GSEMASegmentationLib.scene.ViewHelpers import showAneurysm, shownVolume, showVessels

    _volume, node = case(scene, (7, 0, 0))
    showAneurysm(node, (7.0, 0.0, 0.0), 8.0)
    showVessels(node)
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    showAneurysm(empty, (7.0, 0.0, 0.0), 8.0)
    showVessels(empty)
    assert shownVolume() is None


def test_the_red_slices_background_comes_first(scene, segmentation_module, make_balls):
    from GSEMASegmentationLib.scene.ViewHelpers import shownVolume

    first, second = make_balls(name="first"), make_balls(name="second")
    for name, volume in (("Slice4", first), ("Green", second), ("Red", None)):
        node = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", name)
        node.SetLayoutName(name)
        node.SetBackgroundVolumeID(volume and volume.GetID())
    assert shownVolume() is second
    node.SetBackgroundVolumeID(first.GetID())
    assert shownVolume() is first
