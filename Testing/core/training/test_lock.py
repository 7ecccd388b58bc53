"""One run a folder; the lock of a killed run is gone with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.training.lock import held, holder

HOLD = (
    "import sys, time; from pathlib import Path; from gsema_core.training.lock import held\n"
    "with held(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def other_run(tmp_path: Path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_and_told_whose_the_folder_is(tmp_path, other_run):
    with pytest.raises(UserError, match=f"process {other_run.pid}"), held(tmp_path):
        pass
    assert holder(tmp_path) == other_run.pid


def test_a_killed_run_leaves_no_lock(tmp_path, other_run):
    other_run.kill()
    other_run.wait()
    assert holder(tmp_path) is None
    with held(tmp_path):
        assert holder(tmp_path) == os.getpid()
    assert holder(tmp_path) is None


def test_the_own_process_is_refused_too(tmp_path):
    with held(tmp_path):
        with pytest.raises(UserError, match=f"process {os.getpid()}"), held(tmp_path):
            pass
        assert holder(tmp_path) == os.getpid()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_children_do_not_inherit_it(tmp_path):
    """The processes that prepare patches outlive a killed run by seconds."""
    code = HOLD.replace("print(", "import os; os.fork() or time.sleep(600); print(")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "held\n"  # said by the parent, the child sleeps
        process.kill()
        process.wait()
        assert holder(tmp_path) is None
        os.killpg(process.pid, 9)


def test_a_folder_without_a_lock_is_nobodys(tmp_path):
    assert holder(tmp_path) is None
    assert holder(tmp_path / "missing") is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match="missing cannot be written to"), held(tmp_path / "missing"):
        pass
