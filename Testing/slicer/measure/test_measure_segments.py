"""GSEMASegmentationLogic.measure: which segments, on which grids, and what comes out."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import COLUMNS, measure_aneurysms
from gsema_core.measurements.aneurysm_table import DECIMALS, reasons_of
from gsema_core.terminology import terminology_entry

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def labels_of(volume):
    """The balls as labels: 100 is vessel, 200 is aneurysm."""
    array = slicer.util.arrayFromVolume(volume)
    return np.where(array == 200, ANEURYSM, np.where(array == 100, VESSEL, 0)).astype(np.uint8)


def geometry_of(volume):
    matrix = np.eye(4)
    vtk_matrix = slicer.util.vtkMatrixFromArray(matrix)
    volume.GetIJKToRASMatrix(vtk_matrix)
    matrix = np.diag([-1, -1, 1, 1]) @ slicer.util.arrayFromVTKMatrix(vtk_matrix)
    spacing = volume.GetSpacing()
    direction = tuple((matrix[:3, :3] / spacing).ravel())
    size = volume.GetImageData().GetDimensions()
    return Geometry(size, spacing, tuple(matrix[:3, 3]), direction)


@pytest.fixture
def segmentation_of(scene):
    """A segmentation of named masks on a volume's grid, as drawn by hand."""

    def make(volume, **masks):
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        transform = volume.GetParentTransformNode()
        node.SetAndObserveTransformNodeID(transform.GetID() if transform else None)
        for name, mask in masks.items():
            node.GetSegmentation().AddEmptySegment(name, name.replace("_", " "))
            slicer.util.updateSegmentBinaryLabelmapFromArray(
                mask.astype(np.uint8), node, name, volume
            )
        return node

    return make


def rows_of(table_node):
    table = table_node.GetTable()
    columns = [table.GetColumn(n) for n in range(table.GetNumberOfColumns())]
    return [
        {column.GetName(): column.GetValue(row) for column in columns}
        for row in range(table.GetNumberOfRows())
    ]


def test_the_rows_are_those_of_the_program(make_logic, make_balls, ijk_to_ras):
    volume = make_balls(ijk_to_ras)
    array = slicer.util.arrayFromVolume(volume)
    ijk = np.stack(np.indices(array.shape)[::-1], axis=-1)
    height = ijk @ ijk_to_ras[2, :3] + ijk_to_ras[2, 3]
    array[(array == 100) & (np.abs(height - 4) > 2.5)] = 0  # a vessel is not that wide
    slicer.util.arrayFromVolumeModified(volume)
    logic = make_logic("good")
    (row,) = rows_of(logic.measure(logic.segment(volume)))
    (expected,) = measure_aneurysms(Volume(labels_of(volume), geometry_of(volume)))
    assert expected.neck_width_mm is not None and expected.parent_vessel_diameter_mm is not None
    values = expected.to_dict()
    assert row.pop("segment") == "Aneurysm" and row.pop("status") == ""
    assert list(row) == [column.name for column in COLUMNS]
    values["certainty"] = row["certainty"]
    for column in COLUMNS[:-1]:
        value = column.value(values)
        if value is None or isinstance(value, bool):
            assert row[column.name] == {None: "", True: "yes", False: "no"}[value]
        else:
            assert row[column.name] == pytest.approx(value, abs=0.51 * 10 ** -DECIMALS[column.unit])
    reasons = reasons_of(row["missing"])
    assert set(reasons) == {name for name, value in row.items() if value == ""} - {"missing"}


def test_the_position_follows_the_parent_transform(make_logic, make_balls):
    volume = make_balls(parent=PARENT)
    logic = make_logic("good")
    table = logic.measure(logic.segment(volume))
    from GSEMASegmentationLib.measure.MeasurementTable import rowPosition

    assert np.abs(rowPosition(table, 0) - ANEURYSM_CENTER).max() < 0.4
    assert np.linalg.norm(rowPosition(table, 0) - ANEURYSM_CENTER) < 0.5


@pytest.mark.parametrize("scale", [(1.0, 1.0, 1.0), (1.0, 2.0, 0.5)])
def test_the_neck_plane_follows_the_parent_transform(make_logic, make_balls, scale):
    """Two points of the plane stay on it, also where the transform stretches."""
    from GSEMASegmentationLib.measure.SegmentMeasurement import measureSegments

    node = make_logic("good").segment(make_balls())
    (before,) = measureSegments(node)
    matrix = PARENT @ np.diag([*scale, 1.0])
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    (after,) = measureSegments(node)
    lpsToRas = np.diag([-1.0, -1.0, 1.0])
    center, normal = (
        lpsToRas @ getattr(after.aneurysm, name) for name in ("neck_center_lps", "neck_normal_lps")
    )
    old, oldNormal = (
        lpsToRas @ getattr(before.aneurysm, name) for name in ("neck_center_lps", "neck_normal_lps")
    )
    np.testing.assert_allclose(center, (matrix @ [*old, 1.0])[:3], atol=1e-6)
    aside = np.cross(oldNormal, [0.3, 0.5, 0.8])
    for along in (aside, np.cross(oldNormal, aside)):
        assert (matrix[:3, :3] @ along) @ normal == pytest.approx(0, abs=1e-6)
    assert (matrix[:3, :3] @ oldNormal) @ normal > 0
    assert np.linalg.norm(normal) == pytest.approx(1)


def test_segments_of_others_count_by_terminology_or_name(
    make_logic, make_balls, segmentation_of, scene
):
    volume = make_balls()
    labels = labels_of(volume)
    block = np.zeros(labels.shape, bool)
    block[5:10, 5:10, 5:10] = True
    node = segmentation_of(
        volume,
        Left_MCA_ANEURYSM=labels == ANEURYSM,
        vessels_drawn=labels == VESSEL,
        finding=block,
        bone=np.roll(block, 10, axis=1),
    )
    segmentation = node.GetSegmentation()
    finding = segmentation.GetSegment("finding")
    finding.SetTag(finding.GetTerminologyEntryTagName(), terminology_entry(ANEURYSM))
    # A wrong name does not help against a terminology that knows better.
    vessels = segmentation.GetSegment("vessels_drawn")
    vessels.SetTag(vessels.GetTerminologyEntryTagName(), terminology_entry(VESSEL))
    vessels.SetName("where the aneurysm is")
    rows = rows_of(make_logic("good").measure(node))
    assert [row["segment"] for row in rows] == ["Left MCA ANEURYSM", "finding"]
    assert [row["index"] for row in rows] == [1, 2]
    volumes = [(labels == ANEURYSM).sum() * 0.512, 125 * 0.512]
    assert [row["volume_mm3"] for row in rows] == pytest.approx(volumes, abs=0.051)
    assert rows[0]["neck_width_mm"] != "" and rows[1]["neck_width_mm"] == ""


def test_an_edit_by_hand_is_measured(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segment(volume)
    before = rows_of(logic.measure(node))[0]["volume_mm3"]
    array = (labels_of(volume) == ANEURYSM).astype(np.uint8)
    k = np.argwhere(array)[:, 0].max()
    array[k] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, "GSEMA_Aneurysm", volume)
    after = rows_of(logic.measure(node))[0]["volume_mm3"]
    assert after == pytest.approx(array.sum() * 0.512, abs=0.051)
    assert after < before


def test_pieces_of_one_segment_are_rows_and_specks_are_not(make_logic, make_balls, segmentation_of):
    volume = make_balls()
    mask = labels_of(volume) == ANEURYSM
    mask[5:9, 5:9, 5:9] = True
    mask[40, 40, 40] = True
    rows = rows_of(make_logic("good").measure(segmentation_of(volume, Aneurysm=mask)))
    assert [row["segment"] for row in rows] == ["Aneurysm", "Aneurysm (2)"]
    assert rows[1]["volume_mm3"] == pytest.approx(64 * 0.512, abs=0.051)


def test_the_volumes_border_is_known(make_logic, make_balls, segmentation_of):
    volume = make_balls()
    mask = np.zeros(labels_of(volume).shape, bool)
    mask[0:8, 20:28, 20:28] = True
    inside = np.roll(mask, 1, axis=0)
    node = segmentation_of(volume, cut_aneurysm=mask, aneurysm=np.roll(inside, 20, axis=2))
    rows = {row["segment"]: row["cut_off"] for row in rows_of(make_logic("good").measure(node))}
    assert rows == {"cut aneurysm": "yes", "aneurysm": "no"}


def test_a_surface_is_measured_too(make_logic, scene):
    import vtk

    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(5.0)
    sphere.SetCenter(10, -20, 30)
    sphere.SetThetaResolution(64)
    sphere.SetPhiResolution(64)
    sphere.Update()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surface")
    node.SetSourceRepresentationToClosedSurface()
    segment = slicer.vtkSegment()
    segment.SetName("Aneurysm")
    segment.AddRepresentation("Closed surface", sphere.GetOutput())
    node.GetSegmentation().AddSegment(segment)
    (row,) = rows_of(make_logic("good").measure(node))
    assert row["volume_mm3"] == pytest.approx(4 / 3 * np.pi * 125, rel=0.02)
    assert row["largest_diameter_mm"] == pytest.approx(10, abs=0.2)
    assert (row["r_mm"], row["a_mm"], row["s_mm"]) == pytest.approx((10, -20, 30), abs=0.1)
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")


def test_vessels_on_another_grid_give_the_neck(make_logic, make_balls, segmentation_of, scene):
    """As after a segment was copied in from another segmentation."""
    volume = make_balls()
    labels = labels_of(volume)
    node = segmentation_of(volume, Aneurysm=labels == ANEURYSM)
    expected = rows_of(make_logic("good").measure(segmentation_of(volume, V=labels > 0)))
    assert expected == []
    matrix = np.diag([0.4, 0.4, 0.4, 1.0])
    plain = np.eye(4)
    vtk_matrix = slicer.util.vtkMatrixFromArray(plain)
    volume.GetIJKToRASMatrix(vtk_matrix)
    matrix[:3, 3] = (slicer.util.arrayFromVTKMatrix(vtk_matrix) @ [-0.25, -0.25, -0.25, 1])[:3]
    fine_labels = labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    fine = slicer.util.addVolumeFromArray(fine_labels.astype(np.float32), matrix, "fine")
    vessels = segmentation_of(fine, Vessel=fine_labels == VESSEL)
    node.GetSegmentation().CopySegmentFromSegmentation(vessels.GetSegmentation(), "Vessel")
    (row,) = rows_of(make_logic("good").measure(node))
    (same,) = measure_aneurysms(Volume(labels, geometry_of(volume)))
    assert row["neck_width_mm"] == pytest.approx(same.neck_width_mm, abs=0.8)


def test_nothing_to_measure(make_logic, make_balls, segmentation_of, scene):
    logic = make_logic("good")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    assert rows_of(logic.measure(node)) == []
    node.GetSegmentation().AddEmptySegment("a", "Aneurysm")
    assert rows_of(logic.measure(node)) == []
    for wrong in (None, make_balls()):
        with pytest.raises(UserError, match="choose a segmentation"):
            logic.measure(wrong)


def test_a_bent_segmentation_is_refused(make_logic, make_balls, scene):
    logic = make_logic("good")
    node = logic.segment(make_balls())
    transform = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(UserError, match="non-linear transform warp: harden it"):
        logic.measure(node)
