"""The segmentation panel, driven as a user drives it."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util

ANEURYSM_CENTER = (14.0, 1.0, 3.0)


def test_a_fresh_panel_says_what_is_missing(panel):
    assert not panel.ui.segmentButton.enabled
    assert "choose the angiography" in panel.ui.segmentButton.toolTip
    assert panel.ui.advancedCollapsibleButton.collapsed
    assert not panel.ui.progressBar.visible


def test_the_panel_goes_from_the_volume_to_what_is_rarely_needed(panel):
    """Volume, Segment, result, click, measurements; then, folded, model and advanced."""
    order = (
        "inputSelector segmentButton statusLabel clickCollapsibleButton "
        "aneurysmsCollapsibleButton teacherCollapsibleButton advancedCollapsibleButton "
        "installationCollapsibleButton"
    )
    panel.parent.show()
    panel.ui.aneurysmsCollapsibleButton.visible = True
    slicer.app.processEvents()
    tops = [getattr(panel.ui, name).geometry.y() for name in order.split()]
    assert tops == sorted(tops)
    folded = [panel.ui.teacherCollapsibleButton, panel.ui.advancedCollapsibleButton]
    assert all(section.collapsed for section in folded)
    assert panel.ui.segmentButton.height > panel.ui.clickButton.height


def test_an_already_loaded_volume_is_chosen(panel, scene, make_balls):
    slicer.util.addVolumeFromArray(np.zeros((1, 4, 4)), name="not 3D")
    volume = make_balls(name="case")
    panel.parent.enter()
    assert panel.ui.inputSelector.currentNode() is volume
    assert panel.ui.volumeInfoLabel.text == "60 × 56 × 52, 0.8 mm: ready"
    assert panel.ui.segmentButton.enabled


def test_select_segment_progress_result(panel, make_balls, spin, settled):
    volume = make_balls()
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.parent.show()
    seen = []
    panel.ui.progressBar.connect("valueChanged(int)", seen.append)
    panel.ui.segmentButton.click()
    assert panel.ui.segmentButton.text == "Cancel"
    assert panel.ui.progressBar.visible
    spin(lambda: not panel.logic.isRunning)
    assert 100 in seen and 1000 in seen  # of 1000
    assert panel.ui.segmentButton.text == "Segment"
    assert not panel.ui.progressBar.visible
    assert panel.ui.statusLabel.text == "1 aneurysm was found."
    node = panel.ui.outputSelector.currentNode()
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    settled(panel)
    table = panel.ui.aneurysmTable
    row = {
        table.horizontalHeaderItem(column).text().replace("\n", " "): table.item(0, column).text()
        for column in range(table.columnCount)
    }
    assert table.rowCount == 1
    assert row["Segment"] == "Aneurysm"
    assert 250 < float(row["Volume (mm³)"]) < 290  # a ball of 4 mm has 268 mm³
    assert 7.5 < float(row["Largest diameter (mm)"]) < 8.5
    assert panel.ui.show3DButton.checked


def test_double_click_on_a_row_centers_the_views(panel, make_balls, scene, settled):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    settled(panel)
    slice_node = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    slice_node.SetOrientation("Axial")
    panel.ui.aneurysmTable.cellDoubleClicked.emit(0, 2)
    center = [slice_node.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    assert center == pytest.approx(ANEURYSM_CENTER, abs=0.4)


def test_cancel_gives_the_button_back(panel, make_balls, fake_worker, spin):
    panel.logic._client._command = fake_worker("slow")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    spin(lambda: panel.ui.progressBar.value > 150)
    panel.ui.segmentButton.click()
    assert not panel.ui.segmentButton.enabled
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.statusLabel.text == "Cancelled; the scene is unchanged."
    assert panel.ui.segmentButton.enabled
    assert panel.ui.outputSelector.currentNode() is None


def test_what_comes_after_cancel_changes_neither_text_nor_bar(panel, make_balls, fake_worker, spin):
    panel.logic._client._command = fake_worker("stubborn")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    spin(lambda: panel.ui.progressBar.value > 110)
    panel.ui.segmentButton.click()
    value, seen = panel.ui.progressBar.value, set()

    def ended():
        if panel.logic.isRunning:
            seen.add((panel.ui.statusLabel.text, panel.ui.progressBar.value))
        return not panel.logic.isRunning

    spin(ended)
    assert seen == {("Cancelling...", value)}
    assert panel.ui.statusLabel.text == "Cancelled; the scene is unchanged."


def test_an_error_is_shown_where_the_user_looks(panel, make_balls, fake_worker, spin, caplog):
    panel.logic._client._command = fake_worker("error")
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.statusLabel.text.startswith("The volume is constant")
    assert "The volume is constant" in caplog.text  # slicer.util.errorDisplay
    assert panel.ui.segmentButton.text == "Segment"


def test_another_volume_does_not_get_the_output_of_the_one_before(panel, make_balls, spin):
    first, second = make_balls(name="first"), make_balls(name="second")
    panel.ui.inputSelector.setCurrentNode(first)
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.outputSelector.currentNode() is not None
    panel.ui.inputSelector.setCurrentNode(second)
    assert panel.ui.outputSelector.currentNode() is None


def test_choices_of_the_case_are_saved_with_the_scene(panel, make_balls, scene, tmp_path):
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    chosen = {"overlap": 0.25, "minimum_aneurysm_mm3": 12.0, "aneurysm_threshold": 0.35}
    for name, value in chosen.items():
        panel.settings.fields[name].widget.value = value
    panel.ui.keepProbabilityCheckBox.checked = True
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    assert panel.ui.inputSelector.currentNode() is None
    assert panel.settings.values == {}
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    panel.parent.enter()
    assert panel.ui.inputSelector.currentNode().GetName() == "case"
    assert panel.settings.values == chosen
    assert panel.ui.keepProbabilityCheckBox.checked


def test_choices_of_the_machine_are_kept_in_the_settings(panel, tmp_path):
    panel.ui.deviceComboBox.currentIndex = 1
    panel.ui.wheelFolderPathLineEdit.currentPath = str(tmp_path)
    module = slicer.modules.gsemasegmentation
    module.closeWidget()
    again = module.widgetRepresentation().self()
    assert again.ui.deviceComboBox.currentText == "CPU"
    assert again.ui.wheelFolderPathLineEdit.currentPath == str(tmp_path)


def test_closing_the_scene_or_the_panel_while_it_runs(panel, make_balls, fake_worker, scene, spin):
    panel.logic._client._command = fake_worker("slow")
    for end in (scene.Clear, slicer.modules.gsemasegmentation.closeWidget):
        panel.ui.inputSelector.setCurrentNode(make_balls())
        panel.ui.segmentButton.click()
        spin(lambda: panel.ui.progressBar.value > 150)
        end()
        spin(lambda: not panel.logic.isRunning)
        assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    assert not panel.logic._client.isRunning


def test_the_console_gets_the_panels_logic(panel, make_balls):
    logic = slicer.util.getModuleLogic("GSEMASegmentation")
    node = logic.segment(make_balls())
    assert node.IsA("vtkMRMLSegmentationNode")
    assert logic.aneurysms[0].largestDiameterMm == 7.5
