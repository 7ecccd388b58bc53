from __future__ import annotations

import pytest
import SimpleITK as sitk
import torch

from gsema_core.machine import threads
from gsema_core.machine.cores import Cores
from gsema_core.machine.threads import thread_limit


def test_threads_are_limited_and_given_back() -> None:
    def both() -> tuple[int, int]:
        itk = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        return torch.get_num_threads(), itk

    before = both()
    with pytest.raises(RuntimeError), thread_limit(3):
        assert both() == (3, 3)
        raise RuntimeError
    assert both() == before


def test_open_threads_are_those_of_the_block_around(monkeypatch: pytest.MonkeyPatch) -> None:
    with thread_limit(3), thread_limit(None):
        assert torch.get_num_threads() == 3
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    monkeypatch.setattr(threads.Cores, "of_this_process", lambda: Cores(8, 8, quota=2.0))
    monkeypatch.setattr(threads.os, "environ", {})
    with thread_limit(None), thread_limit(None):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 4
    torch.set_num_threads(before)
