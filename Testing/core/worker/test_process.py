"""The worker's loop with a session that only pretends to work."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest

from gsema_core.errors import DeviceFailedError, UserError
from gsema_core.exit_codes import EXIT_DEVICE_FAILED
from gsema_core.inference import Monitor
from gsema_core.machine.cores import Cores
from gsema_core.worker import process
from gsema_core.worker.heartbeat import Heartbeat
from gsema_core.worker.process import Worker
from gsema_core.worker.protocol import (
    PREFIX,
    CardRequest,
    ClickRequest,
    PrepareRequest,
    ScanNeededError,
    SegmentRequest,
)


class FakeSession:
    """Its segmentations take until they are let go or cancelled."""

    device_failed = False

    def __init__(self) -> None:
        self.started: Queue[int] = Queue()
        self.let_go = threading.Event()

    def _waiting(self, number: int, monitor: Monitor) -> dict[str, Any]:
        self.started.put(number)
        with monitor.phase("windows"):
            while not self.let_go.wait(0.005):
                monitor.advance(0.5)
                monitor.check()
        return {"report": {}}

    def segment(self, request: SegmentRequest, monitor: Monitor) -> dict[str, Any]:
        return {"aneurysms": [], **self._waiting(request.id, monitor)}

    def click(self, request: ClickRequest, monitor: Monitor) -> dict[str, Any]:
        if request.input is None:
            raise ScanNeededError("The scan is needed.")
        return {"found": True, "point": request.inside_lps, **self._waiting(request.id, monitor)}

    def prepare(self, request: PrepareRequest, monitor: Monitor) -> dict[str, Any]:
        return {"geometry": {}, **self._waiting(request.id, monitor)}

    def card(self, request: CardRequest) -> dict[str, Any]:
        errors: dict[str, Exception] = {
            "wrong": UserError("This teacher is wrong."),
            "bug": KeyError("oops"),
            "large": MemoryError(),
            "gone": FileNotFoundError(2, "No such file or directory", "/a/b.nrrd"),
            "broken": DeviceFailedError("The device cuda:0 does not work."),
        }
        self.device_failed |= request.teacher == "broken"
        if request.teacher in errors:
            raise errors[request.teacher]
        return {"card": {"name": request.teacher}}


class Talk:
    """One conversation with a worker in this process."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.events = io.StringIO()
        self._bytes: Queue[bytes | None] = Queue()
        self.worker = Worker(self._chunks(), self.events, self.session)  # type: ignore[arg-type]
        self.codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self.codes.append(self.worker.run()))
        self._thread.start()

    def _chunks(self) -> Iterator[bytes]:
        while (chunk := self._bytes.get()) is not None:
            yield chunk

    def send(self, **request: Any) -> None:
        self._bytes.put(json.dumps(request).encode() + b"\n")

    def segment(self, number: int) -> None:
        self.send(id=number, command="segment", input="i.nrrd", output="o.nrrd")

    def close_stdin(self) -> None:
        self._bytes.put(None)

    def wait_for(self, words: str) -> None:
        """Until an event has these words in it."""
        deadline = time.monotonic() + 10
        while words not in self.events.getvalue():
            assert time.monotonic() < deadline, self.events.getvalue()
            time.sleep(0.005)

    def finish(self) -> list[dict[str, Any]]:
        """All events but progress and heartbeats, once the worker has ended."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        lines = self.events.getvalue().splitlines()
        events = [json.loads(line[len(PREFIX) :]) for line in lines]
        return [event for event in events if event["event"] not in ("progress", "heartbeat")]


@pytest.fixture
def talk() -> Iterator[Talk]:
    conversation = Talk()
    yield conversation
    conversation.close_stdin()
    conversation.finish()


def outcomes(events: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return [(event["event"], event.get("id")) for event in events]


def test_cancel_stops_what_runs_and_the_worker_goes_on(talk: Talk) -> None:
    talk.segment(1)
    assert talk.session.started.get(timeout=10) == 1
    talk.send(id=2, command="cancel", target=1)
    talk.send(id=3, command="card", teacher="a")
    talk.segment(4)
    assert talk.session.started.get(timeout=10) == 4
    talk.session.let_go.set()
    talk.segment(5)
    assert talk.session.started.get(timeout=10) == 5
    talk.segment(1)  # the number is free again, and not cancelled any more
    assert talk.session.started.get(timeout=10) == 1
    talk.close_stdin()
    told = outcomes(talk.finish())
    assert told[:4] == [("hello", None), ("cancelled", 1), ("result", 3), ("result", 4)]


def test_cancel_takes_what_waits_out_of_the_line(talk: Talk) -> None:
    talk.segment(1)
    talk.session.started.get(timeout=10)
    talk.segment(2)
    talk.send(id=3, command="cancel", target=2)
    talk.send(id=4, command="cancel", target=99)  # answered at once: 3 has been heard by then
    talk.wait_for('"id": 4')
    talk.session.let_go.set()
    talk.send(id=5, command="card", teacher="a")
    talk.wait_for('"id": 5')
    talk.close_stdin()
    told = outcomes(talk.finish())
    assert told == [("hello", None), ("error", 4), ("result", 1), ("cancelled", 2), ("result", 5)]
    assert talk.session.started.empty()


def test_clicks_and_preparations_are_answered_and_cancelled_like_segmentations(talk: Talk) -> None:
    talk.send(id=1, command="prepare", input="i.nrrd", volume_key="k")
    assert talk.session.started.get(timeout=10) == 1
    talk.send(id=2, command="cancel", target=1)
    click = {"command": "click", "inside_lps": [[1, 2, 3]], "output": "o.nrrd"}
    talk.send(id=3, input="i.nrrd", **click)
    assert talk.session.started.get(timeout=10) == 3
    talk.send(id=4, command="cancel", target=3)
    talk.send(id=5, **click)
    talk.wait_for('"id": 5')
    talk.session.let_go.set()
    talk.send(id=6, input="i.nrrd", **click)
    talk.send(id=7, command="prepare", input="i.nrrd", volume_key="k")
    talk.wait_for('"id": 7, "geometry"')
    talk.close_stdin()
    _, *events = talk.finish()
    assert events[:2] == [{"event": "cancelled", "id": 1}, {"event": "cancelled", "id": 3}]
    assert events[2] == {
        "event": "error", "id": 5, "message": "The scan is needed.", "code": "scan_needed"
    }  # fmt: skip
    assert events[3] == {
        "event": "result", "id": 6, "found": True, "point": [[1, 2, 3]], "report": {}
    }  # fmt: skip
    assert outcomes(events[4:]) == [("result", 7)]


def test_a_number_is_free_again_as_soon_as_its_outcome_is_told(talk: Talk) -> None:
    talk.session.let_go.set()
    for turn in range(1, 200):
        talk.segment(1)
        deadline = time.monotonic() + 10
        while talk.events.getvalue().count('"event": "result"') < turn:
            assert time.monotonic() < deadline, talk.events.getvalue()


@pytest.mark.parametrize("how", ["quit", "end of stdin", "stop"])
def test_the_end_cancels_what_runs_and_what_waits(talk: Talk, how: str) -> None:
    talk.segment(1)
    talk.session.started.get(timeout=10)
    talk.segment(2)
    talk.send(id=9, command="cancel", target=99)  # once this is answered, 2 waits
    talk.wait_for('"id": 9')
    if how == "quit":
        talk.send(id=3, command="quit")
    elif how == "stop":
        talk.worker.stop()  # as the signal handler calls it
    else:
        talk.close_stdin()
    told = outcomes(talk.finish())
    assert told == [("hello", None), ("error", 9), ("cancelled", 1), ("cancelled", 2)]


def test_a_number_in_use_is_refused(talk: Talk) -> None:
    talk.segment(1)
    talk.session.started.get(timeout=10)
    talk.segment(1)
    talk.wait_for('"error"')
    talk.session.let_go.set()
    talk.send(id=2, command="card", teacher="a")
    talk.wait_for('"id": 2')
    talk.segment(1)  # free again
    talk.session.started.get(timeout=10)
    talk.close_stdin()
    told = outcomes(talk.finish())
    assert told[:4] == [("hello", None), ("error", None), ("result", 1), ("result", 2)]


def test_errors_are_sentences_and_the_worker_lives_on(
    talk: Talk, capfd: pytest.CaptureFixture[str]
) -> None:
    for number, teacher in enumerate(("wrong", "bug", "large", "gone", "fine")):
        talk.send(id=number, command="card", teacher=teacher)
    talk.wait_for('"id": 4')
    talk.close_stdin()
    _, wrong, bug, large, gone, fine = talk.finish()
    assert gone["message"] == (
        "/a/b.nrrd could not be used (No such file or directory): check its path."
    )
    assert wrong["message"] == "This teacher is wrong."
    assert bug["message"].startswith("An unexpected KeyError")
    assert "memory" in large["message"]
    assert fine["card"] == {"name": "fine"}
    assert "oops" in capfd.readouterr().err  # the log has the traceback


def test_progress_is_not_told_a_thousand_times(talk: Talk) -> None:
    talk.segment(1)
    talk.session.started.get(timeout=10)
    time.sleep(0.3)
    talk.close_stdin()
    talk.finish()
    told = [line for line in talk.events.getvalue().splitlines() if '"progress"' in line]
    assert 1 <= len(told) <= 10
    assert {"fraction", "phase", "id", "event"} == set(json.loads(told[0][len(PREFIX) :]))


def test_it_ends_when_nobody_listens_any_more() -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    worker = Worker(iter(()), Broken(), FakeSession())  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(("cores", "asked", "expected"), [(8, None, 7), (1, None, 1), (8, 3, 3)])
def test_one_core_is_left_to_slicer(
    monkeypatch: pytest.MonkeyPatch, cores: int, asked: int | None, expected: int
) -> None:
    given: list[int | None] = []
    monkeypatch.setattr(process.Cores, "of_this_process", lambda: Cores(cores, cores))
    monkeypatch.setattr(process, "Session", lambda threads: given.append(threads))
    monkeypatch.setattr(process, "_private_stdout", io.StringIO)
    monkeypatch.setattr(process, "_chunks", lambda descriptor: iter(()))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(fileno=lambda: 0))
    assert process.serve(threads=asked) == 0
    assert given == [expected]


def test_a_busy_worker_beats_and_counts_its_work(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk.worker, "_heart", Heartbeat(talk.worker._emit, seconds=0.02))
    talk.segment(7)
    talk.session.started.get(timeout=10)
    while talk.events.getvalue().count('"heartbeat"') < 5:
        time.sleep(0.01)
    talk.session.let_go.set()
    talk.wait_for('"result"')
    told = talk.events.getvalue()
    time.sleep(0.1)
    assert talk.events.getvalue() == told  # an idle worker is silent
    events = [json.loads(line[len(PREFIX) :]) for line in told.splitlines()]
    beats = [event for event in events if event["event"] == "heartbeat"]
    assert {frozenset(beat) for beat in beats} == {
        frozenset({"event", "id", "work", "cpu_seconds"})
    }
    assert {beat["id"] for beat in beats} == {7}
    for count in ("work", "cpu_seconds"):
        values = [beat[count] for beat in beats]
        assert values == sorted(values)
    assert beats[-1]["work"] > beats[0]["work"]


def test_a_stuck_worker_beats_without_counting() -> None:
    told: list[dict[str, Any]] = []
    heart = Heartbeat(told.append, seconds=0.01)
    with heart.beating(3):
        heart.advance()
        time.sleep(0.1)
    count = len(told)
    assert count >= 3
    assert {(beat["id"], beat["work"]) for beat in told} == {(3, 1)}
    time.sleep(0.05)
    assert len(told) == count


def test_a_gpu_that_fails_ends_the_worker_once_it_has_answered(talk: Talk) -> None:
    talk.segment(1)
    talk.session.started.get(timeout=10)
    talk.session.device_failed = True  # the CPU goes on with this one
    talk.segment(2)
    talk.send(id=9, command="cancel", target=99)  # once this is answered, 2 waits
    talk.wait_for('"id": 9')
    talk.session.let_go.set()
    _, _, result, waited = talk.finish()
    assert (result["event"], result["id"], result["device_failed"]) == ("result", 1, True)
    assert (waited["event"], waited["id"], waited["code"]) == ("error", 2, "device_failed")
    assert talk.codes == [EXIT_DEVICE_FAILED]


def test_a_gpu_asked_for_by_name_that_fails_is_told_by_its_code(talk: Talk) -> None:
    talk.send(id=1, command="card", teacher="broken")
    _, error = talk.finish()
    assert error == {
        "event": "error", "id": 1, "code": "device_failed",
        "message": "The device cuda:0 does not work.",
    }  # fmt: skip
    assert talk.codes == [EXIT_DEVICE_FAILED]
