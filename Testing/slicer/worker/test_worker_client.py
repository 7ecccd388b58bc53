"""The worker process: kept between requests, gone when it shall be, never left behind."""

from __future__ import annotations

import os
import signal
import time

import pytest


@pytest.fixture
def make_client(scene, segmentation_module, fake_worker):
    from GSEMASegmentationLib.worker.WorkerClient import WorkerClient

    clients = []

    def make(mode, **named):
        clients.append(WorkerClient(fake_worker(mode), **named))
        return clients[-1]

    yield make
    for client in clients:
        client.stop()


def submit(client, tmp_path, outcomes, progress=None):
    return client.submit(
        "segment",
        outcomes.append,
        (lambda *step: progress.append(step)) if progress is not None else (lambda *step: None),
        input=str(tmp_path / "in.nrrd"),
        output=str(tmp_path / "out.nrrd"),
        teacher="default",
    )


@pytest.fixture
def volume_file(tmp_path):
    header = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n"
    (tmp_path / "in.nrrd").write_bytes(header.encode() + bytes(8))
    return tmp_path


def test_progress_then_one_result(make_client, volume_file, spin):
    client, outcomes, progress = make_client("good"), [], []
    submit(client, volume_file, outcomes, progress)
    spin(lambda: outcomes)
    assert [outcome.kind for outcome in outcomes] == ["result"]
    assert outcomes[0].data["report"] == {"teacher": "default"}
    assert progress[0] == (0.1, "Reading the scan")
    assert progress[-1] == (1.0, "Writing the result")


def test_an_idle_worker_quits_when_asked(gone, make_client, volume_file, spin):
    client, outcomes = make_client("good"), []
    submit(client, volume_file, outcomes)
    spin(lambda: outcomes)
    pid = client.pid
    started = time.monotonic()
    client.stop()
    assert time.monotonic() - started < 1.0  # by itself, not by a kill
    assert (client.isRunning, client.pid, gone(pid)) == (False, None, True)


def test_a_busy_worker_is_ended_with_its_request(gone, make_client, volume_file, spin):
    client, outcomes, progress = make_client("stubborn"), [], []
    submit(client, volume_file, outcomes, progress)
    spin(lambda: len(progress) > 3)
    pid = client.pid
    client.stop()
    assert [outcome.kind for outcome in outcomes] == ["cancelled"]
    assert gone(pid)


def test_a_worker_killed_from_outside_is_an_error_and_the_next_request_starts_anew(
    make_client, volume_file, spin
):
    client, outcomes, progress = make_client("slow"), [], []
    submit(client, volume_file, outcomes, progress)
    spin(lambda: len(progress) > 3)
    first = client.pid
    os.kill(first, signal.SIGKILL)
    spin(lambda: outcomes)
    assert outcomes[0].kind == "error"
    assert "crashed or was killed" in outcomes[0].message
    request = submit(client, volume_file, outcomes, progress)
    spin(lambda: client.pid not in (None, first))
    client.cancel(request)
    spin(lambda: len(outcomes) == 2)
    assert outcomes[1].kind == "cancelled"


def test_a_worker_that_ignores_the_cancellation_is_killed_in_time(
    gone, make_client, volume_file, spin
):
    client, outcomes, progress = make_client("stubborn", graceMs=200), [], []
    request = submit(client, volume_file, outcomes, progress)
    spin(lambda: len(progress) > 3)
    pid = client.pid
    client.cancel(request)
    client.cancel(request)  # twice is not more
    spin(lambda: outcomes, seconds=1.0)
    assert outcomes[0].kind == "cancelled"
    spin(lambda: gone(pid), seconds=1.0)


def test_the_log_goes_on_and_stays_bounded(make_client, volume_file, spin):
    from GSEMASegmentationLib.worker.WorkerClient import LOG_LINES

    lines = []
    client, outcomes = make_client("exit", onLog=lines.append), []
    client.log.extend(["old"] * 3 * LOG_LINES)
    submit(client, volume_file, outcomes)
    spin(lambda: outcomes)
    assert lines == ["ValueError: something deep inside"]
    assert len(client.log) == LOG_LINES
