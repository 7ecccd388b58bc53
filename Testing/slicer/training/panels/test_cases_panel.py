"""The table of cases: filled from the scene, edited, and fed by dropped files."""

from __future__ import annotations

import numpy as np
import pytest

PATIENT, CENTER, SPACING, VESSEL, ANEURYSMS, USE, VERDICT = range(7)


def cell(panel, row, column):
    return panel.ui.caseTable.item(row, column).text()


def test_a_pair_of_the_scene_becomes_a_row(panel, make_case):
    make_case("Doe^Jane")
    panel.ui.addSceneButton.click()
    (case,) = panel.cases.cases
    assert panel.shown == []
    assert (case.patient, case.use, case.isUsable) == ("Doe^Jane", "training", True)
    assert case.aneurysms == 1
    assert case.vesselMl == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=0.05)
    assert case.aneurysmMl == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.1)
    assert [cell(panel, 0, c) for c in (PATIENT, SPACING, ANEURYSMS, VERDICT)] == [
        "Doe^Jane",
        "0.8",
        "1",
        "usable",
    ]
    assert "1 of 1 cases can be used" in panel.ui.casesInfoLabel.text


def test_adding_the_scene_again_keeps_what_was_typed(panel, make_case):
    make_case()
    panel.cases.addFromScene()
    panel.ui.caseTable.item(0, CENTER).setText("Leeds")
    panel.ui.caseTable.item(0, PATIENT).setText("P1")
    panel.cases.addFromScene()
    (case,) = panel.cases.cases
    assert (case.patient, case.center) == ("P1", "Leeds")


def test_what_segments_are_is_asked_once(panel, make_case):
    asked = []

    def answer(guesses):
        asked.append(dict(guesses))
        return {**guesses, "sac": 2, "tree": 1}

    panel.cases.askLabels = answer
    make_case("first", ("tree", "sac"))
    panel.cases.addFromScene()
    assert asked == [{"tree": 0, "sac": 0}]
    assert panel.cases.cases[0].aneurysms == 1
    make_case("second", ("tree", "sac"))
    panel.cases.addFromScene()
    assert len(asked) == 1
    assert [case.isUsable for case in panel.cases.cases] == [True, True]


def test_a_cancelled_question_adds_nothing(panel, make_case):
    panel.cases.askLabels = lambda guesses: None
    make_case("first", ("tree", "sac"))
    panel.cases.addFromScene()
    assert panel.cases.cases == []


def test_the_question_shows_the_guesses(scene, training_module):
    import qt
    from GSEMATrainingLib.panels.LabelQuestion import LabelQuestion

    question = LabelQuestion({"Left MCA aneurysm": 2, "ACA": 0})
    assert question.answers == {"Left MCA aneurysm": 2, "ACA": 0}
    question._boxes["ACA"].currentIndex = 1
    assert question.answers["ACA"] == 1
    (buttons,) = question.dialog.findChildren(qt.QDialogButtonBox)
    assert len(buttons.buttons()) == 2
    question.dialog.deleteLater()


def test_unknown_segments_are_explained(panel, make_case):
    make_case("first", ("tree", "sac"))  # nobody is there to answer: neither is known
    panel.cases.addFromScene()
    assert "No segment is known" in cell(panel, 0, VERDICT)
    assert "0 of 1" in panel.ui.casesInfoLabel.text
    assert not panel.ui.trainButton.enabled


def test_a_scene_without_labels_is_explained(panel, make_balls):
    make_balls()
    panel.ui.addSceneButton.click()
    assert "No volume of the scene has a segmentation" in panel.shown[0]


def test_a_volume_that_left_the_scene_is_explained(panel, make_case, scene):
    from GSEMATrainingLib.cases.SceneCases import sceneFacts

    volume, _segmentation = make_case()
    panel.cases.addFromScene()
    (case,) = panel.cases.cases
    scene.RemoveNode(volume)
    nodes = panel.cases.nodesOf(case)
    assert nodes[0] is None
    assert "not in the scene any more" in sceneFacts(*nodes, case.labels)["problem"]


def test_files_can_be_dropped(panel, datalist, spin):
    import qt

    def drag(kind, mime):
        where = qt.QPointF(5, 5) if kind is qt.QDropEvent else qt.QPoint(5, 5)
        buttons = qt.Qt.MouseButton.LeftButton, qt.Qt.KeyboardModifier(0)
        event = kind(where, qt.Qt.CopyAction, mime, *buttons)
        qt.QCoreApplication.sendEvent(panel.ui.caseTable.viewport(), event)
        return event.isAccepted()

    words, files = qt.QMimeData(), qt.QMimeData()
    words.setText("words")
    files.setUrls([qt.QUrl.fromLocalFile(str(datalist))])
    assert not drag(qt.QDragEnterEvent, words)
    assert drag(qt.QDragEnterEvent, files)
    assert drag(qt.QDropEvent, files)
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == 4


def test_a_use_holds_for_the_whole_patient(panel, add_cases):
    add_cases()
    for row in (0, 1):
        panel.ui.caseTable.item(row, PATIENT).setText("same")
    assert panel.cases.cases[0].use == panel.cases.cases[1].use == "training"
    box = panel.ui.caseTable.cellWidget(0, USE)
    box.currentIndex = 2
    box.activated.emit(2)
    assert [case.use for case in panel.cases.cases[:2]] == ["test", "test"]


def test_rows_are_removed(panel, add_cases):
    add_cases()
    assert not panel.ui.removeCaseButton.enabled
    panel.ui.caseTable.selectRow(1)
    assert panel.ui.removeCaseButton.enabled
    panel.ui.removeCaseButton.click()
    assert [case.patient[-1] for case in panel.cases.cases] == ["0", "2", "3"]
