"""The table comes from a process of its own: after a run, a click, and when Measure is pressed."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import slicer
import slicer.util

ANEURYSM = (14.0, 1.0, 3.0)
MEASURING = "Measuring..."


@pytest.fixture
def ready(panel, make_balls):
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    return panel


@pytest.fixture
def segment(ready, spin):
    """Press Segment and wait for the segments, not for the table."""

    def press():
        ready.ui.segmentButton.click()
        spin(lambda: not ready.logic.isRunning)
        return ready

    return press


@pytest.fixture
def not_here(monkeypatch):
    """Fail if anything is measured in this process; returns what takes it back."""
    from gsema_core.measurements import pieces

    def measure_pieces(*_):
        raise AssertionError("the main thread measures")

    monkeypatch.setattr(pieces, "measure_pieces", measure_pieces)
    return monkeypatch.undo


@pytest.fixture
def broken(monkeypatch):
    """A process that cannot be started."""
    from GSEMASegmentationLib.correct import BackgroundMeasurement

    monkeypatch.setattr(BackgroundMeasurement, "measureCommand", lambda: ["no such program"])
    return monkeypatch


def output(panel):
    return panel.ui.outputSelector.currentNode()


def texts(panel):
    table = panel.ui.aneurysmTable
    columns = range(table.columnCount)
    return [[table.item(row, n).text() for n in columns] for row in range(table.rowCount)]


def test_a_run_shows_where_it_is_before_it_is_measured(ready, segment, scene, not_here, settled):
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    view.SetOrientation("Axial")
    panel = segment()
    assert panel.ui.editedLabel.text == MEASURING
    assert texts(panel) == []
    assert view.GetSliceToRAS().GetElement(2, 3) == pytest.approx(ANEURYSM[2], abs=0.4)
    settled(panel)
    assert len(texts(panel)) == 1 and panel.ui.editedLabel.text == ""


def test_a_click_says_that_it_is_measured(ready, spin, not_here, settled):
    ready.clicks.onPoint(ANEURYSM)
    spin(lambda: not ready.logic.isRunning)
    assert ready.ui.editedLabel.text == MEASURING
    settled(ready)
    assert len(texts(ready)) == 1


def test_measure_and_a_rejection_are_not_done_here(segment, settled, not_here):
    panel = segment()
    settled(panel)
    first = texts(panel)
    panel.ui.measureButton.click()
    assert panel.logic.measuring.isRunning  # all anew, although nothing has changed
    settled(panel)
    assert texts(panel) == first
    panel.ui.aneurysmTable.setCurrentCell(0, 0)
    panel.ui.rejectButton.click()
    settled(panel)
    assert [row[1] for row in texts(panel)] == ["rejected"]


def test_both_ways_give_the_same_numbers(segment, settled):
    panel = segment()
    settled(panel)
    rows = {}
    for name, blocking in (("here", True), ("background", False)):
        panel.logic.measure(output(panel), blocking=blocking)
        settled(panel)
        (table,) = slicer.util.getNodesByClass("vtkMRMLTableNode")
        vtk_table = table.GetTable()
        columns = range(vtk_table.GetNumberOfColumns())
        rows[name] = [vtk_table.GetValue(0, n).ToString() for n in columns]
    assert rows["here"] == rows["background"]


def test_what_is_being_measured_is_not_begun_anew(segment, settled, spin):
    panel = segment()
    spin(lambda: panel.logic.measuring.isRunning)
    process = panel.logic.measuring._running.process
    panel.results.lookNow()  # the run's own changes were heard of
    assert panel.logic.measuring._running.process is process
    settled(panel)
    panel.ui.measureButton.click()
    process = panel.logic.measuring._running.process
    panel.results.lookNow()
    assert panel.logic.measuring._running.process is process
    assert panel.ui.editedLabel.text == MEASURING


def test_an_edit_that_is_taken_back_meanwhile_leaves_the_table(segment, settled):
    panel = segment()
    settled(panel)
    node, volume = output(panel), panel.ui.inputSelector.currentNode()
    before = texts(panel)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume)
    for value in (np.zeros_like(mask), mask):
        value = value.copy()
        value[:, :, ::2] = mask[:, :, ::2]
        slicer.util.updateSegmentBinaryLabelmapFromArray(value, node, "GSEMA_Aneurysm", volume)
        panel.results.lookNow()
    assert not panel.logic.measuring.isRunning
    assert panel.ui.editedLabel.text == "" and texts(panel) == before


def test_a_process_that_fails_is_told_and_measure_works(segment, broken, spin):
    panel = segment()
    spin(lambda: panel.ui.editedLabel.text != MEASURING)
    text = panel.ui.editedLabel.text
    assert text.startswith("Not measured yet. Press Measure (The process could not be started")
    panel.ui.measureButton.click()
    assert len(texts(panel)) == 1 and panel.ui.editedLabel.text == ""


@pytest.mark.parametrize("name", ["pieces", "orders"])
def test_missing_packages_are_told(segment, monkeypatch, spin, caplog, name):
    monkeypatch.setitem(sys.modules, f"gsema_core.measurements.{name}", None)
    panel = segment()
    spin(lambda: panel.ui.editedLabel.text != MEASURING)
    assert panel.ui.editedLabel.text.startswith("Not measured yet. Press Measure (import of")
    assert not panel.logic.measuring.isRunning
    panel.ui.measureButton.click()
    if name == "pieces":  # needed here, too
        assert "gsema_core.measurements.pieces" in caplog.text  # slicer.util.errorDisplay
    monkeypatch.undo()
    panel.ui.measureButton.click()
    assert len(texts(panel)) == 1


def test_a_transform_that_bends_is_told(segment, settled, scene):
    panel = segment()
    settled(panel)
    bent = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "bent")
    output(panel).SetAndObserveTransformNodeID(bent.GetID())
    panel.ui.measureButton.click()
    assert "Press Measure" not in panel.ui.editedLabel.text
    assert "transform" in panel.ui.editedLabel.text


def test_a_script_that_measures_meanwhile_ends_the_waiting(segment, spin):
    panel = segment()
    spin(lambda: panel.logic.measuring.isRunning)
    panel.logic.measure(output(panel))
    assert not panel.logic.measuring.isRunning
    assert len(texts(panel)) == 1 and panel.ui.editedLabel.text == ""


def test_a_script_that_measures_another_segmentation(segment, spin, scene):
    from GSEMASegmentationLib.scene.SegmentationOutput import importSegments
    from GSEMASegmentationLib.scene.SegmentContent import segmentsOf

    panel = segment()
    volume = panel.ui.inputSelector.currentNode()
    labels = (slicer.util.arrayFromVolume(volume) == 200) * np.uint8(2)
    other = importSegments(segmentsOf(labels), volume, None)
    spin(lambda: panel.logic.measuring.isRunning)
    panel.logic.measure(other)
    assert panel.logic.measuring.isRunning  # the panel's goes on
    panel.logic.measure(other, blocking=False)
    text = "Not measured yet. Press Measure (another segmentation was measured instead)."
    assert panel.ui.editedLabel.text == text


def test_what_was_touched_and_is_the_same_is_not_measured_again(segment, settled):
    panel = segment()
    settled(panel)
    node, volume = output(panel), panel.ui.inputSelector.currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "GSEMA_Aneurysm", volume)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "GSEMA_Aneurysm", volume)
    assert panel.logic.measuring.known(node, "GSEMA_Aneurysm") is None
    panel.logic.measure(node, onlyChanged=True, blocking=False)
    assert not panel.logic.measuring.isRunning
    assert panel.logic.measuring.known(node, "GSEMA_Aneurysm") is not None
