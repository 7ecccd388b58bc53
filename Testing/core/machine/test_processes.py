"""Work by several processes: the same results in the same order, and an end that is told."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import SimpleITK as sitk

from gsema_core.errors import Cancelled, UserError
from gsema_core.machine.processes import Crew, in_processes
from gsema_core.stop_signals import STOPPING


def threads_and_ctrl_c(_: int) -> tuple[int, bool]:
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), ignored


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order(jobs: int) -> None:
    assert list(in_processes(abs, [-3, 1, -2, 5], jobs)) == [3, 1, 2, 5]


def test_each_process_has_one_thread_and_leaves_ctrl_c_to_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "2")
    assert list(in_processes(threads_and_ctrl_c, [0, 1, 2], 2)) == [(1, True)] * 3


def test_what_asks_their_parent_to_stop_does_not_end_deaf_processes() -> None:
    """A cluster sends it to all processes of a job; the parent still needs what they make."""
    with Crew(abs, 1, "at work", "do so", deaf=True) as crew:
        assert list(crew.results([-1])) == [1]
        for number in STOPPING:
            os.kill(crew.pids[0], number)
        assert list(crew.results([-2])) == [2]


def test_an_error_comes_through() -> None:
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        list(in_processes(math.sqrt, [1, -1, 2], 2))


def test_a_process_that_was_ended_is_told_in_a_sentence() -> None:
    with pytest.raises(UserError, match="One of the 2 processes at work was ended"):
        list(in_processes(os._exit, [1, 1], 2))


def long_work(_: int) -> None:
    time.sleep(1000)


def test_waiting_ends_when_asked_and_nobody_is_left() -> None:
    asked = iter([False] * 3 + [True] * 100)
    with Crew(long_work, 2, "at work", "wait") as crew:
        pids = crew.pids
        with pytest.raises(Cancelled):
            list(crew.results([1, 2, 3], lambda: next(asked)))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_one_process_is_stopped_between_two_things() -> None:
    results = in_processes(abs, [-1, -2], 1, lambda: done == [1])
    done: list[int] = []
    done.append(next(results))
    with pytest.raises(Cancelled):
        next(results)


def test_processes_that_cannot_be_started_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(UserError, match=r"The 2 processes at work could not be started \(Resource"):
        Crew(abs, 2, "at work", "wait", start="fork")


def unlike(number: int) -> int:
    class Own(Exception):
        pass

    raise Own(f"not {number}")


def test_an_error_of_a_type_that_does_not_travel_is_told_too() -> None:
    with (
        Crew(unlike, 1, "at work", "wait") as crew,
        pytest.raises(RuntimeError, match="not 7") as told,
    ):
        list(crew.results([7]))
    assert "in unlike" in str(told.value.__cause__)


def slow_first(number: int) -> int:
    time.sleep(0.3 if number == 0 else 0)
    return number


def test_no_more_results_wait_than_may() -> None:
    with Crew(slow_first, 2, "at work", "wait") as crew:
        assert list(crew.results(range(9), ahead=2)) == list(range(9))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_processes_end_with_the_one_that_they_work_for(tmp_path: Path) -> None:
    """However it ends; a fork has its siblings' pipes, which must not keep it waiting."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, time\n"
        "from gsema_core.machine.processes import Crew\n"
        "with Crew(abs, 3, 'at work', 'wait', start='fork', deaf=True) as crew:\n"
        "    list(crew.results([1, 2, 3]))\n"
        "    print(*crew.pids, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 3
    for pid in pids:
        for _ in range(300):
            if not Path(f"/proc/{pid}").exists() or "Z" in _state(pid):
                break
            time.sleep(0.1)
        else:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"process {pid} waits for ever")


def test_a_program_ends_although_nobody_closed_its_processes(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from gsema_core.machine.processes import Crew\n"
        "crew = Crew(abs, 2, 'at work', 'wait', start='fork', deaf=True)\n"
        "results = crew.results([1, 2, 3])\n"
        "print(next(results))\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"1\n"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"
