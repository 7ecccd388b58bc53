"""Disks that fill up, and processes that write over each other, in earnest."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gsema_core.files import atomic, read_labels
from gsema_core.files.atomic import one_at_a_time

SAVING = Path(__file__).parent / "saving.py"
PATIENCE_SECONDS = 300  # a busy machine


def wait_for(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.skipif(atomic.fcntl is None, reason="Windows has no such locks")
def test_two_processes_that_write_one_output_leave_one_whole_result(tmp_path: Path) -> None:
    """Whoever waits for a turn to look sees a label map and the report that belongs to it."""
    labels, report = tmp_path / "out.seg.nrrd", tmp_path / "out.json"

    def value_of_both() -> int:
        value = json.loads(report.read_text())["value"]
        assert (read_labels(labels).array == value).all()
        return int(value)

    started = [
        subprocess.Popen([sys.executable, str(SAVING), str(tmp_path), str(value), "15"])
        for value in (1, 2)
    ]
    seen = set()
    try:
        while any(process.poll() is None for process in started):
            with one_at_a_time(tmp_path):
                if report.exists():
                    seen.add(value_of_both())
            time.sleep(0.02)
    finally:
        wait_for(started)
    assert seen | {value_of_both()} == {1, 2}
    assert sorted(tmp_path.iterdir()) == [report, labels]


@pytest.mark.skipif(atomic.fcntl is None, reason="Windows has no such locks")
def test_a_process_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "TURN_SECONDS", 0.3)
    program = (
        "import sys, time\n"
        "from gsema_core.files.atomic import one_at_a_time\n"
        "with one_at_a_time(sys.argv[1]):\n"
        "    print('mine', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        started = time.monotonic()
        with one_at_a_time(tmp_path):  # the other one is stuck: it is waited for, but not forever
            assert time.monotonic() - started >= 0.3
        other.stdin.close()
        assert other.wait(PATIENCE_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_locked_nobody_is_waited_for(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path / "missing"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE plays the full disk")
@pytest.mark.parametrize(
    "name", ["labels.seg.nrrd", "labels.nrrd", "labels.nii", "labels.nii.gz", "labels.mha"]
)
def test_a_disk_that_takes_no_more_leaves_the_old_result(tmp_path: Path, name: str) -> None:
    """The system itself refuses to write on: neither ITK's nor Python's part of it is played."""
    program = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from gsema_core.errors import UserError\n"
        "from gsema_core.files import write_labels, write_volume\n"
        "from gsema_core.grids import Geometry, Volume\n"
        "values = np.random.default_rng(0).integers(0, 3, (64, 64, 64)).astype(np.uint8)\n"
        "labels = Volume(values, Geometry((64,) * 3))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "for write in (lambda p: write_labels(labels, p),\n"
        "              lambda p: write_volume(labels, p, compress=False)):\n"
        "    try:\n"
        "        write(sys.argv[1])\n"
        "    except UserError as error:\n"
        "        print(error)\n"
    )
    path = tmp_path / name
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    told = done.stdout.splitlines()
    assert len(told) == 2
    for line in told:
        assert line.startswith(f"Could not write {path}")
        assert "an older file of that name is unchanged." in line
    assert done.stderr == ""
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_slice_that_changes_while_its_series_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's own time does not change with the files in it."""
    from gsema_core.errors import UserError
    from gsema_core.inference import opening

    for name in ("1.dcm", "2.dcm"):
        (tmp_path / name).write_bytes(b"slice")

    def read_and_change(path: Path, series: int | None) -> object:
        (tmp_path / "2.dcm").write_bytes(b"another slice")
        return object()

    monkeypatch.setattr(opening, "read_volume", read_and_change)
    with pytest.raises(UserError, match="changed while it was read"):
        opening.read_scan(tmp_path)
