"""Clicks that find nothing, fail, or are cancelled leave the scene as it was."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.errors import Cancelled, UserError

VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])


def test_nothing_there_is_said_and_changes_nothing(make_logic, make_balls, scene, snapshot):
    volume, logic = make_balls(), make_logic("good")
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, VESSEL_CENTER)
    assert outcome.kind == "nothing" and not outcome.isFound
    assert outcome.segmentationNode is None
    assert outcome.probability == pytest.approx(0.4)
    assert outcome.highestProbability == pytest.approx(0.8)
    assert np.linalg.norm(outcome.highestRas - ANEURYSM_CENTER) <= 4
    assert "R 3.0, A -2.0, S 5.0 mm" in outcome.message and "mm away, at R" in outcome.message
    away = np.linalg.norm(np.subtract(outcome.candidateRas, VESSEL_CENTER))
    assert outcome.candidateMm == pytest.approx(away, abs=0.1)
    assert np.linalg.norm(outcome.candidateRas - ANEURYSM_CENTER) <= 4
    assert snapshot(scene) == before
    assert not logic.undoTitle


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("error", "The volume is constant"),
        ("crash", "crashed or was killed"),
        ("othergrid", "another grid"),
        ("outside", "lies outside balls"),
        ("otherlabels", "unknown labels 3"),
        ("nofile", "no readable result"),
        ("oldprotocol", "another version"),
    ],
)
def test_a_failing_worker_leaves_the_scene_as_it_was(
    make_logic, make_balls, scene, mode, sentence, snapshot
):
    volume = make_balls()
    before = snapshot(scene)
    with pytest.raises(UserError, match=sentence):
        make_logic(mode).segmentAtPoint(volume, ANEURYSM_CENTER)
    assert snapshot(scene) == before


def test_an_import_that_breaks_half_way_is_taken_back(
    make_logic, make_balls, scene, monkeypatch, snapshot
):
    from GSEMASegmentationLib.click import ClickChange

    failed = []

    def breaking(real):
        def broken(*values):
            real(*values)
            if not failed:  # taking it back goes the same way
                failed.append(real)
                raise RuntimeError("no memory")

        return broken

    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    before = snapshot(scene)
    # The last things that it does.
    for name in ("placeOutput", "setVoxels"):
        monkeypatch.setattr(ClickChange, name, breaking(getattr(ClickChange, name)))
    for output in (None, node, empty):
        failed.clear()
        with pytest.raises(UserError, match=r"could not be imported \(no memory\)"):
            # Without telling the output, it would be that of the last click.
            logic._undoStack._changes.clear()
            logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=output)
        assert snapshot(scene) == before


def test_places_that_are_none_are_explained(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("good")
    with pytest.raises(UserError, match=r"R 500.0, A 0.0, S 0.0 mm lies outside balls"):
        logic.segmentAtPoint(volume, (500, 0, 0))
    with pytest.raises(UserError, match="lies outside balls"):
        logic.segmentAtPoint(volume, (float("nan"), 0, 0))
    for wrong in ((1, 2), ("a", 2, 3), None):
        with pytest.raises(UserError, match="must be three numbers"):
            logic.segmentAtPoint(volume, wrong)
    assert not logic._client.isRunning


def test_cancel_leaves_the_scene(make_logic, make_balls, scene, snapshot):
    volume, logic = make_balls(), make_logic("slow")
    before = snapshot(scene)
    with pytest.raises(Cancelled):
        logic.segmentAtPoint(
            volume, ANEURYSM_CENTER, onProgress=lambda fraction, phase: logic.cancel()
        )
    assert snapshot(scene) == before
    assert not logic.isRunning


@pytest.mark.parametrize("what", ["volume", "output", "scene"])
def test_what_is_removed_meanwhile_gets_nothing(
    make_logic, make_balls, scene, spin, what, snapshot
):
    volume, outcomes = make_balls(), []
    output = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "output")
    logic = make_logic("good")
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, output, blocking=False, onDone=outcomes.append)
    if what == "scene":
        scene.Clear()
    else:
        scene.RemoveNode({"volume": volume, "output": output}[what])
    remaining = snapshot(scene)
    spin(lambda: bool(outcomes))
    assert outcomes[0].kind == ("cancelled" if what == "scene" else "error")
    assert what == "scene" or "was removed in the meantime" in outcomes[0].message
    assert snapshot(scene) == remaining


def test_many_clicks_leave_nothing_behind(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    before = (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent"))
    for _ in range(10):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent")) == before
    assert not logic._client._requests


def test_what_a_click_cannot_do_is_told(make_logic, make_balls):
    with pytest.raises(UserError, match="'keep_probability'"):
        make_logic("good").segmentAtPoint(make_balls(), ANEURYSM_CENTER, keepProbability=True)
