"""Work by several processes: the same results in the same order, and an end that is told."""

from __future__ import annotations

import math
import os
import signal

import pytest
import SimpleITK as sitk

from gsema_core.errors import UserError
from gsema_core.machine.processes import in_processes


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


def test_an_error_comes_through() -> None:
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        list(in_processes(math.sqrt, [1, -1, 2], 2))


def test_a_process_that_was_ended_is_told_in_a_sentence() -> None:
    with pytest.raises(UserError, match="One of the 2 processes at work was ended"):
        list(in_processes(os._exit, [1, 1], 2))
