"""Measurements that keep up with edits: what is out of date, and the process that mends it."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest
import slicer
import slicer.util

FIRST, SECOND = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2"


@pytest.fixture
def measure_in_background(spin):
    """Measure with a logic and wait for the end; returns what ``onDone`` was told."""

    def measure(logic, node, **named):
        told = []
        logic.measure(node, blocking=False, onDone=told.append, **named)
        spin(lambda: told, seconds=60)
        return told[0]

    return measure


@pytest.fixture
def edited(rows):
    """The names of the rows that the table calls edited."""

    def of(table):
        return [row["segment"] for row in rows(table) if "edited" in row["status"]]

    return of


def table_of(node):
    from GSEMASegmentationLib.measure.MeasurementTable import tableOf

    return tableOf(node)


def grow(masks, paint, node, volume, segment_id=FIRST, name="Aneurysm 1"):
    """Add a voxel beside a segment."""
    k, j, i = max(masks(node)[name])
    paint(node, segment_id, volume, (k + 1, j, i))


def test_an_edit_is_seen_in_its_row_and_nowhere_else(segmented, masks, paint, edited):
    """Also where the segments share a label map, whose time tells nothing of a single one."""
    logic, volume, node = segmented
    table = logic.measure(node)
    assert logic.measuring.look(node) == set()
    grow(masks, paint, node, volume)
    assert logic.measuring.look(node) == {FIRST}
    assert edited(table) == ["Aneurysm 1"]
    paint(node, FIRST, volume, tuple(np.array(max(masks(node)["Aneurysm 1"]))), 0)
    assert logic.measuring.look(node) == set()
    assert edited(table) == []


def test_what_measuring_depends_on_counts_and_nothing_else(segmented, paint, scene, edited):
    logic, volume, node = segmented
    table, segmentation = logic.measure(node), node.GetSegmentation()
    segmentation.AddEmptySegment("bone", "Bone")
    paint(node, "bone", volume, (slice(0, 20), slice(0, 20), slice(0, 20)))
    segmentation.GetSegment(FIRST).SetColor(0.1, 0.2, 0.3)
    node.CreateClosedSurfaceRepresentation()
    assert logic.measuring.look(node) == set()
    paint(node, "GSEMA_Vessel", volume, (6, 6, 11))  # near the second, far from the first
    assert logic.measuring.look(node) == {SECOND}
    paint(node, "GSEMA_Vessel", volume, (6, 6, 11), 0)
    segmentation.GetSegment(SECOND).SetName("Basilar tip aneurysm")
    assert logic.measuring.look(node) == {SECOND}
    segmentation.GetSegment(SECOND).SetName("Aneurysm 2")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    node.SetAndObserveTransformNodeID(transform.GetID())
    assert logic.measuring.look(node) == set()
    matrix = np.eye(4)
    matrix[2, 3] = 1
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    assert logic.measuring.look(node) == {FIRST, SECOND}
    assert edited(table) == ["Aneurysm 1", "Aneurysm 2"]


def test_added_and_removed_segments_are_noticed(segmented, paint):
    logic, volume, node = segmented
    logic.measure(node)
    node.GetSegmentation().AddEmptySegment("new", "Third aneurysm")
    paint(node, "new", volume, (slice(40, 44), slice(40, 44), slice(40, 44)))
    assert logic.measuring.look(node) == {"new"}
    node.GetSegmentation().RemoveSegment("new")
    node.GetSegmentation().RemoveSegment(SECOND)
    assert logic.measuring.look(node) == {SECOND}
    logic.measure(node)
    assert logic.measuring.look(node) == set()


def test_slicers_own_undo_and_redo_are_edits_too(segmented, masks, paint):
    logic, volume, node = segmented
    logic.measure(node)
    history = slicer.vtkSegmentationHistory()
    history.SetSegmentation(node.GetSegmentation())
    history.SaveState()
    grow(masks, paint, node, volume)
    assert logic.measuring.look(node) == {FIRST}
    history.RestorePreviousState()
    assert logic.measuring.look(node) == set()
    history.RestoreNextState()
    assert logic.measuring.look(node) == {FIRST}


def test_the_background_gives_the_same_numbers(
    segmented, masks, paint, rows, measure_in_background
):
    """Of several pieces too, to the last digit that the table has."""
    logic, volume, node = segmented
    logic.measure(node)
    grow(masks, paint, node, volume)
    paint(node, SECOND, volume, (slice(40, 45), slice(40, 44), slice(40, 44)))
    assert measure_in_background(logic, node) == ""
    table = table_of(node)
    quick = rows(table)
    memory = dict(logic.measuring._memories[node.GetID()])
    assert len(quick) == 3
    assert rows(logic.measure(node)) == quick
    for one, measured in logic.measuring._memories[node.GetID()].items():
        assert measured.rows == memory[one].rows  # all bits of all fields
    assert logic.measuring.look(node) == set()


def test_the_background_makes_a_table_where_there_is_none(
    segmented, rows, scene, measure_in_background
):
    logic, _volume, node = segmented
    assert table_of(node) is None and logic.measuring.look(node) == set()
    assert measure_in_background(logic, node, lines=True) == ""
    assert len(rows(table_of(node))) == 2
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode")


def test_an_edit_meanwhile_is_measured_too(segmented, masks, paint, rows, spin):
    logic, volume, node = segmented
    logic.measure(node)
    grow(masks, paint, node, volume)
    told = []
    logic.measure(node, blocking=False, onDone=told.append)
    grow(masks, paint, node, volume)
    spin(lambda: told, seconds=60)
    assert told == [""]
    after = rows(table_of(node))
    assert rows(logic.measure(node)) == after


@pytest.mark.parametrize("what", ["segment", "segmentation", "scene", "stopped", "measured"])
def test_what_happens_meanwhile_breaks_nothing(segmented, masks, paint, scene, spin, what, rows):
    logic, volume, node = segmented
    logic.measure(node)
    grow(masks, paint, node, volume)
    told = []
    logic.measure(node, blocking=False, onDone=told.append)
    if what == "segment":
        node.GetSegmentation().RemoveSegment(FIRST)
    elif what == "segmentation":
        scene.RemoveNode(node)
    elif what == "scene":
        scene.Clear()
    elif what == "stopped":
        logic.stop()
    else:
        logic.measure(node)
    if what in ("stopped", "measured"):
        assert not logic.measuring.isRunning
        return
    spin(lambda: told, seconds=60)
    assert told == [""]
    if what == "segment":
        assert [row["segment"] for row in rows(table_of(node))] == ["Aneurysm 2"]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('no scipy here')", "no scipy here"),
        ("print('hello')", "gave no answer"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crashed or was killed"),
    ],
)
def test_a_process_that_fails_is_told_and_the_row_stays_marked(
    segmented, masks, paint, edited, monkeypatch, measure_in_background, program, words
):
    from GSEMASegmentationLib.correct import BackgroundMeasurement

    logic, volume, node = segmented
    table = logic.measure(node)
    grow(masks, paint, node, volume)
    logic.measuring.look(node)
    monkeypatch.setattr(
        BackgroundMeasurement, "measureCommand", lambda: [sys.executable, "-c", program]
    )
    assert words in measure_in_background(logic, node)
    assert edited(table) == ["Aneurysm 1"]


def test_two_segmentations_are_kept_apart(make_logic, two_aneurysms, masks, paint, edited):
    logic = make_logic("good")
    nodes = [logic.segment(two_aneurysms) for _ in range(2)]
    tables = [logic.measure(node) for node in nodes]
    grow(masks, paint, nodes[1], two_aneurysms)
    assert [logic.measuring.look(node) for node in nodes] == [set(), {FIRST}]
    assert [edited(table) for table in tables] == [[], ["Aneurysm 1"]]


def test_a_saved_scene_knows_what_is_out_of_date(segmented, masks, paint, edited, scene, tmp_path):
    logic, volume, node = segmented
    for name, change in (("same", False), ("edited", True)):
        table = logic.measure(node)
        if change:
            grow(masks, paint, node, volume)
            logic.measuring.look(node)
        assert slicer.util.saveScene(str(tmp_path / f"{name}.mrb"))
    for name, expected in (("same", []), ("edited", ["Aneurysm 1"])):
        scene.Clear()
        slicer.util.loadScene(str(tmp_path / f"{name}.mrb"))
        node = slicer.util.getNode("balls aneurysms")
        table = table_of(node)
        assert edited(table) == expected
        found = logic.measuring.look(node)
        assert found == ({FIRST} if expected else set())
        assert edited(table) == expected


def test_tables_of_before_without_a_record_are_out_of_date(segmented):
    logic, _volume, node = segmented
    logic.measure(node).RemoveAttribute("GSEMASegmentation.measured")
    assert logic.measuring.look(node) == {FIRST, SECOND}
    for text in ("{", "[]", '{"other": 1}'):
        table_of(node).SetAttribute("GSEMASegmentation.measured", text)
        assert logic.measuring.look(node) == {FIRST, SECOND}


def test_fifty_edits_leave_nothing_behind(make_logic, two_aneurysms, paint, scene):
    """No node, and no more of anything that is kept."""
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    logic.measure(node, lines=True)

    def edit(value):
        paint(node, FIRST, two_aneurysms, (45, 40, 20), value)
        assert logic.measuring.look(node) == {FIRST}
        logic.measure(node, lines=True, onlyChanged=True)
        logic.rejectAneurysm(node, SECOND)
        logic.measure(node, lines=True, onlyChanged=True)
        logic.undo()
        logic.measure(node, lines=True, onlyChanged=True)

    def kept():
        gc.collect()
        images = sum(type(one).__name__ == "vtkOrientedImageData" for one in gc.get_objects())
        measuring = logic.measuring
        return (
            scene.GetNumberOfNodes(),
            len(measuring._memories),
            len(measuring._fingerprints),
            len(logic._undoStack._changes),
            images,
        )

    edit(1)
    edit(0)
    before = kept()
    for n in range(50):
        edit((n + 1) % 2)
    assert kept() == before
