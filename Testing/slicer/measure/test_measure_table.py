"""The table and the lines of measurements in the scene, in files and in views."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError
from gsema_core.measurements import COLUMNS

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


@pytest.fixture
def measured(make_logic, make_balls):
    """A logic, a segmentation with one aneurysm and one that has no neck, and its table."""
    volume, logic = make_balls(), make_logic("good")
    slicer.util.arrayFromVolume(volume)[5:9, 5:9, 5:9] = 200
    slicer.util.arrayFromVolumeModified(volume)
    node = logic.segment(volume)
    return logic, node, logic.measure(node)


def lines_by_name():
    return {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode")}


def test_columns_have_names_titles_units_and_types(measured):
    _logic, _node, table = measured
    assert table.GetColumnName(0) == "segment"
    for number, column in enumerate(COLUMNS, start=1):
        assert table.GetColumnName(number) == column.name
        assert table.GetColumnUnitLabel(column.name) == column.unit
        title = table.GetColumnTitle(column.name)
        assert title == (f"{column.title} ({column.unit})" if column.unit else column.title)
    columns = {name: table.GetTable().GetColumnByName(name) for name in ("index", "volume_mm3")}
    assert columns["index"].IsA("vtkIntArray") and columns["volume_mm3"].IsA("vtkDoubleArray")
    neck = table.GetTable().GetColumnByName("neck_width_mm")
    assert float(neck.GetValue(0)) > 1 and neck.GetValue(1) == ""


def test_measuring_again_updates_the_same_table(measured, scene):
    logic, node, table = measured
    count = scene.GetNumberOfNodes()
    node.GetSegmentation().RemoveSegment("GSEMA_Aneurysm_2")
    assert logic.measure(node) is table
    assert table.GetNumberOfRows() == 1
    assert table.GetNumberOfColumns() == len(COLUMNS) + 2
    assert scene.GetNumberOfNodes() == count
    scene.RemoveNode(table)
    assert logic.measure(node).GetNumberOfRows() == 1  # a removed one is made again


def test_the_table_lies_beside_the_volume(measured, make_logic, make_balls, scene):
    logic, node, table = measured
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    volume = slicer.util.getNode("balls")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    assert logic.measure(node) is table
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(table)) == study
    other = make_balls(name="elsewhere")
    logic.measure(node, volumeNode=other)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(table)) != study


def test_the_csv_file_has_the_command_lines_columns(measured, tmp_path):
    from GSEMASegmentationLib.measure.MeasurementTable import writeCsv

    path = tmp_path / 'Ü "患者".csv'
    writeCsv(measured[2], path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(["segment", *[column.name for column in COLUMNS], "status"])
    first, second = csv.DictReader(lines)
    assert (first["segment"], first["index"]) == ("Aneurysm 1", "1")
    assert (second["segment"], second["index"]) == ("Aneurysm 2", "2")
    assert second["volume_mm3"] == f"{64 * 0.512:.1f}"
    assert (second["cut_off"], second["neck_width_mm"], second["status"]) == ("no", "", "")
    assert "neck_width_mm, " in second["missing"]
    assert "No neck: no vessel touches the aneurysm." in second["missing"]
    with pytest.raises(UserError):
        writeCsv(measured[2], tmp_path / "nowhere" / "a.csv")


def test_a_row_is_shown_in_all_views(measured, scene):
    from GSEMASegmentationLib.measure.MeasurementTable import rowPosition
    from GSEMASegmentationLib.scene.ViewHelpers import centerViews
    from slicer_harness.views import SliceView

    views = [SliceView("First", "Axial"), SliceView("Second", "Coronal")]
    for row in (1, 0):
        centerViews(rowPosition(measured[2], row))
        for view in views:
            center = [view.node.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
            assert center == pytest.approx(rowPosition(measured[2], row), abs=1e-6)
    assert np.linalg.norm(center - ANEURYSM_CENTER) < 0.5
    for row in (-1, 2):
        with pytest.raises(UserError, match=f"no aneurysm in row {row + 1}"):
            rowPosition(measured[2], row)
    with pytest.raises(UserError, match="measure again"):
        rowPosition(scene.AddNewNodeByClass("vtkMRMLTableNode", "another"), 0)


def test_lines_are_as_long_as_the_table_says(make_logic, make_balls):
    logic = make_logic("good")
    node = logic.segment(make_balls(parent=PARENT))
    table = logic.measure(node, lines=True)
    lines = lines_by_name()
    assert sorted(lines) == ["Aneurysm diameter", "Aneurysm height", "Aneurysm neck"]
    for name, column in (
        ("Aneurysm diameter", "largest_diameter_mm"),
        ("Aneurysm height", "height_mm"),
        ("Aneurysm neck", "neck_width_mm"),
    ):
        length = table.GetTable().GetColumnByName(column).GetValue(0)
        assert lines[name].GetLineLengthWorld() == pytest.approx(length, abs=0.051)
        assert lines[name].GetLocked()
    ends = slicer.util.arrayFromMarkupsControlPoints(lines["Aneurysm diameter"], world=True)
    assert np.abs(ends.mean(axis=0) - ANEURYSM_CENTER).max() < 1.0


def test_lines_are_moved_not_doubled_and_go_when_not_asked_for(measured, scene):
    logic, node, _table = measured
    nodes = scene.GetNumberOfNodes()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = hierarchy.GetNumberOfItems()
    logic.measure(node, lines=True)
    before = lines_by_name()
    assert len(before) == 4  # the second aneurysm has no neck, and so no height
    folders = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(one)) for one in before.values()}
    assert len(folders) == 1
    assert hierarchy.GetItemName(folders.pop()) == "balls aneurysms lines"
    place = before["Aneurysm 1 diameter"].GetLineStartPositionWorld()
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    matrix = np.eye(4)
    matrix[0, 3] = 10
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    logic.measure(node, lines=True)
    after = lines_by_name()
    assert after == before
    moved = np.subtract(after["Aneurysm 1 diameter"].GetLineStartPositionWorld(), place)
    assert moved == pytest.approx([10, 0, 0])
    node.SetAndObserveTransformNodeID(None)
    scene.RemoveNode(transform)
    node.GetSegmentation().RemoveSegment("GSEMA_Aneurysm_2")
    logic.measure(node, lines=True)
    assert len(lines_by_name()) == 3
    logic.measure(node)
    assert lines_by_name() == {}
    assert (scene.GetNumberOfNodes(), hierarchy.GetNumberOfItems()) == (nodes, items)


def test_a_saved_scene_keeps_segments_table_and_lines(measured, scene, tmp_path):
    logic, node, table = measured
    logic.measure(node, lines=True)
    cells = [[table.GetCellText(r, c) for c in range(4)] for r in range(table.GetNumberOfRows())]
    path = tmp_path / "case.mrb"
    assert slicer.util.saveScene(str(path))
    scene.Clear()
    slicer.util.loadScene(str(path))
    node = slicer.util.getNode("balls aneurysms")
    assert node.GetSegmentation().GetNumberOfSegments() == 3
    from GSEMASegmentationLib.measure.MeasurementTable import rowPosition, tableOf

    table = tableOf(node)
    assert [[table.GetCellText(r, c) for c in range(4)] for r in range(2)] == cells
    assert table.GetColumnUnitLabel("volume_mm3") == "mm³"
    assert table.GetColumnTitle("volume_mm3") == "Volume (mm³)"
    assert np.linalg.norm(rowPosition(table, 0) - ANEURYSM_CENTER) < 0.5
    lines, count = lines_by_name(), scene.GetNumberOfNodes()
    assert len(lines) == 4
    assert logic.measure(node, lines=True) is table  # found again, not doubled
    assert lines_by_name() == lines
    assert scene.GetNumberOfNodes() == count


def test_no_view_of_the_table_shows_minus_zero():
    from GSEMASegmentationLib.measure.MeasurementTable import _array

    (column,) = [one for one in COLUMNS if one.name == "r_mm"]
    value = _array(column, [{"centroid_ras": (-0.04, 0.0, 0.0)}]).GetValue(0)
    assert str(value) == "0.0"
