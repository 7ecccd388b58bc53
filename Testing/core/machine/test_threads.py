from __future__ import annotations

import pytest
import SimpleITK as sitk
import torch

from gsema_core.machine.threads import thread_limit


def test_threads_are_limited_and_given_back() -> None:
    def threads() -> tuple[int, int]:
        itk = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        return torch.get_num_threads(), itk

    before = threads()
    with pytest.raises(RuntimeError), thread_limit(3):
        assert threads() == (3, 3)
        raise RuntimeError
    assert threads() == before
    with thread_limit(None):
        assert threads() == before
