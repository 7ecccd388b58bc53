"""Correcting, accepting and rejecting from the panel, and the marks in its table."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import slicer
import slicer.util

FIRST, SECOND = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2"


@pytest.fixture
def finished(panel, make_balls, settled):
    """The panel after a run on a volume with two aneurysms."""
    volume = make_balls(name="case")
    slicer.util.arrayFromVolume(volume)[5:9, 5:9, 5:9] = 200
    slicer.util.arrayFromVolumeModified(volume)
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.ui.segmentButton.click()
    settled(panel)
    return panel


@pytest.fixture
def editor(panel, monkeypatch):
    """A Slicer with a Segment Editor and a window to choose modules in."""
    from slicer_harness.widgets.segment_editor import SegmentEditorModule, module_selector

    module = SegmentEditorModule()
    monkeypatch.setattr(slicer.modules, "segmenteditor", module, raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", module_selector(module))
    yield module.widgetRepresentation().self().editor
    module.widgetRepresentation().deleteLater()


def output(panel):
    return panel.ui.outputSelector.currentNode()


def statuses(panel):
    """The status column of the table, empty where it is not shown."""
    table = panel.ui.aneurysmTable
    titles = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount)]
    if "Status" not in titles:
        return []
    return [table.item(row, titles.index("Status")).text() for row in range(table.rowCount)]


def paint(panel, place, value=1, segment_id=FIRST):
    node, volume = output(panel), panel.ui.inputSelector.currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    mask[place] = value
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    for stale in slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeDisplayNode"):
        slicer.mrmlScene.RemoveNode(stale)


EDIT = (slice(40, 44), slice(40, 44), slice(40, 44))


def test_a_row_is_rejected_by_one_click_and_accepted_again(finished, settled):
    table, ui = finished.ui.aneurysmTable, finished.ui
    assert statuses(finished) == []
    assert not ui.rejectButton.enabled and "Choose an aneurysm" in ui.rejectButton.toolTip
    table.setCurrentCell(0, 0)
    assert ui.rejectButton.enabled and "Aneurysm 1 is no aneurysm" in ui.rejectButton.toolTip
    ui.rejectButton.click()
    assert ui.statusLabel.text == "Aneurysm 1 is rejected: it is vessel again."
    settled(finished)
    assert statuses(finished) == ["", "rejected"]
    assert table.currentRow() == 1  # the same aneurysm is still selected
    assert table.item(1, 0).font().strikeOut() and not table.item(0, 0).font().strikeOut()
    assert "it is vessel" in table.item(1, 0).toolTip()
    assert not ui.rejectButton.enabled and "rejected already" in ui.rejectButton.toolTip
    assert "gets its voxels back" in ui.acceptButton.toolTip
    ui.acceptButton.click()
    settled(finished)
    assert statuses(finished) == ["confirmed", ""]
    assert not ui.acceptButton.enabled and "confirmed already" in ui.acceptButton.toolTip
    assert "Aneurysm 1 is confirmed." in ui.logTextEdit.toPlainText()


def test_undo_in_the_panel_takes_a_rejection_back(finished, spin):
    finished.ui.aneurysmTable.setCurrentCell(0, 0)
    finished.ui.rejectButton.click()
    assert "the rejection of Aneurysm 1" in finished.ui.undoClickButton.toolTip
    finished.ui.undoClickButton.click()
    assert finished.ui.statusLabel.text == "Taken back: the rejection of Aneurysm 1."
    spin(lambda: statuses(finished) == [], seconds=60)


def test_what_cannot_be_done_is_told(finished):
    finished.ui.aneurysmTable.setCurrentCell(0, 0)
    finished.ui.rejectButton.click()
    node = output(finished)
    where = slicer.util.arrayFromSegmentBinaryLabelmap(
        node, "GSEMA_Vessel", finished.ui.inputSelector.currentNode()
    )
    paint(finished, where != 0, 0, "GSEMA_Vessel")
    finished.ui.acceptButton.click()
    assert "cannot get its voxels back" in finished.ui.statusLabel.text


def test_an_edit_is_marked_and_measured_anew_by_itself(finished, spin, settled):
    table = finished.ui.aneurysmTable
    paint(finished, EDIT)
    seen = []

    def done():
        if statuses(finished) == ["edited", ""]:
            seen.append((finished.ui.editedLabel.text, table.item(0, 0).font().italic()))
        return table.rowCount == 3

    spin(done, seconds=60)
    assert ("Edited: Aneurysm 1. Measuring again...", True) in seen
    assert statuses(finished) == [] and not finished.ui.editedLabel.visible
    assert table.item(1, 0).text() == "Aneurysm 1 (2)"
    texts = [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(3)]
    finished.ui.measureButton.click()
    assert finished.ui.editedLabel.text == "Measuring..."
    settled(finished)
    assert texts == [[table.item(r, c).text() for c in range(table.columnCount)] for r in range(3)]


def test_a_measurement_that_fails_leaves_the_mark_and_measure_mends_it(finished, spin, monkeypatch):
    from GSEMASegmentationLib.correct import BackgroundMeasurement

    monkeypatch.setattr(BackgroundMeasurement, "measureCommand", lambda: ["no such program"])
    paint(finished, EDIT)
    spin(lambda: "Press Measure" in finished.ui.editedLabel.text)
    assert finished.ui.editedLabel.text.startswith("Edited since it was measured: Aneurysm 1.")
    assert statuses(finished) == ["edited", ""]
    finished.ui.measureButton.click()
    assert statuses(finished) == [] and not finished.ui.editedLabel.visible


def test_the_first_table_of_a_segmentation_is_on_its_way(finished, spin):
    from GSEMASegmentationLib.measure.MeasurementTable import tableOf

    slicer.mrmlScene.RemoveNode(tableOf(output(finished)))
    paint(finished, EDIT)
    finished.results._watch.measureNow()
    finished.results.lookNow()  # as after a click, whose own changes are heard of
    assert finished.logic.measuring.isRunning
    spin(lambda: finished.ui.aneurysmTable.rowCount == 3, seconds=60)


def test_an_exported_file_says_what_is_out_of_date(finished, monkeypatch, tmp_path, settled):
    import qt

    path = tmp_path / "a.csv"
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", staticmethod(lambda *_: str(path)))
    finished.ui.aneurysmTable.setCurrentCell(1, 0)
    finished.ui.rejectButton.click()
    settled(finished)
    paint(finished, EDIT)
    finished.ui.exportButton.click()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[-1] for line in lines] == ["status", "edited", "rejected by the user"]


@pytest.mark.parametrize("what", ["scene", "segment", "other", "panel"])
def test_going_away_while_something_is_measured_breaks_nothing(finished, spin, scene, what):
    paint(finished, EDIT)
    spin(lambda: finished.logic.measuring.isRunning)
    if what == "scene":
        scene.Clear()
        assert not finished.logic.measuring.isRunning
    elif what == "segment":
        output(finished).GetSegmentation().RemoveSegment(FIRST)
        spin(lambda: finished.ui.aneurysmTable.rowCount == 1, seconds=60)
    elif what == "other":
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "another")
        before = output(finished)
        finished.ui.outputSelector.setCurrentNode(node)
        assert not finished.logic.measuring.isRunning
        assert not finished.ui.editedLabel.visible
        finished.ui.outputSelector.setCurrentNode(before)
        spin(lambda: finished.ui.aneurysmTable.rowCount == 3, seconds=60)
    else:
        finished.cleanup()
        assert not finished.logic.measuring.isRunning


def test_correct_opens_the_segment_editor_on_the_aneurysm(finished, editor, spin):
    node = output(finished)
    finished.ui.aneurysmTable.setCurrentCell(1, 0)
    finished.ui.correctButton.click()
    assert editor.segmentationNode() is node
    assert editor.sourceVolumeNode() is finished.ui.inputSelector.currentNode()
    assert editor.currentSegmentID() == SECOND
    chosen = editor.mrmlSegmentEditorNode()
    assert chosen.GetOverwriteMode() == chosen.OverwriteVisibleSegments
    assert "come back" in finished.ui.statusLabel.text
    paint(finished, EDIT)
    back = editor.parentWidget().layout().itemAt(0).widget()
    assert back.text == "Back to Aneurysm Segmentation"
    back.click()
    assert finished.parent.isEntered
    assert chosen.GetOverwriteMode() == chosen.OverwriteAllSegments
    assert back.isHidden()  # and is deleted when its click is over
    assert finished.ui.editedLabel.text == "Edited: Aneurysm 1. Measuring again..."
    spin(lambda: finished.ui.aneurysmTable.rowCount == 3, seconds=60)


def test_segments_of_others_are_out_of_the_brushs_way(finished, editor):
    node = output(finished)
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    for name in ("Bone", "Sinus"):
        segmentation.AddEmptySegment(name, name)
    display.SetSegmentVisibility("Sinus", False)
    finished.ui.correctButton.click()
    assert finished.ui.statusLabel.text.endswith("spares them: Bone.")
    visible = {one: display.GetSegmentVisibility(one) for one in segmentation.GetSegmentIDs()}
    assert visible == {
        "GSEMA_Vessel": True, FIRST: True, SECOND: True, "Bone": False, "Sinus": False
    }  # fmt: skip
    finished.ui.correctButton.click()  # again, from wherever
    slicer.util.selectModule("GSEMASegmentation")
    assert display.GetSegmentVisibility("Bone") and not display.GetSegmentVisibility("Sinus")


def test_masking_that_the_user_has_chosen_meanwhile_stays(finished, editor):
    finished.ui.correctButton.click()
    node = editor.mrmlSegmentEditorNode()
    node.SetOverwriteMode(node.OverwriteNone)
    slicer.util.selectModule("GSEMASegmentation")
    assert node.GetOverwriteMode() == node.OverwriteNone


def test_closing_the_scene_in_the_segment_editor(finished, editor, scene):
    finished.ui.correctButton.click()
    scene.Clear()
    slicer.util.selectModule("GSEMASegmentation")
    assert finished.ui.aneurysmTable.rowCount == 0


def test_without_a_window_or_a_segment_editor_it_is_told(finished, editor, monkeypatch):
    monkeypatch.undo()
    finished.ui.correctButton.click()
    assert "no Segment Editor" in finished.ui.statusLabel.text
    monkeypatch.setattr(
        slicer.modules,
        "segmenteditor",
        type(editor)._standsForCpp and _Module(editor),
        raising=False,
    )
    finished.ui.correctButton.click()
    assert "could not be opened (Could not find main window)" in finished.ui.statusLabel.text


class _Module:
    def __init__(self, editor):
        self._editor = editor

    def widgetRepresentation(self):
        return self._editor.parentWidget()


def test_fifty_edits_leave_no_observer_and_no_node(finished, scene, spin):
    node = output(finished)

    def is_settled():
        busy = finished.logic.measuring.isRunning or finished.results._watch._timer.isActive()
        return not busy

    def edit(value):
        paint(finished, EDIT, value)
        finished.results.lookNow()
        assert finished.logic.measuring.isRunning
        finished.logic.measure(node, finished.results.volume, onlyChanged=True)
        assert not finished.logic.measuring.isRunning

    def kept():
        gc.collect()
        observers = len(finished.results._watch.Observations)
        return scene.GetNumberOfNodes(), observers, finished.ui.aneurysmTable.rowCount

    edit(1)
    edit(0)
    spin(is_settled, seconds=60)
    before = kept()
    for n in range(50):
        edit((n + 1) % 2)
    spin(is_settled, seconds=60)
    assert kept() == before
    assert np.array_equal(list(node.GetSegmentation().GetSegmentIDs())[1:], [FIRST, SECOND])


def test_undo_names_the_segmentation_where_there_are_several(finished, scene):
    finished.ui.aneurysmTable.setCurrentCell(0, 0)
    finished.ui.rejectButton.click()
    scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of another patient")
    finished._updatePanel()
    title = "the rejection of Aneurysm 1 in case aneurysms"
    assert f"Take back {title}." in finished.ui.undoClickButton.toolTip
    assert finished.ui.undoNeckButton.toolTip == f"Take back {title}."
    finished.ui.undoClickButton.click()
    assert finished.ui.statusLabel.text == f"Taken back: {title}."


def test_rejecting_a_piece_says_that_it_is_all_of_them(finished, settled):
    paint(finished, EDIT)
    finished.ui.measureButton.click()
    settled(finished)
    table = finished.ui.aneurysmTable
    names = [table.item(row, 0).text() for row in range(table.rowCount)]
    table.setCurrentCell(names.index("Aneurysm 1 (2)"), 0)
    assert "Aneurysm 1 is no aneurysm: all its pieces" in finished.ui.rejectButton.toolTip
    table.setCurrentCell(names.index("Aneurysm 2"), 0)
    assert "Aneurysm 2 is no aneurysm: its voxels" in finished.ui.rejectButton.toolTip
