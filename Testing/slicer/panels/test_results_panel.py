"""The measurements in the panel: shown, made again, exported, drawn as lines, reloaded."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer
import slicer.util


@pytest.fixture
def finished(panel, make_balls, settled):
    """The panel after a run on a volume with one aneurysm."""
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.segmentButton.click()
    settled(panel)
    return panel


def cells(panel):
    table = panel.ui.aneurysmTable
    return [
        {
            table.horizontalHeaderItem(column)
            .text()
            .replace("-\n", "-")
            .replace("\n", " "): table.item(row, column).text()
            for column in range(table.columnCount)
        }
        for row in range(table.rowCount)
    ]


def test_before_a_run_there_is_no_table(panel, make_balls):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.parent.show()
    assert not panel.ui.aneurysmsCollapsibleButton.visible


def test_the_table_node_lies_beside_the_volume(finished, scene):
    tables = slicer.util.getNodesByClass("vtkMRMLTableNode")
    assert [table.GetName() for table in tables] == ["case aneurysms measurements"]
    (row,) = cells(finished)
    assert float(row["Neck width (mm)"]) > 0
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parents = {
        hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
        for node in (tables[0], finished.ui.inputSelector.currentNode())
    }
    assert len(parents) == 1


def test_measure_again_after_a_correction_by_hand(finished, settled):
    volume = finished.ui.inputSelector.currentNode()
    node = finished.ui.outputSelector.currentNode()
    (before,) = cells(finished)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume)
    whole = np.count_nonzero(mask)
    mask[:, :, : int(np.argwhere(mask)[:, 2].mean())] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "GSEMA_Aneurysm", volume)
    finished.ui.measureButton.click()
    settled(finished)
    (after,) = cells(finished)
    ratio = float(after["Volume (mm³)"]) / float(before["Volume (mm³)"])
    assert ratio == pytest.approx(np.count_nonzero(mask) / whole, abs=0.01)
    assert ratio < 0.75
    assert len(slicer.util.getNodesByClass("vtkMRMLTableNode")) == 1


def test_lines_come_and_go(finished):
    finished.ui.linesCheckBox.click()
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode")]
    assert "Aneurysm diameter" in names
    assert "Aneurysm neck" in names
    finished.ui.linesCheckBox.click()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode") == []


def test_export(finished, monkeypatch, tmp_path, caplog):
    import qt

    answers = ["", str(tmp_path / "患者 'a'.csv"), str(tmp_path / "none" / "a.csv")]
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", staticmethod(lambda *_: answers.pop(0)))
    finished.ui.exportButton.click()
    assert list(tmp_path.glob("*.csv")) == []
    finished.ui.exportButton.click()
    (path,) = tmp_path.glob("*.csv")
    (row,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    (shown,) = cells(finished)
    assert row["segment"] == shown["Segment"]
    assert row["volume_mm3"] == shown["Volume (mm³)"]
    finished.ui.exportButton.click()
    assert "none" in caplog.text


def test_a_saved_scene_brings_everything_back(finished, scene, tmp_path):
    finished.ui.linesCheckBox.click()
    rows = cells(finished)
    node = finished.ui.outputSelector.currentNode()
    terminology = tags(node)
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    assert finished.ui.aneurysmTable.rowCount == 0
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    finished.parent.enter()
    assert finished.ui.inputSelector.currentNode().GetName() == "case"
    again = finished.ui.outputSelector.currentNode()
    assert list(again.GetSegmentation().GetSegmentIDs()) == ["GSEMA_Vessel", "GSEMA_Aneurysm"]
    assert tags(again) == terminology
    assert "128059003" in terminology[1]
    assert cells(finished) == rows
    assert finished.ui.linesCheckBox.checked
    assert finished.ui.segmentButton.enabled
    finished.ui.linesCheckBox.click()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode") == []


def tags(node):
    import vtk

    found = []
    for segment_id in node.GetSegmentation().GetSegmentIDs():
        text = vtk.reference("")
        node.GetSegmentation().GetSegment(segment_id).GetTag("TerminologyEntry", text)
        found.append(str(text.get()))
    return found


def test_a_segmentation_without_measurements_says_so(panel, make_balls, scene):
    volume = make_balls()
    panel.ui.inputSelector.setCurrentNode(volume)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    panel.ui.outputSelector.setCurrentNode(node)
    assert panel.ui.aneurysmTable.rowCount == 0
    assert not panel.ui.exportButton.enabled
    assert panel.ui.exportButton.toolTip.startswith("There is nothing to write yet")
    panel.ui.measureButton.click()
    assert panel.ui.exportButton.enabled


def test_the_columns_that_matter_come_first_and_all_can_be_shown(finished):
    from gsema_core.measurements import COLUMNS

    (row,) = cells(finished)
    essential = [column for column in COLUMNS if column.essential and column.name != "index"]
    assert list(row) == ["Segment", *[column.heading for column in essential]]
    assert [key.split(" (")[0] for key in row][:4] == [
        "Segment", "Largest diameter", "Neck width", "Height",
    ]  # fmt: skip
    finished.ui.allColumnsCheckBox.click()
    (whole,) = cells(finished)
    expected = [column for column in COLUMNS if column.name not in ("index", "missing")]
    assert list(whole) == ["Segment", *[column.heading for column in expected]]
    assert list(whole)[-1] == "Superior (mm)"
    assert {name: whole[name] for name in row} == row
    finished.ui.allColumnsCheckBox.click()
    assert cells(finished) == [row]


def test_every_cell_follows_one_rule_for_digits(finished):
    finished.ui.allColumnsCheckBox.click()
    (row,) = cells(finished)
    for heading, text in row.items():
        if not text or text.isalpha():
            continue
        unit = heading.rpartition("(")[2].rstrip(")") if heading.endswith(")") else ""
        decimals = {"mm": 1, "mm²": 1, "mm³": 1, "°": 0}.get(unit, 2)
        assert len(text.partition(".")[2]) == decimals, heading


def test_an_empty_cell_says_why(finished):
    finished.ui.allColumnsCheckBox.click()
    table = finished.ui.aneurysmTable
    reasons = {
        table.horizontalHeaderItem(n).text().replace("\n", " "): table.item(0, n).toolTip()
        for n in range(table.columnCount)
        if table.item(0, n).text() == ""
    }
    assert "Certainty" in reasons
    assert all(reason.endswith(".") for reason in reasons.values())


@pytest.mark.parametrize("how", ["button", "key"])
def test_a_copy_is_the_file(finished, tmp_path, how, monkeypatch, settled):
    import qt
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    node = finished.ui.outputSelector.currentNode()
    node.GetSegmentation().GetSegment("GSEMA_Aneurysm").SetName('left\t"MCA", 患者')
    finished.ui.measureButton.click()
    settled(finished)
    monkeypatch.setattr(
        qt.QFileDialog, "getSaveFileName", staticmethod(lambda *_: str(tmp_path / "a.csv"))
    )
    finished.ui.exportButton.click()
    qt.QApplication.clipboard().setText("something else")
    if how == "button":
        finished.ui.copyButton.click()
    else:
        finished.parent.show()
        finished.parent.activateWindow()
        finished.ui.aneurysmTable.setFocus()
        slicer.app.processEvents()
        QTest.keyClick(finished.ui.aneurysmTable, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = qt.QApplication.clipboard().text()
    written = (tmp_path / "a.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(copied.splitlines(), dialect=csv.excel_tab))
    assert rows == list(csv.reader(written.splitlines()))
    assert rows[0][:3] == ["segment", "index", "largest_diameter_mm"]
    assert rows[1][0] == 'left\t"MCA", 患者'


def test_nothing_to_copy_is_said(panel, make_balls, scene):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.outputSelector.setCurrentNode(
        scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    )
    assert not panel.ui.copyButton.enabled
    assert panel.ui.copyButton.toolTip.startswith("There is nothing to copy yet")


def test_a_table_of_an_earlier_version_is_shown(finished, scene):
    """As a saved scene brings it: other columns, no reasons."""
    import vtk
    from GSEMASegmentationLib.measure.MeasurementTable import tableOf

    table = tableOf(finished.ui.outputSelector.currentNode())
    old = vtk.vtkDoubleArray()
    old.SetName("volume_ml")
    old.InsertNextValue(0.2681)
    for name in ("missing", "volume_mm3"):
        table.RemoveColumn(table.GetColumnIndex(name))
    table.AddColumn(old)
    table.SetColumnTitle("volume_ml", "Volume (ml)")
    table.SetColumnUnitLabel("volume_ml", "ml")
    table.Modified()
    finished.results.show(finished.results.segmentation, finished.results.volume)
    (row,) = cells(finished)
    assert row["Volume (ml)"] == "0.2681"
    finished.ui.copyButton.click()
