"""The measurements in the panel: shown, made again, exported, drawn as lines, reloaded."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer.util


@pytest.fixture
def finished(panel, make_balls, spin):
    """The panel after a run on a volume with one aneurysm."""
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    return panel


def cells(panel):
    table = panel.ui.aneurysmTable
    return [
        {
            table.horizontalHeaderItem(column).text().replace("\n", " "): table.item(
                row, column
            ).text()
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


def test_measure_again_after_a_correction_by_hand(finished):
    volume = finished.ui.inputSelector.currentNode()
    node = finished.ui.outputSelector.currentNode()
    (before,) = cells(finished)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume)
    whole = np.count_nonzero(mask)
    mask[:, :, : int(np.argwhere(mask)[:, 2].mean())] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "GSEMA_Aneurysm", volume)
    finished.ui.measureButton.click()
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
