"""The neck planes in the panel: shown, moved, put back, taken back, said."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
INTO_SAC = (ANEURYSM_CENTER - VESSEL_CENTER) / np.linalg.norm(ANEURYSM_CENTER - VESSEL_CENTER)
SAC = "GSEMA_Aneurysm"


@pytest.fixture
def finished(panel, make_balls, settled):
    """The panel after a run on a volume with one aneurysm."""
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.segmentButton.click()
    settled(panel)
    return panel


@pytest.fixture
def shown(finished):
    finished.ui.neckCheckBox.click()
    return finished


def output(panel):
    return panel.ui.outputSelector.currentNode()


def plane():
    (found,) = slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")
    return found


def voxels(panel, segment_id=SAC):
    array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(output(panel), segment_id)
    value = output(panel).GetSegmentation().GetSegment(segment_id).GetLabelValue()
    return int((array == value).sum())


def row(panel):
    """The aneurysm's volume in the table, mm3."""
    table = panel.ui.aneurysmTable
    titles = [
        table.horizontalHeaderItem(n).text().replace("\n", " ") for n in range(table.columnCount)
    ]
    (column,) = [n for n, title in enumerate(titles) if title.startswith("Volume")]
    return float(table.item(0, column).text())


def volume_mm3(panel):
    return voxels(panel) * 0.8**3


def test_before_there_is_a_segmentation_nothing_is_shown(panel):
    assert not panel.ui.aneurysmsCollapsibleButton.visible
    assert not panel.ui.resetNeckButton.enabled
    assert not panel.ui.undoNeckButton.enabled


def test_planes_come_and_go(finished):
    ui = finished.ui
    assert not ui.neckCheckBox.checked and ui.neckLabel.text == ""
    assert "Show the neck planes" in ui.resetNeckButton.toolTip
    ui.neckCheckBox.click()
    assert ui.neckCheckBox.checked
    assert plane().GetNormalWorld() @ INTO_SAC > 0.97
    assert "the aneurysm lies beyond it" in ui.neckLabel.text
    assert "Put Aneurysm and its plane back" in ui.resetNeckButton.toolTip
    ui.neckCheckBox.click()
    assert not ui.neckCheckBox.checked and ui.neckLabel.text == ""
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode") == []


def test_a_move_changes_the_row_and_undo_and_reset_bring_it_back(shown, spin):
    before, count = row(shown), voxels(shown)
    shown.ui.aneurysmTable.clearSelection()
    plane().SetOriginWorld(*(ANEURYSM_CENTER - 0.5 * INTO_SAC))
    spin(lambda: voxels(shown) < 0.8 * count)
    spin(lambda: row(shown) == pytest.approx(volume_mm3(shown), abs=0.06), 30)
    assert row(shown) < 0.8 * before
    first = voxels(shown)
    plane().SetOriginWorld(*(ANEURYSM_CENTER + 0.8 * INTO_SAC))
    spin(lambda: voxels(shown) < first)
    assert shown.ui.undoNeckButton.toolTip == "Take back the cut of Aneurysm."
    assert shown.ui.undoClickButton.enabled  # one stack for all changes
    shown.ui.undoNeckButton.click()
    assert voxels(shown) == first
    shown.ui.resetNeckButton.click()
    assert voxels(shown) == count
    spin(lambda: row(shown) == pytest.approx(before, abs=0.06), 30)
    shown.ui.undoNeckButton.click()
    assert voxels(shown) == first
    shown.ui.undoNeckButton.click()
    assert voxels(shown) == count
    assert not shown.ui.undoNeckButton.enabled


def test_a_plane_that_divides_nothing_says_so(shown, spin):
    count = voxels(shown)
    plane().SetOriginWorld(*(ANEURYSM_CENTER + 9 * INTO_SAC))
    spin(lambda: "crosses neither" in shown.ui.neckLabel.text)
    assert "color" in shown.ui.neckLabel.styleSheet
    assert voxels(shown) == count
    plane().SetOriginWorld(*(ANEURYSM_CENTER - INTO_SAC))
    spin(lambda: "beyond it" in shown.ui.neckLabel.text)
    assert shown.ui.neckLabel.styleSheet == ""


def test_an_edit_by_hand_in_between_is_spared(shown, spin):
    plane().SetOriginWorld(*(ANEURYSM_CENTER - 0.5 * INTO_SAC))
    spin(lambda: shown.logic.undoTitle != "")
    volume = shown.ui.inputSelector.currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(output(shown), SAC, volume)
    mask[:, :, int(np.argwhere(mask)[:, 2].mean()) :] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, output(shown), SAC, volume)
    edited = voxels(shown)
    shown.ui.undoNeckButton.click()
    assert "was edited after the cut of Aneurysm" in shown.ui.statusLabel.text
    assert voxels(shown) == edited


def test_why_there_is_no_plane(panel, make_balls, scene):
    volume = make_balls()
    panel.ui.inputSelector.setCurrentNode(volume)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().AddEmptySegment("one", "Left aneurysm")
    block = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
    block[5:9, 5:9, 5:9] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(block, node, "one", volume)
    panel.ui.outputSelector.setCurrentNode(node)
    panel.ui.neckCheckBox.click()
    assert not panel.ui.neckCheckBox.checked
    assert "Left aneurysm has no vessel" in panel.ui.neckLabel.text
    panel.ui.outputSelector.setCurrentNode(None)
    assert panel.ui.neckLabel.text == ""


def test_a_run_anew_brings_planes_for_its_aneurysms(shown, spin):
    volume = shown.ui.inputSelector.currentNode()
    array = slicer.util.arrayFromVolume(volume)
    k = round(np.argwhere(array == 200)[:, 0].mean())
    array[:k][array[:k] == 200] = 0
    slicer.util.arrayFromVolumeModified(volume)
    old = plane().GetOriginWorld()
    shown.ui.segmentButton.click()
    spin(lambda: not shown.logic.isRunning)
    assert shown.ui.neckCheckBox.checked
    assert np.linalg.norm(np.subtract(plane().GetOriginWorld(), old)) > 0.3
    count = voxels(shown)
    plane().SetOriginWorld(*np.add(plane().GetOriginWorld(), INTO_SAC))
    spin(lambda: voxels(shown) < count)


def test_a_saved_scene_goes_on(shown, scene, spin, tmp_path):
    count = voxels(shown)
    plane().SetOriginWorld(*(ANEURYSM_CENTER - 0.5 * INTO_SAC))
    spin(lambda: voxels(shown) < count)
    cut = voxels(shown)
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    assert not shown.ui.neckCheckBox.checked
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    shown.parent.enter()
    assert shown.ui.neckCheckBox.checked
    assert voxels(shown) == cut
    plane().SetOriginWorld(*(ANEURYSM_CENTER + 0.5 * INTO_SAC))
    spin(lambda: voxels(shown) < cut)
    shown.ui.resetNeckButton.click()
    assert voxels(shown) == count


def test_the_plane_that_moves_is_the_selected_row(shown, spin, monkeypatch):
    selected = []
    monkeypatch.setattr(shown.results, "select", selected.append)
    plane().SetOriginWorld(*(ANEURYSM_CENTER - 0.5 * INTO_SAC))
    spin(lambda: selected != [])
    assert selected == [SAC]


def test_undo_says_what_it_took_back_or_why_not(shown, spin):
    shown.ui.aneurysmTable.setCurrentCell(0, 0)
    shown.ui.rejectButton.click()
    assert shown.ui.statusLabel.text == "Aneurysm is rejected: it is vessel again."
    shown.ui.undoNeckButton.click()
    assert shown.ui.statusLabel.text == "Taken back: the rejection of Aneurysm."
    shown.ui.acceptButton.click()
    segment = output(shown).GetSegmentation().GetSegment(SAC)
    segment.RemoveTag("GSEMASegmentation.judgement")
    shown.ui.undoNeckButton.click()
    assert "was edited after the acceptance" in shown.ui.statusLabel.text
    assert "color" in shown.ui.statusLabel.styleSheet
    assert "edited" not in shown.ui.neckLabel.text


def test_a_rejected_aneurysm_has_no_plane_and_no_complaint(finished):
    ui = finished.ui
    ui.aneurysmTable.setCurrentCell(0, 0)
    ui.rejectButton.click()
    ui.neckCheckBox.click()
    assert not ui.neckCheckBox.checked
    assert ui.neckLabel.text == "There is no neck to show: accept or draw an aneurysm first."
    ui.acceptButton.click()
    assert ui.neckLabel.text == ""  # it is out of date
    ui.neckCheckBox.click()
    assert plane().GetDisplayVisibility()
    ui.rejectButton.click()
    assert not plane().GetDisplayVisibility() and not ui.resetNeckButton.enabled
    assert "Accept shows them again" in ui.neckLabel.text
    ui.acceptButton.click()
    assert plane().GetDisplayVisibility() and "beyond it" in ui.neckLabel.text


def test_what_is_said_of_a_neck_goes_when_the_segment_changes(shown, spin):
    plane().SetOriginWorld(*(ANEURYSM_CENTER + 9 * INTO_SAC))
    spin(lambda: "crosses neither" in shown.ui.neckLabel.text)
    shown.necks.update()
    assert "crosses neither" in shown.ui.neckLabel.text
    shown.ui.aneurysmTable.setCurrentCell(0, 0)
    shown.ui.acceptButton.click()
    assert "crosses neither" not in shown.ui.neckLabel.text
