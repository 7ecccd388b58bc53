"""A worker that hangs, is only slow, or loses its device: noticed, ended, and replaced."""

from __future__ import annotations

import time

import pytest

from gsema_core.errors import UserError

SILENCE_MS = 1500  # instead of two minutes


def set_patience(logic, milliseconds):
    watchdog = logic._client._watchdog
    watchdog.silenceMs = milliseconds
    watchdog._timer.setInterval(milliseconds // 60)


@pytest.fixture
def make_watched(make_logic):
    """Logics that lose patience early: at once, or when the worker has begun to work."""

    def make(mode):
        logic = make_logic(mode)
        set_patience(logic, SILENCE_MS)
        return logic

    return make


@pytest.mark.parametrize("mode", ["frozen", "stuck", "mute"])
def test_a_hanging_worker_is_ended_with_one_sentence_and_the_next_run_has_a_new_one(
    gone, make_watched, make_balls, fake_worker, scene, spin, mode
):
    logic, volume, pids = make_watched(mode), make_balls(), []
    nodes = scene.GetNumberOfNodes()
    started = time.monotonic()
    with pytest.raises(UserError, match=r"^The worker has shown no sign of life for .* minutes"):
        logic.segment(volume, onProgress=lambda *step: pids.append(logic._client.pid))
    assert SILENCE_MS / 1000 <= time.monotonic() - started < 10 * SILENCE_MS / 1000
    assert scene.GetNumberOfNodes() == nodes
    assert not logic._client.isRunning
    spin(lambda: all(gone(pid) for pid in pids))
    logic._client._command = fake_worker("good")
    set_patience(logic, 60_000)  # a loaded computer takes its time to start it
    assert logic.segment(volume).IsA("vtkMRMLSegmentationNode")
    assert logic._client.pid not in pids


def test_a_hanging_click_is_ended_too(make_watched, make_balls, scene):
    logic, volume = make_watched("frozen"), make_balls()
    nodes = scene.GetNumberOfNodes()
    with pytest.raises(UserError, match="no sign of life"):
        logic.segmentAtPoint(volume, (14.0, 1.0, 3.0))
    assert scene.GetNumberOfNodes() == nodes


def test_a_slow_worker_that_computes_is_left_alone(make_logic, make_balls):
    logic, began = make_logic("busy"), []

    def watch(fraction, phase):
        if not began:
            began.append(time.monotonic())
            set_patience(logic, SILENCE_MS)

    assert logic.segment(make_balls(), onProgress=watch) is not None
    assert time.monotonic() - began[0] > 2 * SILENCE_MS / 1000


def test_an_idle_worker_may_be_silent(make_logic, make_balls, spin):
    logic = make_logic("good")
    logic.segment(make_balls())
    set_patience(logic, SILENCE_MS)
    end = time.monotonic() + 1.5 * SILENCE_MS / 1000
    spin(lambda: time.monotonic() > end)
    assert logic._client.isRunning


def test_time_in_which_slicer_itself_was_busy_does_not_count(make_logic, make_balls):
    logic = make_logic("waits")

    def freeze(fraction, phase):
        set_patience(logic, SILENCE_MS)
        if phase == "Reading the scan":
            time.sleep(2 * SILENCE_MS / 1000)  # as a long rendering does

    assert logic.segment(make_balls(), onProgress=freeze) is not None


def test_a_cancelled_run_of_a_hanging_worker_ends_in_time(make_watched, make_balls, spin):
    logic, outcomes = make_watched("frozen"), []
    set_patience(logic, 60_000)
    logic.segment(make_balls(), blocking=False, onDone=outcomes.append)
    spin(lambda: logic._client.pid is not None)
    logic.cancel()
    spin(lambda: outcomes, seconds=2.0)
    assert outcomes[0].isCancelled


@pytest.mark.parametrize("mode", ["driver", "driverdies"])
def test_a_failing_driver_is_tried_again_in_a_new_worker(make_logic, make_balls, mode):
    logic, pids = make_logic(mode), []
    node = logic.segment(make_balls(), onProgress=lambda *step: pids.append(logic._client.pid))
    assert node is not None
    assert len(set(pids)) == 2


def test_a_driver_that_fails_again_is_told(make_logic, make_balls, scene):
    logic, volume = make_logic("nodriver"), make_balls()
    nodes = scene.GetNumberOfNodes()
    with pytest.raises(UserError, match="The GPU's driver has failed"):
        logic.segment(volume)
    assert scene.GetNumberOfNodes() == nodes
