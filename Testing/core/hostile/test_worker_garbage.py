"""A worker that is sent anything but what it expects, and a client that goes away."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gsema_core.errors import UserError
from gsema_core.inference import Monitor
from gsema_core.worker.process import Worker
from gsema_core.worker.protocol import COMMANDS, MAXIMUM_LINE_BYTES, PREFIX

PATIENCE_SECONDS = 300  # a busy machine
ENDINGS = {"result", "error", "cancelled"}


class BusySession:
    """Works for a few looks at the cancel button; some requests go wrong."""

    device_failed = False

    def _work(self, request: Any, monitor: Monitor) -> dict[str, Any]:
        with monitor.phase("windows"):
            for _ in range(3):
                monitor.check()
        if request.id % 7 == 3:
            raise UserError("This scan is wrong: choose another.")
        return {}

    segment = prepare = click = _work

    def card(self, request: Any) -> dict[str, Any]:
        return {"card": {}}

    def devices(self, request: Any) -> dict[str, Any]:
        return {"devices": []}


def conversation(content: bytes, size: int) -> list[dict[str, Any]]:
    """All that a worker says to a stream that comes in chunks of a size."""

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    events = StringIO()
    worker = Worker(chunks(), events, BusySession())  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    lines = events.getvalue().splitlines()
    assert all(line.startswith(PREFIX) for line in lines)
    return [json.loads(line[len(PREFIX) :]) for line in lines]


def random_line(chance: random.Random) -> bytes:
    """A request, or something like one."""
    values: dict[str, Any] = {
        "id": chance.choice([chance.randrange(40), 1, -1, "1", None, 1.5, True, 2**70]),
        "command": chance.choice([*COMMANDS, "dance", None, ["segment"], ""]),
    }
    if values["command"] == "quit":
        values["command"] = "devices"
    for name in ("input", "output", "target", "inside_lps", "volume_key", "settings"):
        if chance.random() < 0.5:
            values[name] = chance.choice(
                ["a.nrrd", 3, [[1, 2, 3]], [1, 2], None, {}, "../x", "\ud800", True, 1e999, "\0"]
            )
    line = json.dumps(values).encode()
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        at = chance.randrange(len(line) + 1)
        line = line[:at] + chance.choice([b"\xff", b"\0", b"{", b'"', b"", b"\r"]) + line[at + 1 :]
    return chance.choice([line] * 8 + [b"", chance.randbytes(30).replace(b"\n", b"")]) + b"\n"


@pytest.mark.parametrize("seed", range(4))
def test_every_request_gets_exactly_one_answer_whatever_comes_between(seed: int) -> None:
    chance = random.Random(seed)
    lines = [random_line(chance) for _ in range(200)]
    lines.insert(77, b"x" * (MAXIMUM_LINE_BYTES + 5) + b"\n")
    events = conversation(b"".join(lines), chance.choice([1000, 65536]))
    hello, *rest = events
    assert hello["event"] == "hello"
    assert {event["event"] for event in rest} <= ENDINGS | {"progress", "heartbeat"}
    answers = [event for event in rest if event["event"] in ENDINGS]
    # A cancel that meets its target answers through it; everything else has an answer of its own.
    cancels = sum(b'"command": "cancel"' in line for line in lines)
    assert len(lines) - cancels <= len(answers) <= len(lines)
    for event in answers:
        if event["event"] == "error":
            assert event["message"].endswith(".")
            assert len(event["message"]) < 400
            assert event["message"].isprintable()


def test_requests_that_come_while_one_runs_wait_for_their_turn() -> None:
    segment = {"command": "segment", "input": "i.nrrd", "output": "o.nrrd"}
    lines = [json.dumps({"id": number, **segment}).encode() + b"\n" for number in (1, 2, 4, 5)]
    lines += [
        b'{"id": 6, "command": "devices"}\n',
        b'{"id": 9, "command": "cancel", "target": 8}\n',
    ]
    answers = [e for e in conversation(b"".join(lines), 10**6) if e["event"] in ENDINGS]
    told = Counter(event["id"] for event in answers)
    assert told == Counter([1, 2, 4, 5, 6, 9])
    order = [event["id"] for event in answers if event["id"] != 9]
    assert order == [1, 2, 4, 5, 6]


def test_a_request_that_ends_in_the_middle_is_not_done() -> None:
    whole = b'{"id": 1, "command": "devices"}\n'
    cut = b'{"id": 2, "command": "devices"}'  # valid, but without its line's end
    assert [event.get("id") for event in conversation(whole + cut, 7)] == [None, 1]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gsema_core.worker", "--threads", "1"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as running:  # type: ignore[call-overload]
        assert running.stdout.readline().startswith(PREFIX.encode())
        yield running
        running.kill()


def test_a_client_that_goes_away_ends_the_worker(process: Any) -> None:
    process.stdout.close()
    process.stdin.write(b'{"id": 1, "command": "dance"}\n' * 3)
    process.stdin.flush()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert process.stderr.read() == b""


def test_megabytes_of_garbage_and_then_a_request(process: Any) -> None:
    garbage = random.Random(3).randbytes(3 * 2**20) + b"\n"
    threading.Thread(target=process.stdout.peek, daemon=True).start()
    sender = threading.Thread(
        target=lambda: (
            process.stdin.write(garbage + b'{"id": 77, "command": "quit"}\n'),
            process.stdin.flush(),
        )
    )
    sender.start()
    said = process.stdout.read()
    sender.join(PATIENCE_SECONDS)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert process.stderr.read() == b""
    events = [json.loads(line[len(PREFIX) :]) for line in said.splitlines()]
    assert {event["event"] for event in events} == {"error"}
    assert {event["id"] for event in events} == {None}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_sigterm_while_it_works_leaves_no_file(
    process: Any, tmp_path: Path, scan_file: Path, teacher_file: Path
) -> None:
    output = tmp_path / "out" / "labels.nrrd"
    output.parent.mkdir()
    output.write_text("old")
    request = {
        "id": 1, "command": "segment", "input": str(scan_file), "output": str(output),
        "teacher": str(teacher_file), "device": "cpu",
        "settings": {"overlap": 0.9, "skip_empty": False, "precision": "fp32"},
    }  # fmt: skip
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    events: list[dict[str, Any]] = []
    for line in process.stdout:
        events.append(json.loads(line[len(PREFIX) :]))
        if events[-1].get("phase") == "Segmenting" and len(events) > 3:
            process.send_signal(signal.SIGTERM)
            break
    events += [json.loads(line[len(PREFIX) :]) for line in process.stdout]
    assert events[-1] == {"event": "cancelled", "id": 1}
    assert process.wait(PATIENCE_SECONDS) == 0
    assert output.read_text() == "old"
    assert list(output.parent.iterdir()) == [output]
