"""The scan on its way to the worker: once for all clicks, and in time."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])


def test_the_scan_is_sent_once_for_all_clicks(make_logic, make_balls, monkeypatch):
    from GSEMASegmentationLib.worker import ScanTransfer

    exported = []
    export = ScanTransfer.exportVolume
    monkeypatch.setattr(
        ScanTransfer, "exportVolume", lambda *values: exported.append(values) or export(*values)
    )
    volume, logic = make_balls(), make_logic("good")
    for _ in range(3):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 1
    slicer.util.arrayFromVolumeModified(volume)  # it may be another one now
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 2
    logic.stop()  # a new worker knows nothing
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 3


def test_a_click_while_the_scan_is_handed_over_waits_for_it(make_logic, make_balls, spin):
    volume, logic = make_balls(), make_logic("good")
    prepared, outcomes = [], []
    logic.prepareClicks(volume, onDone=prepared.append)
    assert not logic.isRunning  # it may be clicked already
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, blocking=False, onDone=outcomes.append)
    assert logic.isRunning
    with pytest.raises(UserError, match="is running"):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    spin(lambda: bool(outcomes))
    assert prepared[0].kind == "result"
    assert outcomes[0].isFound
    assert not logic.isRunning


def test_the_same_scan_is_handed_over_once(make_logic, make_balls, monkeypatch, spin):
    from GSEMASegmentationLib.worker import ScanTransfer

    exported = []
    export = ScanTransfer.exportVolume
    monkeypatch.setattr(
        ScanTransfer, "exportVolume", lambda *values: exported.append(values) or export(*values)
    )
    logic, volume, other = make_logic("good"), make_balls(), make_balls(name="other")
    kinds = []

    def prepare(node):
        logic.prepareClicks(node, onDone=lambda outcome: kinds.append(outcome.kind))

    prepare(volume)
    prepare(volume)  # while the first is under way
    spin(lambda: len(kinds) == 2)
    prepare(volume)
    assert kinds == ["result"] * 3
    assert len(exported) == 1
    prepare(other)
    prepare(volume)  # the user has changed their mind
    spin(lambda: len(kinds) == 5)
    assert kinds[-1] == "result"
    assert logic.segmentAtPoint(volume, ANEURYSM_CENTER).isFound
    logic.stop()
    prepare(volume)
    spin(lambda: len(kinds) == 6)
    assert len(exported) == 4
    prepare(None)
    assert kinds[-1] == "error"
