"""The panel's keys: pressed for real, only while the module is shown."""

from __future__ import annotations

import pytest
import slicer
import slicer.util
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

KEYS = {"C": Qt.Key.Key_C, "Z": Qt.Key.Key_Z, "Q": Qt.Key.Key_Q, "W": Qt.Key.Key_W}


@pytest.fixture
def press(panel):
    panel.parent.show()
    panel.parent.activateWindow()
    slicer.app.processEvents()

    def key(letter, on="logTextEdit"):
        QTest.keyClick(getattr(panel.ui, on), KEYS[letter])

    return key


@pytest.fixture
def two(panel, make_balls, scene, settled):
    """The panel after a run that found two aneurysms."""
    volume = make_balls(name="case")
    slicer.util.arrayFromVolume(volume)[8:14, 8:14, 8:14] = 200
    slicer.util.arrayFromVolumeModified(volume)
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.ui.segmentButton.click()
    settled(panel)
    return panel


def test_click_on_and_off_and_undo(panel, make_balls, press, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    press("C")
    assert panel.ui.clickButton.checked
    panel.clicks.onPoint((14.0, 1.0, 3.0))
    spin(lambda: not panel.logic._client._requests and not panel.logic.isRunning)
    press("Z")
    assert panel.ui.statusLabel.text == "Taken back: the click."
    press("C")
    assert not panel.ui.clickButton.checked


def test_next_and_previous_select_the_row_and_center_the_views(two, press, scene):
    from GSEMASegmentationLib.measure.MeasurementTable import rowPosition, tableOf

    node = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    node.SetOrientation("Axial")
    table = tableOf(two.ui.outputSelector.currentNode())
    for letter, row in (("W", 0), ("W", 1), ("W", 0), ("Q", 1), ("Q", 0)):
        press(letter)
        assert two.ui.aneurysmTable.currentRow() == row
        center = [node.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
        assert center == pytest.approx(rowPosition(table, row), abs=0.5)


def test_without_rows_next_does_nothing(panel, press):
    press("W")
    press("Q")
    assert panel.ui.aneurysmTable.currentRow() == -1


def test_disabled_buttons_stay_so(panel, press):
    press("C")
    press("Z")
    assert not panel.ui.clickButton.checked
    assert panel.ui.statusLabel.text == ""


def test_they_are_off_while_another_module_is_shown(panel, make_balls, press):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.parent.exit()
    press("C")
    assert not panel.ui.clickButton.checked
    panel.parent.enter()
    press("C")
    assert panel.ui.clickButton.checked


def test_letters_typed_into_a_field_are_text(panel, make_balls, press):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.logTextEdit.readOnly = False
    panel.ui.logTextEdit.setFocus()
    press("C")
    assert panel.ui.logTextEdit.plainText.endswith("c")
    assert not panel.ui.clickButton.checked
    panel.ui.logTextEdit.readOnly = True


def test_tooltips_tell_the_keys(panel, make_balls):
    panel.ui.inputSelector.setCurrentNode(make_balls())
    assert panel.ui.clickButton.toolTip.endswith("Key: C.")
    for key in ("Q", "W"):
        assert f"{key} for the" in panel.ui.aneurysmTable.toolTip


SLICERS_KEYS = "Ctrl+Z Ctrl+Y Ctrl+X Ctrl+C Ctrl+V Ctrl+O Ctrl+S Ctrl+W Ctrl+H Ctrl+F Ctrl+B"
"""Of the main window (qSlicerMainWindow.ui, toolbars), beside Ctrl with a digit."""

VIEW_KEYS = "B F G R S T V [ ] { } + - Left Right Up Down Del Backspace"
"""Of slice views, 3D views and markups (SetKeyboardEventTranslation in Slicer's widgets)."""


def test_no_key_is_one_of_slicers(panel):
    from GSEMASegmentationLib.panels import Shortcuts

    ours = {getattr(Shortcuts, name) for name in ("CLICK", "UNDO", "PREVIOUS", "NEXT", "END")}
    assert not ours & {*SLICERS_KEYS.split(), *VIEW_KEYS.split()}
