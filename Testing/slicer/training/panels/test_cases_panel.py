"""The table of cases: filled from the scene, edited, and fed by dropped files."""

from __future__ import annotations

import numpy as np
import pytest

PATIENT, USE, ANEURYSMS, VERDICT, CENTER, SPACING, VESSEL = range(7)


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


def drag(panel, kind, mime):
    """Drag over the table, or drop there; return whether it is taken."""
    import qt

    where = qt.QPointF(5, 5) if kind is qt.QDropEvent else qt.QPoint(5, 5)
    buttons = qt.Qt.MouseButton.LeftButton, qt.Qt.KeyboardModifier(0)
    event = kind(where, qt.Qt.CopyAction, mime, *buttons)
    qt.QCoreApplication.sendEvent(panel.ui.caseTable.viewport(), event)
    return event.isAccepted()


def test_files_can_be_dropped(panel, datalist, spin):
    import qt

    words, files = qt.QMimeData(), qt.QMimeData()
    words.setText("words")
    files.setUrls([qt.QUrl.fromLocalFile(str(datalist))])
    assert not drag(panel, qt.QDragEnterEvent, words)
    assert drag(panel, qt.QDragEnterEvent, files)
    assert drag(panel, qt.QDropEvent, files)
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == 4


def drop_items(panel, *nodes):
    """Drop nodes as Slicer's data tree drags them."""
    import qt
    from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy

    items = [subjectHierarchy().GetItemByDataNode(node) for node in nodes]
    mime = qt.QMimeData()
    mime.setUrls([qt.QUrl(f"mrml://scene/subjecthierarchy/item?id={item}") for item in items])
    return drag(panel, qt.QDragEnterEvent, mime) and drag(panel, qt.QDropEvent, mime)


def test_data_of_the_scene_can_be_dropped(panel, make_case, make_balls, scene):
    import slicer.util
    from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy

    pairs = [make_case(name) for name in ("first", "second", "third")]
    lonely = make_balls(name="lonely")
    loose = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loose")
    array = slicer.util.arrayFromVolume(lonely)
    segment = loose.GetSegmentation().AddEmptySegment("", "Aneurysm")
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        (array == 200).astype(np.uint8), loose, segment, lonely
    )
    loose.SetNodeReferenceID(loose.GetReferenceImageGeometryReferenceRole(), None)
    for node in (*pairs[0], *pairs[1], *pairs[2], lonely, loose):
        subjectHierarchy().CreateItem(subjectHierarchy().GetSceneItemID(), node)
    assert drop_items(panel, pairs[1][1])
    assert [case.patient for case in panel.cases.cases] == ["second"]
    assert drop_items(panel, pairs[0][0], pairs[0][1], pairs[2][0])
    assert sorted(case.patient for case in panel.cases.cases) == ["first", "second", "third"]
    assert drop_items(panel, lonely)
    assert "drop a volume and its segmentation" in panel.shown[-1]
    panel.cases.addFromScene()
    assert panel.shown[-1].startswith("Left out, as their volume is not known: loose.")
    drop_items(panel, lonely, loose)  # together they are a pair, as somebody says so
    assert sorted(case.patient for case in panel.cases.cases)[1] == "lonely"
    assert all(case.isUsable for case in panel.cases.cases)
    told = len(panel.shown)
    panel.cases.addFromScene()
    assert len(panel.cases.cases) == 4 and len(panel.shown) == told


def test_two_segmentations_of_a_volume_are_told(panel, make_case, scene):
    volume, segmentation = make_case("twice")
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "another opinion")
    copy.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    copy.GetSegmentation().DeepCopy(segmentation.GetSegmentation())
    panel.cases.addFromScene()
    assert len(panel.cases.cases) == 2
    assert panel.shown == [
        "twice has several segmentations: remove the rows that must not be learned."
    ]


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
    panel.ui.caseTable.selectRow(0)
    panel.cases._deleteKey.activated.emit()
    assert [case.patient[-1] for case in panel.cases.cases] == ["2", "3"]
