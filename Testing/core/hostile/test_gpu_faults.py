"""A GPU that fails at the first window, in the middle or at the very last: no result is lost.

``cpu:0`` plays the GPU, and the network's copy there has the faults.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gsema_core.errors import DeviceFailedError
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import SegmentationResult, SegmentationSettings, Segmenter
from gsema_core.teachers import load_teacher

CPU, GPU = torch.device("cpu"), torch.device("cpu", 0)
FULL = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
LOST = RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors ...")
SETTINGS = SegmentationSettings(precision="fp32", skip_empty=False, threads=1)

MakeSegmenter = Callable[..., Segmenter]


@pytest.fixture(scope="module")
def small_scan(make_scan: Any) -> Volume:
    scan: Volume = make_scan(Geometry((60, 60, 40), (1.0, 1.0, 1.0)))[0]
    return scan


@pytest.fixture(scope="module")
def want(small_scan: Volume, teacher_file: Path) -> SegmentationResult:
    return Segmenter(load_teacher(teacher_file), "cpu").segment(small_scan, SETTINGS)


@pytest.fixture
def on_gpu(teacher_file: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSegmenter:
    """A segmenter on the GPU; from call number ``first`` on its windows raise an error."""
    monkeypatch.setattr(
        "gsema_core.inference.placement.resolve_device",
        lambda name: CPU if name == "cpu" else GPU,
    )

    def make(error: Exception, first: float, device: str = "auto") -> Segmenter:
        segmenter = Segmenter(load_teacher(teacher_file), device)
        original = segmenter.teacher.network
        calls = [0]

        def fault(module: nn.Module, inputs: tuple[Tensor]) -> None:
            if module is not original:
                calls[0] += 1
                if calls[0] >= first:
                    raise error

        original.register_forward_pre_hook(fault)
        segmenter._placement._try_wanted()  # the copy gets the fault too
        segmenter.calls = calls  # type: ignore[attr-defined]
        return segmenter

    return make


@pytest.fixture
def last_call(on_gpu: MakeSegmenter, small_scan: Volume) -> int:
    """How many calls a run without faults makes."""
    segmenter = on_gpu(FULL, first=float("inf"))
    assert segmenter.segment(small_scan, SETTINGS).report["notes"] == []
    return int(segmenter.calls[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [FULL, LOST], ids=["memory", "driver"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_any_window_may_fail(
    on_gpu: MakeSegmenter,
    last_call: int,
    small_scan: Volume,
    want: SegmentationResult,
    error: Exception,
    place: str,
) -> None:
    assert last_call >= 3
    first = {"first": 1, "middle": (last_call + 1) // 2, "last": last_call}[place]
    segmenter = on_gpu(error, first)
    got = segmenter.segment(small_scan, SETTINGS)
    np.testing.assert_array_equal(got.labels.array, want.labels.array)
    assert got.report["device"]["name"] == "cpu"
    assert got.report["notes"][-1].endswith(
        "the CPU did the rest." if error is FULL else "the CPU is used."
    )
    assert segmenter.device_failed == (error is LOST)


def test_a_gpu_asked_for_by_name_is_told_at_the_last_window_too(
    on_gpu: MakeSegmenter, last_call: int, small_scan: Volume
) -> None:
    segmenter = on_gpu(LOST, last_call, device="cuda")
    with pytest.raises(DeviceFailedError, match=r"unspecified launch failure.*use cpu"):
        segmenter.segment(small_scan, SETTINGS)
    assert segmenter.device_failed
