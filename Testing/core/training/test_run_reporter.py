from __future__ import annotations

import dataclasses
import errno
import json
import os
import threading
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.training.run_reporter import UNEXPLAINED, RunReporter, told_while
from gsema_core.training.status import STATUS, Status, read_status


@pytest.fixture
def reporter(tmp_path: Path) -> RunReporter:
    return RunReporter(tmp_path, lambda line: None)


def test_the_file_holds_every_field(reporter, tmp_path):
    reporter.show(state="training", step=3, steps=9, device="cpu", message="Going on.")
    status = json.loads((tmp_path / STATUS).read_text())
    assert set(status) == {field.name for field in dataclasses.fields(Status)}
    assert (status["state"], status["step"], status["pid"]) == ("training", 3, os.getpid())
    assert status["memory_mb"] is None or status["memory_mb"] > 10
    assert status["updated"].endswith("+00:00")


def test_what_is_not_changed_stays(reporter, tmp_path):
    reporter.show(step=3, message="One.")
    reporter.show(state="paused")
    assert read_status(tmp_path).step == 3
    assert read_status(tmp_path).message == "One."


def test_an_unknown_state_is_a_mistake_of_ours(reporter):
    with pytest.raises(ValueError, match="'asleep'"):
        reporter.show(state="asleep")


def test_warnings_stay_with_later_messages(reporter, tmp_path):
    reporter.warn("Memory is short.")
    reporter.show(message="Step 1.")
    reporter.show(message="Step 2.")
    assert read_status(tmp_path).message == "Step 2. Memory is short."


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("There is too little memory: choose a smaller patch."), None),
        (UserError("The image /home/x/doe.nrrd cannot be read."), UNEXPLAINED),
        (UserError(r"The image C:\doe.nrrd cannot be read."), UNEXPLAINED),
        (UserError("Patient doe is in two splits."), UNEXPLAINED),
        (RuntimeError("internal"), UNEXPLAINED),
    ],
)
def test_a_failure_names_no_file_and_no_patient(reporter, tmp_path, error, message):
    reporter.keep_private(["doe"])
    reporter.fail(error)
    status = read_status(tmp_path)
    assert status.state == "failed"
    assert status.message == (message or str(error))


def test_a_failure_on_a_full_disk_hides_nothing(reporter, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    reporter.fail(UserError("The first reason."))  # raises nothing of its own
    with pytest.raises(UserError, match=r"status\.json .No space left"):
        reporter.show(step=1)


@pytest.fixture
def clock(monkeypatch):
    """``clock(seconds)`` moves the reporter's time on."""
    now = [100.0]
    monkeypatch.setattr("gsema_core.training.run_reporter.monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def test_progress_is_told_by_time(tmp_path, clock):
    lines: list[str] = []
    reporter = RunReporter(tmp_path, lines.append, every_s=10)
    for second in range(1, 31):
        clock(1)
        reporter.progress(lambda second=second: f"second {second}")
    assert lines == ["second 10", "second 20", "second 30"]


def test_what_takes_long_says_so(tmp_path, clock):
    lines: list[str] = []
    reporter = RunReporter(tmp_path, lines.append, every_s=10)
    reporter.doing("Step 1")
    for _ in range(25):
        clock(1)
        reporter.look()
    assert lines == ["Step 1: 10 s so far.", "Step 1: 20 s so far."]
    reporter.doing("Step 2", usual_s=12)
    for _ in range(30):
        clock(1)
        reporter.look()
    assert lines[2:] == ["Step 2: 24 s so far, usually about 10 s."]
    reporter.doing("")
    clock(100)
    reporter.look()
    assert len(lines) == 3


def test_a_thread_looks_while_the_run_is_busy(tmp_path, monkeypatch):
    monkeypatch.setattr("gsema_core.training.run_reporter.LOOK_S", 0.001)
    told = threading.Event()
    reporter = RunReporter(tmp_path, lambda line: told.set(), every_s=0.01)
    with reporter.watched():
        reporter.doing("Reading a case")
        assert told.wait(60)


def test_long_work_is_told_of_while_it_lasts(monkeypatch):
    monkeypatch.setattr("gsema_core.training.run_reporter.LOOK_S", 0.001)
    told = threading.Event()
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        told.set()

    with told_while(report, "Scoring", 0.01):
        assert told.wait(60)
    assert lines[0] == "Scoring: 0 s so far."
