"""The lumen's surface of a segmentation, made by a real process, and read back by Slicer's core."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gsema_core.errors import UserError

VESSEL = np.array([3.0, -2.0, 5.0])
ANEURYSM = np.array([14.0, 1.0, 3.0])


@pytest.fixture
def segmented(make_logic, make_balls):
    """A logic, and the segmentation of a volume with two balls of 8 and 4 mm."""

    def make(*arguments, **named):
        logic = make_logic("good")
        return logic, logic.segment(make_balls(*arguments, **named))

    return make


def read(path):
    """The points as Slicer's own reader of models places them, RAS."""
    import slicer
    from vtk.util import numpy_support

    model, storage = slicer.vtkMRMLModelNode(), slicer.vtkMRMLModelStorageNode()
    storage.SetFileName(str(path))
    storage.SetCoordinateSystem(storage.CoordinateSystemRAS)  # the file says otherwise
    assert storage.ReadData(model)
    return numpy_support.vtk_to_numpy(model.GetPolyData().GetPoints().GetData())


def check_place(path):
    """The balls' walls are where they are, but for the corner between the two."""
    points = read(path)
    apart = np.linalg.norm(points - VESSEL, axis=1) - 8
    other = np.linalg.norm(points - ANEURYSM, axis=1) - 4
    off = np.minimum(abs(apart), abs(other))
    assert np.quantile(off, 0.95) < 0.5 and off.max() < 1.5
    assert (abs(apart) < 0.5).sum() > 100 and (abs(other) < 0.5).sum() > 100


@pytest.mark.parametrize("suffix", ["vtp", "ply", "stl"])
def test_the_surface_is_where_the_segments_are(segmented, ijk_to_ras, tmp_path, suffix):
    logic, node = segmented(ijk_to_ras)
    path = tmp_path / f"Gefäß 血管.{suffix}"
    report = logic.exportSurface(node, str(path), allParts=True)
    check_place(path)
    assert report["volume_mm3"] == pytest.approx(4 / 3 * np.pi * (8**3 + 4**3), rel=0.1)


def test_a_parent_transform_moves_it(segmented, tmp_path):
    parent = np.eye(4)
    parent[:3, :3] = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    parent[:3, 3] = 1, 2, -3
    logic, node = segmented(parent=parent)
    logic.exportSurface(node, str(tmp_path / "lumen.vtp"))
    check_place(tmp_path / "lumen.vtp")


def test_segments_on_a_grid_of_their_own_and_a_vessel_only(make_logic, scene, tmp_path):
    """Without a volume whose border could be the scan's, ends are ends and not borders."""
    import slicer
    import slicer.util

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.CreateDefaultDisplayNodes()
    segment = node.GetSegmentation().AddEmptySegment("left", "Left carotid vessel")
    k, j, _i = np.indices((16, 16, 40))
    tube = ((k - 8) ** 2 + (j - 8) ** 2 <= 16).astype(np.uint8)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(0, 39, 0, 15, 0, 15)
    from vtk.util import numpy_support

    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(tube.ravel(), deep=True))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.SetBinaryLabelmapToSegment(image, node, segment, logic.MODE_REPLACE)
    report = make_logic("good").exportSurface(node, str(tmp_path / "lumen.ply"))
    assert len(report["open_ends"]) == 2
    assert report["notes"] == ["There is no aneurysm in this lumen."]


def test_what_cannot_be_exported_is_explained(segmented, make_logic, scene, tmp_path):
    import slicer

    logic, node = segmented()
    path = str(tmp_path / "lumen.vtp")
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    for segmentation, where, words in (
        (None, path, "choose a segmentation"),
        (empty, path, "no vessel and no aneurysm"),
        (node, str(tmp_path / "lumen.obj"), "end its name with"),
        (node, str(tmp_path / "none" / "lumen.stl"), "does not exist"),
    ):
        with pytest.raises(UserError, match=words):
            logic.exportSurface(segmentation, where)
    shear = np.eye(4)
    shear[0, 1] = 0.5
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shear")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shear))
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(UserError, match="harden it first"):
        logic.exportSurface(node, path)
    assert list(tmp_path.iterdir()) == []


def test_slicer_stays_usable_and_can_stop_it(segmented, tmp_path, spin):
    logic, node = segmented()
    outcomes = []
    started = time.monotonic()
    options = {"blocking": False, "onDone": outcomes.append}
    assert logic.exportSurface(node, str(tmp_path / "lumen.vtp"), **options) is None
    assert logic.isExporting and outcomes == []
    with pytest.raises(UserError, match="wait for its end"):
        logic.exportSurface(node, str(tmp_path / "other.vtp"))
    assert time.monotonic() - started < 5
    logic.stop()
    spin(lambda: not logic.isExporting)
    assert outcomes[0].message and list(tmp_path.iterdir()) == []


def test_a_segment_on_another_grid_is_not_cut_off(make_logic, scene, tmp_path):
    """A ball of 5 mm beyond the end of the box that the vessel's own grid has."""
    import slicer
    from GSEMASegmentationLib.scene.SegmentMasks import orientedImage

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    k, j, _i = np.indices((20, 20, 60))
    tube = (k - 9.5) ** 2 + (j - 9.5) ** 2 <= 6**2
    places = np.stack(np.indices((80, 80, 80))[::-1], axis=-1) * 0.25
    ball = np.linalg.norm(places - (12, 11, 4.75), axis=-1) <= 5
    volumes = []
    for name, mask, spacing in (("Vessel", tube, 0.5), ("aneurysm", ball, 0.25)):
        segmentation = node.GetSegmentation()
        segment = segmentation.GetSegment(segmentation.AddEmptySegment("", name))
        grid = slicer.util.vtkMatrixFromArray(np.diag([spacing] * 3 + [1.0]))
        segment.AddRepresentation("Binary labelmap", orientedImage(mask, (0, 0, 0), grid))
        segment.SetLabelValue(1)
        volumes.append(mask.sum() * spacing**3)
    report = make_logic("good").exportSurface(node, str(tmp_path / "lumen.vtp"))
    assert report["volume_of_labels_mm3"] > 0.9 * sum(volumes)
    points = read(tmp_path / "lumen.vtp")
    assert points[:, 1].max() == pytest.approx(16, abs=0.5)
