"""No state of the panel takes more than a module panel of 420 pixels.

Slicer's module panel never has a horizontal bar: it is as wide as what needs the most room, and
takes that from the views.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import slicer
import slicer.util
import vtk
from PySide6 import QtWidgets

WIDEST = 400
"""Pixels: 420, without the bar beside Slicer's module panel and its frame."""

LONG = "scan_of_a_patient_from_a_center_far_away_2024-11-30_recon_0.2mm_kernel_B70f_second_attempt"


def culprits(widget):
    """What needs room, the widest first: to be read when the test fails."""
    found = [
        (child.minimumSizeHint().width(), type(child).__name__, child.objectName)
        for child in widget.findChildren(QtWidgets.QWidget)
        if child.isVisibleTo(widget) and child.layout() is None
    ]
    return sorted(found, reverse=True)[:6]


def check_width(panel):
    """The least width that Slicer gives the panel room for, with all sections open."""
    widget = panel.parent
    widget.show()
    for child in widget.findChildren(QtWidgets.QAbstractButton):
        if type(child).__name__ == "ctkCollapsibleButton":
            child.collapsed = False
    slicer.app.processEvents()
    least = widget.minimumSizeHint().width()
    assert least <= WIDEST, culprits(widget)


ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("module", ["GSEMASegmentation", "GSEMATraining"])
def test_no_box_of_the_file_is_as_wide_as_its_widest_entry(module):
    tree = ElementTree.parse(ROOT / module / "Resources" / "UI" / f"{module}.ui")
    boxes = 0
    for widget in tree.iter("widget"):
        items = {item.get("name"): item for item in widget.findall("property")}
        if widget.get("class") in ("QComboBox", "ctkComboBox"):
            policy = items["sizeAdjustPolicy"].findtext("enum")
            assert policy == "QComboBox::AdjustToMinimumContentsLengthWithIcon", widget.get("name")
            boxes += 1
        elif widget.get("class") == "qMRMLNodeComboBox":
            policy = items["sizePolicy"].find("sizepolicy").get("hsizetype")
            assert policy == "Ignored" and "minimumSize" in items, widget.get("name")
            boxes += 1
    assert boxes


@pytest.fixture
def reopened(panel):
    """The panel opened on what is there already, when boxes take the width of their entries."""

    def reopen():
        module = slicer.modules.gsemasegmentation
        module.closeWidget()
        widget = module.widgetRepresentation()
        widget.enter()
        return widget.self()

    return reopen


def test_an_empty_panel(panel):
    check_width(panel)


def test_missing_packages(panel, reopened, monkeypatch):
    from GSEMASegmentationLib.install import Requirements

    monkeypatch.setattr(Requirements, "installedVersion", lambda package: None)
    opened = reopened()
    check_width(opened)
    opened.ui.wheelFolderPathLineEdit.currentPath = f"/mnt/{LONG}/{LONG}"
    opened.ui.segmentButton.click()
    check_width(opened)


def test_long_names_that_are_there_when_the_panel_opens(panel, reopened, make_balls, scene):
    make_balls(name=LONG)
    scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{LONG} segmentation")
    scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", f"{LONG} suspects")
    opened = reopened()
    assert opened.ui.inputSelector.currentNode().GetName() == LONG
    check_width(opened)


def test_long_names_that_come_later(panel, make_balls, scene):
    check_width(panel)
    panel.ui.inputSelector.setCurrentNode(make_balls(name=LONG))
    check_width(panel)


def test_a_long_name_of_a_model(panel, reopened, tiny_teacher, teachers):
    from gsema_core.teachers.registry import add_teacher

    path = teachers.parent / f"{LONG}.safetensors"
    path.write_bytes(tiny_teacher.read_bytes())
    added = add_teacher(path, teachers)
    opened = reopened()
    opened.teachers.refresh(added.name)
    check_width(opened)


@pytest.mark.parametrize("mode", ["good", "none", "error", "slow"])
def test_a_run_while_it_runs_and_after_it(panel, make_balls, fake_worker, spin, mode):
    panel.logic._client._command = fake_worker("good" if mode == "none" else mode)
    volume = make_balls(name=LONG)
    if mode == "none":
        array = slicer.util.arrayFromVolume(volume)
        array[array == 200] = 0
        slicer.util.arrayFromVolumeModified(volume)
    panel.ui.inputSelector.setCurrentNode(volume)
    panel.ui.segmentButton.click()
    check_width(panel)
    if mode == "slow":
        spin(lambda: panel.ui.progressBar.value > 0)
        check_width(panel)
        panel.ui.segmentButton.click()
        check_width(panel)
    spin(lambda: not panel.logic.isRunning)
    check_width(panel)


def test_clicking(panel, make_balls, spin):
    panel.ui.inputSelector.setCurrentNode(make_balls(name=LONG))
    panel.ui.clickButton.checked = True
    check_width(panel)
    panel.clicks.onPoint((14.0, 1.0, 3.0))
    spin(lambda: not panel.logic.isRunning)
    check_width(panel)
    panel.clicks.onPoint((-10.0, 1.0, 3.0))
    spin(lambda: not panel.logic.isRunning)
    check_width(panel)
    panel.ui.clickButton.checked = False


def test_a_card_with_long_words(panel, monkeypatch):
    from GSEMASegmentationLib.panels import TeacherPanel

    text = f"Trained on {LONG}.\nScores: {LONG}."
    monkeypatch.setattr(TeacherPanel, "cardText", lambda *_: f"Purpose.\n{text}")
    panel.teachers.refresh()
    panel.ui.teacherCardButton.checked = True
    check_width(panel)
    assert panel.ui.teacherCardLabel.toolTip == text


def test_shortened_words_stand_whole_in_the_tooltip(panel):
    usual = panel.ui.statusLabel.toolTip
    text = f"Could not write /home/somebody/{LONG}/case-0123.nrrd."
    panel.run.showStatus(text)
    assert panel.ui.statusLabel.toolTip == text
    shown = panel.ui.statusLabel.text
    assert shown.startswith("Could not write /home/somebody/scan_of_a_patien…")
    assert shown.endswith("/case-0123.nrrd.")
    panel.run.showStatus("Done.")
    assert (panel.ui.statusLabel.text, panel.ui.statusLabel.toolTip) == ("Done.", usual)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} lies under the non-linear transform {LONG}: harden it first.",
        f"Could not write /home/somebody/{LONG}/{LONG}.nrrd (No space left on device).",
        "word " * 200,
    ],
)
def test_long_sentences(panel, text):
    panel.run.showStatus(text)
    check_width(panel)
    panel.run.showStatus(text, isError=True)
    check_width(panel)


def test_a_judgement_with_a_long_name(panel, make_balls):
    volume = make_balls(name=LONG)
    volume.SetSpacing(30, 30, 30)
    panel.ui.inputSelector.setCurrentNode(volume)
    assert not panel.ui.segmentButton.enabled
    check_width(panel)


def test_a_volume_that_has_to_be_hardened(panel, make_balls, scene):
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", LONG)
    transform.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    volume = make_balls(name=LONG)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    panel.ui.inputSelector.setCurrentNode(volume)
    check_width(panel)
    assert panel.ui.hardenButton.visible


def test_a_device_with_a_long_name(panel):
    from GSEMASegmentationLib.panels.Widgets import showText

    showText(panel.ui.deviceInfoLabel, f"NVIDIA_{LONG} with 8 GB")
    check_width(panel)
