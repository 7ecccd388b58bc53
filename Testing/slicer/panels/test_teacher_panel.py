"""Teachers by name in the panel: the card, the choice, import and removal."""

from __future__ import annotations

import shutil

import pytest
import slicer
import slicer.util

from gsema_core.teachers import TeacherCard


@pytest.fixture
def said_yes(monkeypatch):
    questions = []
    monkeypatch.setattr(
        slicer.util, "confirmYesNoDisplay", lambda text: questions.append(text) or True
    )
    return questions


def entries(panel):
    box = panel.ui.teacherComboBox
    return [box.itemText(index) for index in range(box.count)]


def test_the_bundled_teacher_is_chosen_with_its_card(panel):
    assert entries(panel) == ["default (bundled)"]
    assert panel.teachers.name == "default"
    purpose = "Segments vessels and aneurysms in voxels of 1.6 mm."
    assert panel.ui.teacherCollapsibleButton.text == "Model: default (bundled)"
    assert panel.ui.teacherCollapsibleButton.collapsed
    assert panel.ui.teacherInfoLabel.text == purpose
    assert panel.ui.teacherCardLabel.text.startswith("Training: not stated.")
    assert not panel.ui.removeTeacherButton.enabled
    assert panel.ui.removeTeacherButton.toolTip == "Only imported models can be removed."


def test_more_opens_the_card_and_less_folds_it(panel):
    panel.parent.show()
    panel.ui.teacherCollapsibleButton.collapsed = False
    shown = []
    for _press in range(2):
        shown.append((panel.ui.teacherCardLabel.visible, panel.ui.teacherCardButton.text))
        panel.ui.teacherCardButton.click()
    assert shown == [(False, "More..."), (True, "Less")]
    panel.ui.teacherCollapsibleButton.collapsed = True
    panel.ui.teacherCollapsibleButton.collapsed = False
    assert not panel.ui.teacherCardLabel.visible


def test_the_card_tells_what_matters(scene, segmentation_module):
    from GSEMASegmentationLib.panels.TeacherText import LONGEST, cardText

    from gsema_core.intensities import IntensityRule
    from gsema_core.networks import NetworkConfig

    card = TeacherCard(
        name="x",
        network=NetworkConfig(kind="cnn", features=8, stages=2, depth=1).to_dict(),
        spacing_mm=0.5,
        window=(32, 32, 32),
        intensity=IntensityRule().to_dict(),
        training={
            "minutes": 13.127,
            "initial_teacher": None,
            "centers": ["A", "B"],
            "patients": 12,
            "data": "angiographies of two hospitals",
        },
        metrics={"validation": {"aneurysm_dice": 0.27841}, "note": "<b>" + "x" * 500},
        license="CC-BY-4.0",
    )
    lines = cardText(card, "0123456789abcdef").split("\n")
    known = "Trained on angiographies of two hospitals, 12 patients, centers A B"
    assert lines[1] == known + "."
    assert cardText(card, "0123", 2000).split("\n")[1] == known + ", minutes 13.1."
    assert lines[2].startswith("Scores: validation aneurysm dice 0.278, note <b>xxx")
    assert len(lines[2]) == LONGEST
    assert lines[3] == "License: CC-BY-4.0. File: 01234567."


def test_import_choose_run_remove(panel, teachers, tiny_teacher, make_balls, spin, said_yes):
    panel.teachers.importFile(str(tiny_teacher))
    assert entries(panel) == ["default (bundled)", "tiny"]
    assert panel.teachers.name == "tiny"
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)
    assert panel.logic.report["teacher"] == "tiny"  # the worker says what it was told
    panel.ui.removeTeacherButton.click()
    assert said_yes == ["Delete the model tiny from this computer?"]
    assert entries(panel) == ["default (bundled)"]
    assert list(teachers.iterdir()) == []


def test_no_means_no(panel, tiny_teacher, teachers, monkeypatch):
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text: False)
    panel.teachers.importFile(str(tiny_teacher))
    panel.ui.removeTeacherButton.click()
    assert panel.teachers.name == "tiny"
    assert len(list(teachers.iterdir())) == 1


def test_the_import_button_asks_for_a_file(panel, tiny_teacher, monkeypatch):
    import qt

    for answer, expected in (("", 1), (str(tiny_teacher), 2)):
        monkeypatch.setattr(
            qt.QFileDialog, "getOpenFileName", staticmethod(lambda *_, answer=answer: answer)
        )
        panel.ui.importTeacherButton.click()
        assert panel.ui.teacherComboBox.count == expected


def test_a_file_that_is_no_teacher_is_explained(panel, tmp_path, caplog):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    panel.teachers.importFile(str(path))
    assert "weights.safetensors" in caplog.text
    assert entries(panel) == ["default (bundled)"]


def test_the_choice_comes_back(panel, tiny_teacher):
    panel.teachers.importFile(str(tiny_teacher))
    module = slicer.modules.gsemasegmentation
    module.closeWidget()
    assert module.widgetRepresentation().self().teachers.name == "tiny"


def test_a_teacher_that_vanished_gives_way_to_the_bundled_one(panel, tiny_teacher, teachers):
    panel.teachers.importFile(str(tiny_teacher))
    shutil.rmtree(teachers)
    panel.parent.enter()
    assert panel.teachers.name == "default"


def test_a_damaged_teacher_cannot_be_used_and_says_why(panel, teachers, make_balls):
    teachers.mkdir()
    (teachers / "broken.safetensors").write_bytes(b"nothing")
    panel.parent.enter()
    panel.ui.inputSelector.setCurrentNode(make_balls())
    assert panel.ui.segmentButton.enabled
    panel.ui.teacherComboBox.currentIndex = 1
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == panel.ui.teacherInfoLabel.text
    assert "broken.safetensors" in panel.ui.teacherInfoLabel.text
    assert "#c62828" in panel.ui.teacherInfoLabel.styleSheet
    assert panel.ui.teacherCardLabel.text == ""  # that of the one before says nothing of this one
    assert not panel.ui.teacherCollapsibleButton.collapsed


def test_without_any_teacher_the_panel_says_what_to_do(panel, make_balls, monkeypatch, tmp_path):
    from gsema_core.teachers import registry

    monkeypatch.setattr(registry, "BUNDLED_TEACHER", tmp_path / "none.safetensors")
    panel.parent.enter()
    panel.ui.inputSelector.setCurrentNode(make_balls())
    assert panel.ui.teacherComboBox.count == 0
    assert not panel.ui.segmentButton.enabled
    assert "import a model file" in panel.ui.segmentButton.toolTip


def test_simulated_scores_are_called_simulated(harness):
    from GSEMASegmentationLib.panels.TeacherText import cardText

    from gsema_core.teachers import find_teacher, read_card

    card = read_card(find_teacher("default"))
    text = cardText(card, "0123456789abcdef")
    assert f"mean of {card.metrics['test']['cases']} cases (simulated images)" in text
