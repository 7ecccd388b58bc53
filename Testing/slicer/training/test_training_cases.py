"""The table of cases: from the scene, folders and lists; edited, saved, and kept with the scene."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError

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
    from GSEMATrainingLib.panels.LabelQuestion import LabelQuestion

    question = LabelQuestion({"Left MCA aneurysm": 2, "ACA": 0})
    assert question.answers == {"Left MCA aneurysm": 2, "ACA": 0}
    question._boxes["ACA"].currentIndex = 1
    assert question.answers["ACA"] == 1
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


def test_segments_on_another_grid_and_transform_are_brought_to_the_volume(
    scene, training_module, make_case, make_balls, ijk_to_ras
):
    """The balls lie at the same places of the world, whatever the grids."""
    from GSEMATrainingLib.cases.SceneCases import labelArray, labelsById

    _volume, segmentation = make_case("labelled")
    shift = np.eye(4)
    shift[:3, 3] = (2.0, -1.0, 3.0)
    other = make_balls(ijk_to_ras, parent=shift, name="other")
    labels = labelsById(segmentation, {"Vessel": 1, "Aneurysm": 2})
    found = labelArray(other, segmentation, labels)
    expected = slicer.util.arrayFromVolume(other)
    for label, value in ((1, 100), (2, 200)):
        inside, there = found == label, expected == value
        dice = 2 * (inside & there).sum() / (inside.sum() + there.sum())
        assert dice > 0.9


def test_a_segmentation_elsewhere_is_refused(scene, training_module, make_case, make_balls):
    from GSEMATrainingLib.cases.SceneCases import labelArray

    _volume, segmentation = make_case()
    away = np.diag([0.8, 0.8, 0.8, 1.0])
    away[:3, 3] = 500
    ids = dict.fromkeys(segmentation.GetSegmentation().GetSegmentIDs(), 1)
    with pytest.raises(UserError, match="Nothing of balls labels lies within far"):
        labelArray(make_balls(away, name="far"), segmentation, ids)


def test_a_list_is_read_row_by_row(panel, add_cases):
    add_cases()
    assert [case.patient for case in panel.cases.cases] == [f"Muster^Max{n}" for n in range(4)]
    assert sorted(case.use for case in panel.cases.cases) == [
        "test",
        "training",
        "training",
        "validation",
    ]
    assert cell(panel, 0, SPACING) == "0.4 × 0.4 × 0.6"


def test_a_case_that_cannot_be_used_says_why(panel, datalist, spin):
    entries = json.loads(datalist.read_text())["cases"]
    entries[1]["label"] = "bad.nrrd"
    datalist.write_text(json.dumps({"cases": entries}))
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert cell(panel, 1, VERDICT) == "The label map has the value 7: use 0, 1 and 2."
    assert not panel.ui.caseTable.cellWidget(1, USE).enabled
    assert "3 of 4 cases" in panel.ui.casesInfoLabel.text


def test_a_path_that_is_not_there_is_explained(panel, tmp_path, spin):
    panel.cases.addPath(str(tmp_path / "none.json"))
    spin(lambda: not panel.cases.reader.isRunning)
    assert "does not exist" in panel.shown[0]


def test_reading_a_list_twice_does_not_double_it(panel, add_cases, datalist, spin):
    add_cases()
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == 4


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


def test_the_list_is_kept_with_the_scene(panel, make_case, tmp_path, scene):
    make_case("kept")
    panel.cases.addFromScene()
    before = panel.cases.cases
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear()
    assert panel.cases.cases == []
    slicer.util.loadScene(path)
    panel.initializeParameterNode()
    assert panel.cases.cases == before
    volume, segmentation = panel.cases.nodesOf(before[0])
    assert (volume.GetName(), segmentation.GetName()) == ("kept", "kept labels")


def test_a_damaged_list_in_a_scene_is_empty(panel):
    panel._parameterNode.cases = "{broken"
    panel._parameterNode.segmentLabels = "[1, 2]"
    assert panel.cases.cases == []
    assert panel.cases._list.segmentLabels == {}


def test_the_list_is_saved_and_loaded(panel, add_cases, make_case, tmp_path, spin):
    from gsema_core.datasets import read_datalist

    add_cases()
    make_case("of the scene")
    panel.cases.addFromScene()
    path = tmp_path / "site" / "all.json"
    panel.cases.save(str(path))
    assert panel.shown == []
    saved = read_datalist(path)
    assert [case.patient for case in saved] == [case.patient for case in panel.cases.cases]
    assert [case.use for case in saved] == [case.use for case in panel.cases.cases]
    assert json.loads(path.read_text())["cases"][0]["image"] == "scan-0.nrrd"
    assert saved[4].image.name == "case-005.nrrd"  # its name is in the list, not in a file's name
    assert slicer.util.loadVolume(str(saved[4].image)).GetImageData().GetDimensions() == (
        60,
        56,
        52,
    )


def test_an_unwritable_list_is_explained(panel, add_cases, tmp_path):
    add_cases()
    panel.cases.save(str(tmp_path / "none" / "list.json"))
    assert "does not exist" in panel.shown[0]


def uses(training_module, *rows):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses

    cases = [TrainingCase(str(n), patient, center) for n, (patient, center) in enumerate(rows)]
    return suggestedUses(cases)


def test_suggested_uses_keep_patients_of_every_center_out(training_module):
    found = uses(training_module, *((f"{c}{n}", c) for c in "AB" for n in range(8)))
    for center in "AB":
        counts = [
            sum(use == kind for patient, use in found.items() if patient[0] == center)
            for kind in ("training", "validation", "test")
        ]
        assert counts == [5, 1, 2]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (2, 1, 0)), (4, (2, 1, 1))]
)
def test_few_patients_are_mostly_trained_on(training_module, count, expected):
    found = list(uses(training_module, *((f"p{n}", "A") for n in range(count))).values())
    assert tuple(found.count(use) for use in ("training", "validation", "test")) == expected


def test_what_is_decided_is_not_decided_again(training_module):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses

    cases = [TrainingCase(str(n), f"p{n}", "A", "test" if n < 2 else "") for n in range(10)]
    found = list(suggestedUses(cases).values())
    assert [found.count(use) for use in ("training", "validation", "test")] == [7, 1, 2]
    cases = [TrainingCase(str(n), f"p{n}", "A", "training") for n in range(10)]
    assert set(suggestedUses(cases).values()) == {"training"}


def case_of(use, aneurysms=1, spacing=(0.4,)):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase

    return TrainingCase("1", use, "A", use, aneurysms=aneurysms, spacingMm=spacing)


def test_a_list_is_warned_of_as_a_whole(training_module):
    from GSEMATrainingLib.cases.TrainingCase import caseWarnings

    good = [case_of("training"), case_of("validation"), case_of("test")]
    assert caseWarnings(good) == []
    without = [case_of("training"), case_of("validation", 0), case_of("test")]
    assert "No validation case has an aneurysm" in caseWarnings(without)[0]
    assert "No training case has an aneurysm" in caseWarnings([case_of("training", 0)])[0]
    assert "no case to train on" in caseWarnings([case_of("test")])[0]
    mixed = [*good, case_of("training", spacing=(1.0,))]
    assert "0.4 to 1 mm" in caseWarnings(mixed)[0]
    alone = " ".join(caseWarnings([case_of("training")]))
    assert "kept for validation" in alone and "kept for a test" in alone
