"""Conversations with a real worker process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np
import pytest

from gsema_core import __version__
from gsema_core.files import read_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM
from gsema_core.worker.protocol import MAXIMUM_LINE_BYTES, PREFIX

PATIENCE_SECONDS = 120  # the first request imports torch, on a busy machine


class Process:
    """A worker process; its lines come through a queue, so that no test hangs."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gsema_core.worker", "--threads", "1", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.lines: Queue[bytes | None] = Queue()
        self.log: list[bytes] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def send_bytes(self, content: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def send(self, **request: Any) -> None:
        self.send_bytes(json.dumps(request).encode() + b"\n")

    def event(self) -> dict[str, Any]:
        """The next event; every line must be one."""
        try:
            line = self.lines.get(timeout=PATIENCE_SECONDS)
        except Empty:
            raise AssertionError(b"".join(self.log).decode()) from None
        assert line is not None, b"".join(self.log).decode()
        assert line.startswith(PREFIX.encode())
        event: dict[str, Any] = json.loads(line[len(PREFIX) :])
        return event

    def answer(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The event that ends a request, and the progress before it."""
        progress = []
        while (event := self.event())["event"] in ("progress", "heartbeat"):
            progress += [event] if event["event"] == "progress" else []
        return event, progress

    def ended(self) -> int:
        """The exit code, once the process has ended."""
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Process]:
    """One process for all tests that leave it as they found it: it imports torch only once."""
    process = Process()
    hello = process.event()
    assert hello == {
        "event": "hello", "pid": process.process.pid, "protocol": 3, "version": __version__
    }  # fmt: skip
    yield process
    process.send(id=1000, command="quit")
    assert process.ended() == 0
    process.stop()


@pytest.fixture
def fresh() -> Iterator[Process]:
    process = Process()
    assert process.event()["event"] == "hello"
    yield process
    process.stop()


def test_segment_with_progress(
    shared: Process, tmp_path: Path, scan_file: Path, teacher_file: Path
) -> None:
    folder = tmp_path / 'with space\'s "quotes" 动脉瘤 تمدد'
    folder.mkdir()
    output = folder / "labels.nrrd"
    shared.send(
        id=1, command="segment", input=str(scan_file), output=str(output),
        teacher=str(teacher_file), device="cpu", volume_key="a:1",
    )  # fmt: skip
    result, progress = shared.answer()
    assert (result["event"], result["id"]) == ("result", 1), result
    fractions = [event["fraction"] for event in progress]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert {"Segmenting", "Writing the result"} <= {event["phase"] for event in progress}
    labels = read_labels(output)
    assert (labels.array == ANEURYSM).sum() == result["aneurysms"][0]["voxels"] > 500
    assert result["report"]["teacher"]["name"] == "tiny"


def test_prepare_and_click(
    shared: Process, tmp_path: Path, scan_file: Path, scan: Volume, teacher_file: Path
) -> None:
    common = {"volume_key": "b:1", "teacher": str(teacher_file), "device": "cpu"}
    copy = tmp_path / "copy.nrrd"
    copy.write_bytes(scan_file.read_bytes())
    shared.send(id=20, command="prepare", input=str(copy), **common)
    prepared, progress = shared.answer()
    assert prepared["event"] == "result", prepared
    assert prepared["geometry"]["size"] == list(scan.geometry.size)
    assert list(dict.fromkeys(event["phase"] for event in progress)) == [
        "Reading the scan", "Loading the model", "Preparing the scan"
    ]  # fmt: skip
    copy.unlink()

    output = tmp_path / "click.nrrd"
    middle = np.add(scan.geometry.center, [6.0, 0.0, 2.0])
    click = {"command": "click", "output": str(output), **common}
    shared.send(id=21, inside_lps=[[float(value) for value in middle]], **click)
    result, _ = shared.answer()
    assert (result["event"], result["found"], result["windows"]) == ("result", True, 1), result
    off = np.subtract(result["aneurysm"]["centroid_lps"], middle)
    assert np.linalg.norm(off) < 0.3  # voxels: 0.6 mm
    assert result["probability"] > 0.9
    labels = read_labels(output)
    assert (labels.array == ANEURYSM).sum() == result["aneurysm"]["voxels"]
    assert list(labels.geometry.size) == result["box"]["size_ijk"]
    assert list(tmp_path.iterdir()) == [output]

    output.unlink()
    away = np.add(scan.geometry.center, [-9.0, 3.0, -5.0])
    shared.send(id=22, inside_lps=[[float(value) for value in away]], **click)
    result, _ = shared.answer()
    assert (result["event"], result["found"]) == ("result", False)
    assert result["message"].startswith("There is no aneurysm at R ")
    assert np.linalg.norm(np.subtract(result["highest_lps"], middle)) < 6.0
    assert list(tmp_path.iterdir()) == []


def test_clicks_that_cannot_be_done(
    shared: Process, tmp_path: Path, scan_file: Path, teacher_file: Path
) -> None:
    click = {"command": "click", "output": str(tmp_path / "o.nrrd"), "teacher": str(teacher_file)}
    shared.send(id=30, inside_lps=[[0, 0, 0]], volume_key="unknown", **click)
    shared.send(id=31, inside_lps=[[1e5, 0, 0]], input=str(scan_file), **click)
    shared.send(id=32, inside_lps=[[0, 0]], input=str(scan_file), **click)
    shared.send_bytes(
        b'{"id": 33, "command": "click", "inside_lps": [[NaN, 0, 0]], "output": "o"}\n'
    )
    answers = {answer["id"]: answer for answer in (shared.answer()[0] for _ in range(4))}
    assert {answer["event"] for answer in answers.values()} == {"error"}
    assert {answer.get("code") for answer in answers.values()} == {None, "scan_needed"}
    assert answers[30]["code"] == "scan_needed"
    assert "outside the scan" in answers[31]["message"]
    assert "3 numbers" in answers[32]["message"]
    assert "not" in answers[None]["message"]
    assert list(tmp_path.iterdir()) == []


def test_cancel_while_it_runs(
    shared: Process, tmp_path: Path, make_scan: Any, teacher_file: Path
) -> None:
    """A scan of a thousand windows would take minutes: the answer comes after a few."""
    large = tmp_path / "large.nrrd"
    image = np.zeros((200, 200, 200), dtype=np.int16)
    image[::7, ::11] = np.arange(29 * 19 * 200).reshape(29, 19, 200) % 900
    write_volume(Volume(image, Geometry((200,) * 3, (0.8,) * 3)), large)
    output = tmp_path / "out.nrrd"
    shared.send(
        id=2, command="segment", input=str(large), output=str(output),
        teacher=str(teacher_file), device="cpu",
        settings={"overlap": 0.8, "precision": "fp32", "refuse_implausible": False},
    )  # fmt: skip
    while shared.event().get("phase") != "Segmenting":
        pass
    waiting = {"input": str(large), "inside_lps": [[80, 80, 80]], "output": str(output)}
    shared.send(id=4, command="click", teacher=str(teacher_file), device="cpu", **waiting)
    shared.send(id=5, command="cancel", target=4)
    shared.send(id=3, command="cancel", target=2)
    answer, progress = shared.answer()
    assert answer == {"event": "cancelled", "id": 2}
    assert shared.answer()[0] == {"event": "cancelled", "id": 4}
    assert all(event["fraction"] < 0.9 for event in progress)
    assert list(tmp_path.iterdir()) == [large]


def test_nonsense_is_answered_and_survived(shared: Process, tmp_path: Path) -> None:
    shared.send_bytes(b"good morning\n\x80\xff\n[]\n")
    shared.send_bytes(b'{"id": 4, "command": "' + b"x" * (MAXIMUM_LINE_BYTES + 10) + b'"}\n')
    shared.send(id=5, command="dance")
    shared.send(id=6, command="segment", input=1, output=2)
    shared.send(id=7, command="cancel", target=12345)
    shared.send(id=8, command="segment", input="none.nrrd", output=str(tmp_path / "o.nrrd"))
    answers = [shared.answer()[0] for _ in range(8)]
    assert {answer["event"] for answer in answers} == {"error"}
    assert [answer["id"] for answer in answers] == [None] * 4 + [5, 6, 7, 8]
    assert "1 MB" in answers[3]["message"]
    assert all(answer["message"].endswith(".") for answer in answers)
    shared.send(id=9, command="devices")
    assert shared.answer()[0]["devices"][-1]["name"] == "cpu"


def test_what_libraries_print_does_not_reach_the_events(tmp_path: Path) -> None:
    """Python's print, and a C library's write to descriptor 1, end up in the log."""
    program = (
        "import os, sys\n"
        "from gsema_core.worker import process, session\n"
        "def card(self, request):\n"
        "    print('loud library'); os.write(1, b'louder library\\n'); os.system('echo child')\n"
        "    return {'card': {}}\n"
        "session.Session.card = card\n"
        "sys.exit(process.serve())\n"
    )
    requests = b'{"id": 1, "command": "card"}\n'
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdin is not None and run.stdout is not None
    run.stdin.write(requests)
    run.stdin.flush()
    lines = [run.stdout.readline() for _ in range(2)]
    rest, log = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0
    assert [json.loads(line[len(PREFIX) :])["event"] for line in lines] == ["hello", "result"]
    assert rest == b""
    for words in (b"loud library", b"louder library", b"child"):
        assert words in log


def test_end_of_stdin_ends_it(fresh: Process) -> None:
    assert fresh.process.stdin is not None
    fresh.process.stdin.close()
    assert fresh.ended() == 0
    assert fresh.lines.get(timeout=PATIENCE_SECONDS) is None
    assert b"".join(fresh.log) == b""


def test_quit_ends_it_with_stdin_still_open(fresh: Process) -> None:
    fresh.send(id=1, command="quit")
    assert fresh.ended() == 0
    assert b"".join(fresh.log) == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_sigterm_ends_it_cleanly(fresh: Process) -> None:
    fresh.process.send_signal(signal.SIGTERM)
    assert fresh.ended() == 0
    assert b"".join(fresh.log) == b""


def test_preload_says_ready_or_why_not(teacher_file: Path) -> None:
    process = Process("--preload", str(teacher_file), "--device", "cpu")
    try:
        assert process.event()["event"] == "hello"
        ready, _ = process.answer()
        assert ready == {"event": "ready", "teacher": str(teacher_file), "device": "cpu"}
    finally:
        process.stop()
    process = Process("--preload", "nobody")
    try:
        assert process.event()["event"] == "hello"
        error, _ = process.answer()
        assert (error["event"], error["id"]) == ("error", None)
        assert "nobody" in error["message"]
    finally:
        process.stop()
