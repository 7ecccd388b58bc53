"""Coils in the panel and from the console: how much of an aneurysm they fill."""

from __future__ import annotations

import math

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError
from gsema_core.measurements.coils import Coil

FIRST, SECOND = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2"
COIL_MM3 = math.pi / 4 * 0.254**2 * 100
"""Of 0.010 inch and 10 cm."""


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


def volume_of(panel, row):
    headings = [
        panel.ui.aneurysmTable.horizontalHeaderItem(n).text().replace("\n", " ")
        for n in range(panel.ui.aneurysmTable.columnCount)
    ]
    return float(panel.ui.aneurysmTable.item(row, headings.index("Volume (mm³)")).text())


def told(panel):
    """Percent, and mm³ of the coils and of the sac."""
    sentence = panel.ui.coilsLabel.text.splitlines()[-1]
    assert sentence.endswith("For research use.")
    words = sentence.replace(":", "").split()
    return float(words[2]), float(words[4]), float(words[6])


def test_coils_add_up_in_the_chosen_aneurysm(finished):
    ui = finished.ui
    assert not ui.addCoilButton.enabled
    assert "Choose an aneurysm" in ui.coilsLabel.text
    ui.aneurysmTable.setCurrentCell(0, 0)
    assert ui.addCoilButton.enabled and not ui.removeCoilButton.enabled
    ui.addCoilButton.click()
    ui.addCoilButton.click()
    ui.coilLengthSpinBox.value = 4.0
    ui.addCoilButton.click()
    assert ui.coilsLabel.text.startswith(
        "2 × 0.0100 inch (0.254 mm), 10 cm; 1 × 0.0100 inch (0.254 mm), 4 cm\n"
    )
    percent, filled, volume = told(finished)
    assert volume == volume_of(finished, 0)
    assert filled == pytest.approx(2.4 * COIL_MM3, abs=0.051)
    assert percent == pytest.approx(100 * 2.4 * COIL_MM3 / volume, abs=0.1)
    ui.removeCoilButton.click()
    assert told(finished)[1] == pytest.approx(2 * COIL_MM3, abs=0.051)
    ui.aneurysmTable.setCurrentCell(1, 0)
    assert ui.coilsLabel.text == "No coils yet."  # they are in the other one
    ui.aneurysmTable.setCurrentCell(0, 0)
    assert told(finished)[1] == pytest.approx(2 * COIL_MM3, abs=0.051)


def test_the_same_coil_in_mm(finished):
    ui = finished.ui
    ui.aneurysmTable.setCurrentCell(0, 0)
    ui.coilUnitComboBox.currentIndex = 1
    assert ui.coilDiameterSpinBox.value == pytest.approx(0.254)
    ui.addCoilButton.click()
    assert told(finished)[1] == pytest.approx(COIL_MM3, abs=0.051)
    ui.coilDiameterSpinBox.value = 0.35
    ui.coilUnitComboBox.currentIndex = 0
    assert ui.coilDiameterSpinBox.value == pytest.approx(0.35 / 25.4, abs=0.00006)


def test_what_is_no_coil_and_what_does_not_fit_is_said(finished):
    ui = finished.ui
    ui.aneurysmTable.setCurrentCell(1, 0)  # 33 mm³
    ui.coilDiameterSpinBox.value = 0.001
    ui.addCoilButton.click()
    assert "check the unit" in ui.coilsLabel.text and "color" in ui.coilsLabel.styleSheet
    assert not ui.removeCoilButton.enabled
    ui.coilDiameterSpinBox.value = 0.010
    ui.coilLengthSpinBox.value = 100.0
    ui.addCoilButton.click()
    assert "do not fit into a sac of 32.8 mm³" in ui.coilsLabel.text
    assert "1 × 0.0100 inch" in ui.coilsLabel.text
    ui.removeCoilButton.click()
    assert ui.coilsLabel.text == "No coils yet." and ui.coilsLabel.styleSheet == ""


def test_the_volume_is_that_of_the_segment_as_it_is(finished, settled):
    ui = finished.ui
    ui.aneurysmTable.setCurrentCell(0, 0)
    ui.addCoilButton.click()
    _, _, before = told(finished)
    node, volume = ui.outputSelector.currentNode(), ui.inputSelector.currentNode()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, FIRST, volume)
    mask[:, :, : int(np.argwhere(mask)[:, 2].mean())] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, FIRST, volume)
    ui.measureButton.click()
    settled(finished)
    _, _, after = told(finished)
    assert after == pytest.approx(np.count_nonzero(mask) * 0.512, abs=0.051)
    assert after < before


def test_from_the_console(finished):
    logic, node = finished.logic, finished.ui.outputSelector.currentNode()
    coils = [Coil(diameter_mm=0.254, length_mm=100)]
    share = logic.packingDensity(node, SECOND, coils)
    assert share == pytest.approx(COIL_MM3 / (64 * 0.512))
    assert logic.packingDensity(node, SECOND, []) == 0
    with pytest.raises(UserError, match="There is no segment nothing"):
        logic.packingDensity(node, "nothing", coils)
    with pytest.raises(UserError, match="choose an aneurysm"):
        logic.packingDensity(None, SECOND, coils)
    logic.rejectAneurysm(node, SECOND)
    with pytest.raises(UserError, match="no voxels that coils could fill: accept it again"):
        logic.packingDensity(node, SECOND, coils)


def test_coils_do_not_come_into_another_scene(finished, scene, tmp_path):
    """Its segmentation has the same ids."""
    ui = finished.ui
    ui.aneurysmTable.setCurrentCell(0, 0)
    ui.addCoilButton.click()
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    ui.aneurysmTable.setCurrentCell(0, 0)
    assert ui.coilsLabel.text == "No coils yet."
