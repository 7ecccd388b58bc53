"""The report of a training, and its teacher put to use."""

from __future__ import annotations

import json

import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError
from gsema_core.teachers.registry import list_teachers
from gsema_core.teachers.teacher_file import file_hash, read_card


def test_the_teachers_are_compared_at_the_end(panel, trained, datalist):
    folder = trained()
    text = panel.ui.verdictLabel.text
    assert text.startswith("The new model is better on 3 test cases.")
    assert "too few for a test" in text
    table = panel.ui.reportTable
    assert table.rowCount == 4
    cells = [table.item(0, column).text() for column in range(table.columnCount)]
    assert cells == [
        "1",
        "here",
        "0.50 → 0.60",
        "0.60 → 0.60",
        "– → –",  # a report from before precision was measured
        "1 → 1",
        "2 → 2",
        "– → –",
        "– → 1.2",
        "0.70 → 0.70",
    ]
    assert table.item(3, 0).text() == "All"
    assert table.item(3, 6).text() == "2.0 → 2.0"
    arguments = json.loads(folder.report.read_text())["arguments"]
    assert arguments[:4] == ["compare", "default", str(folder.teacher), str(folder.datalist)]
    assert arguments[arguments.index("--use") + 1] == "test"


def test_without_test_cases_validation_is_compared_with_a_warning(panel, add_cases, trained):
    add_cases()
    for case in panel.cases.cases:
        if case.use == "test":
            panel.cases._list.change(case.key, use="training")
    folder = trained()
    arguments = json.loads(folder.report.read_text())["arguments"]
    assert arguments[arguments.index("--use") + 1] == "validation"
    assert "flatters" in panel.ui.verdictLabel.text


def test_without_any_held_out_case_nothing_is_claimed(panel, add_cases, trained):
    add_cases()
    for case in panel.cases.cases:
        panel.cases._list.change(case.key, use="training")
    folder = trained()
    assert not folder.report.exists()
    assert not panel.ui.compareButton.enabled
    assert "is not known" in panel.ui.compareButton.toolTip
    assert panel.ui.useTeacherButton.enabled


def test_replayed_phantoms_are_scored_too(panel, trained, spin):
    folder = trained()
    folder.replayList.parent.mkdir()
    folder.replayList.write_text('{"cases": []}')
    panel.ui.compareButton.click()
    spin(lambda: not panel.logic.isComparing)
    table = panel.ui.reportTable
    assert table.item(4, 0).text() == "Phantoms"
    arguments = json.loads(folder.report.read_text())["arguments"]
    assert arguments[arguments.index("--also") + 1] == str(folder.replayList)


def test_a_worse_teacher_is_warned_of(panel, trained, monkeypatch):
    trained("worse")
    assert "WORSE" in panel.ui.verdictLabel.text
    assert "color" in panel.ui.verdictLabel.styleSheet
    asked = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: bool(asked.append(text)))
    panel.ui.useTeacherButton.click()
    assert "worse" in asked[0]
    assert not panel.logic.isRegistering


def test_a_failed_comparison_is_told(panel, trained):
    trained("refused")
    assert panel.ui.verdictLabel.text == "The teacher cannot be read."
    assert not panel.ui.useTeacherButton.enabled
    assert "Compare it first" in panel.ui.useTeacherButton.toolTip


def test_the_new_teacher_is_put_to_use_and_away(
    panel, trained, spin, tiny_teacher, tmp_path, monkeypatch, segmentation_module, teachers
):
    trained()
    segmentation = slicer.modules.gsemasegmentation.widgetRepresentation().self()
    panel.ui.nameLineEdit.text = "Clinic 2026"
    panel.ui.useTeacherButton.click()
    spin(lambda: not panel.logic.isRegistering, 60)
    assert panel.shown == ["Clinic 2026 is in the list of models of Aneurysm Segmentation now."]
    (listed,) = [one for one in list_teachers() if one.name == "Clinic 2026"]
    card = read_card(listed.path)
    assert card.training["parent"] == "default"
    assert card.training["parent_sha256"] == file_hash(tiny_teacher)
    proof = card.metrics["comparison"]
    assert (proof["verdict"], proof["cases"], proof["kept_for"]) == ("better", 3, "test")
    assert proof["summary"]["new"]["aneurysm_dice"] == 0.6
    for box in (panel.ui.teacherComboBox, segmentation.ui.teacherComboBox):
        assert box.findText("Clinic 2026") >= 0
    panel.result.exportTeacher(str(tmp_path / "out.safetensors"))
    assert (tmp_path / "out.safetensors").read_bytes() == listed.path.read_bytes()
    panel.ui.useTeacherButton.click()  # the same again: nothing to complain of, or a sentence
    spin(lambda: not panel.logic.isRegistering, 60)
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: True)
    panel.ui.deleteTeacherButton.click()
    assert [one.name for one in list_teachers()] == ["default"]
    assert segmentation.ui.teacherComboBox.findText("Clinic 2026") < 0
    assert not panel.ui.deleteTeacherButton.enabled
    slicer.modules.gsemasegmentation.closeWidget()


def test_nothing_can_be_used_before_there_is_a_teacher(panel):
    for button in ("compareButton", "useTeacherButton", "exportTeacherButton"):
        assert not getattr(panel.ui, button).enabled
    with pytest.raises(UserError, match="no new model yet"):
        panel.logic.register(panel.train.folder, "x", print)
    with pytest.raises(UserError, match="no new model yet"):
        panel.logic.compare(panel.train.folder, print)


def test_a_report_on_another_model_is_not_shown(panel, trained, tiny_teacher, spin):
    """A training that goes on finds a better one; what was said was said of the one before."""
    folder = trained()
    assert "better on 3" in panel.ui.verdictLabel.text and panel.ui.useTeacherButton.enabled
    folder.teacher.write_bytes(tiny_teacher.read_bytes() + b" ")
    panel.train.watch.look()
    assert folder.comparisonReport() is None
    assert panel.ui.verdictLabel.text.startswith("When a training has ended")
    assert not panel.ui.reportTable.visible
    assert "Compare it first" in panel.ui.useTeacherButton.toolTip
    panel.ui.compareButton.click()
    spin(lambda: not panel.logic.isComparing)
    assert "better on 3" in panel.ui.verdictLabel.text


def test_going_on_ends_the_comparison_of_the_model_before(panel, begin, look, spin, monkeypatch):
    begin("slow")
    spin(lambda: look().status.step > 12)
    panel.train.folder.stop()
    panel.use("long")
    spin(lambda: not look().isRunning and panel.logic.isComparing, 60)
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isComparing)
    assert panel.ui.verdictLabel.text.startswith("When a training has ended")
    assert panel.shown == [] and look().isRunning
