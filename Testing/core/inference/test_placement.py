"""A GPU that fails: ``cpu:0`` plays it, and the network's copy there has the faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gsema_core.errors import DeviceFailedError, UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.inference import SegmentationSettings, Segmenter
from gsema_core.inference.placement import CPU, GPU_BATCH, Placement
from gsema_core.teachers import load_teacher

GPU = torch.device("cpu", 0)  # equals CPU nowhere but in what it can do
NO_KERNEL = RuntimeError(
    "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors ..."
)
FULL = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
CUBLAS_FULL = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gsema_core.inference.placement.resolve_device",
        lambda name: CPU if name == "cpu" else GPU,
    )


class Pointwise(nn.Module):
    """Logits from the voxel alone; on the GPU, ``fault`` may raise.

    Attributes:
        ran: batch and whether on the GPU, of each call.
    """

    def __init__(self, fault: Callable[[int, int], None] = lambda call, batch: None) -> None:
        super().__init__()
        self.fault = fault
        self.on_gpu = False
        self.ran: list[tuple[int, bool]] = []

    def __deepcopy__(self, memo: Any) -> Pointwise:
        other = Pointwise(self.fault)
        other.on_gpu, other.ran = True, self.ran
        return other

    def forward(self, image: Tensor) -> Tensor:
        if self.on_gpu:
            self.fault(len(self.ran), len(image))
        self.ran.append((len(image), self.on_gpu))
        return torch.cat([torch.zeros_like(image), image, 2 * image], dim=1)


PATCHES = torch.rand((4, 1, 4, 4, 4), generator=torch.Generator().manual_seed(1))


def expected() -> Tensor:
    return torch.softmax(Pointwise()(PATCHES), dim=1)


def failing(error: Exception, *, above: int = 0, after: int = 0) -> Callable[[int, int], None]:
    def fault(call: int, batch: int) -> None:
        if batch > above and call >= after:
            raise error

    return fault


def test_all_is_well() -> None:
    network = Pointwise()
    placement = Placement(network)
    assert torch.equal(placement.probabilities(PATCHES, "fp32"), expected())
    assert network.ran == [(GPU_BATCH, True)]
    assert placement.device == GPU != CPU
    assert placement.notes == []


@pytest.mark.parametrize("error", [FULL, CUBLAS_FULL])
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_smaller_batches_where_the_memory_is_short(device: str, error: Exception) -> None:
    network = Pointwise(failing(error, above=1))
    placement = Placement(network, device)
    assert torch.equal(placement.probabilities(PATCHES, "fp32"), expected())
    assert network.ran == [(1, True)] * 4
    assert placement.device == GPU
    assert placement.notes == [
        "The GPU's memory was short: 2 window(s) at once.",
        "The GPU's memory was short: 1 window(s) at once.",
    ]
    placement.begin()
    assert (placement.batch, placement.notes) == (GPU_BATCH, [])


@pytest.mark.parametrize("device", ["auto", "cuda"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_the_cpu_where_it_does_not_suffice_at_all(device: str, after: int) -> None:
    network = Pointwise(failing(FULL, after=after))
    placement = Placement(network, device)
    for number in range(4):  # windows one by one: the fault comes at any of them
        one = placement.probabilities(PATCHES[number : number + 1], "fp32")
        assert torch.equal(one, expected()[number : number + 1])
    assert [on_gpu for _, on_gpu in network.ran] == [True] * after + [False] * (4 - after)
    assert placement.device == CPU
    assert placement.notes[-1] == "The GPU's memory did not suffice: the CPU did the rest."
    placement.begin()  # another scan may be smaller
    assert placement.device == GPU


@pytest.mark.parametrize("after", [0, 2])
def test_a_driver_error_is_for_good(after: int) -> None:
    network = Pointwise(failing(NO_KERNEL, after=after))
    placement = Placement(network)
    for number in range(4):
        one = placement.probabilities(PATCHES[number : number + 1], "fp32")
        assert torch.equal(one, expected()[number : number + 1])
    assert placement.device == CPU
    (note,) = placement.notes
    assert note.endswith("(CUDA error: no kernel image is available for execution on the device): "
                         "the CPU is used.")  # fmt: skip
    placement.begin()
    assert (placement.device, placement.notes) == (CPU, [note])
    assert placement.failed


def test_a_device_asked_for_by_name_is_not_left() -> None:
    placement = Placement(Pointwise(failing(NO_KERNEL)), "cuda")
    with pytest.raises(DeviceFailedError, match=r"does not work \(CUDA error: no kernel.*use cpu"):
        placement.probabilities(PATCHES, "fp32")
    assert placement.failed


@pytest.mark.parametrize("error", [NO_KERNEL, FULL, CUBLAS_FULL, RuntimeError("")])
def test_a_device_that_fails_at_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: object, **__: object) -> Tensor:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("gsema_core.inference.placement.torch.zeros", refuse)
        placement = Placement(Pointwise())
        assert placement.device == CPU
        assert len(placement.notes) == 1
        assert not placement.failed  # a new process would meet the same
        if error not in (FULL, CUBLAS_FULL):
            with pytest.raises(UserError, match="does not work"):
                Placement(Pointwise(), "cuda")
    assert torch.equal(placement.probabilities(PATCHES, "fp32"), expected())


def test_an_error_on_the_cpu_is_not_hidden() -> None:
    class Broken(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Placement(Broken(), "cpu").probabilities(PATCHES, "fp32")


def test_a_whole_scan_survives_and_the_report_tells(
    teacher_file: Path, make_scan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan: Volume = make_scan(Geometry((60, 60, 40), (1.0, 1.0, 1.0)))[0]
    settings = SegmentationSettings(precision="fp32", skip_empty=False)
    want = Segmenter(load_teacher(teacher_file), "cpu").segment(scan, settings)
    assert want.report["notes"] == []
    segmenter = Segmenter(load_teacher(teacher_file), "auto")
    calls: list[int] = []

    def fault(module: nn.Module, inputs: tuple[Tensor]) -> None:
        if module is not segmenter.teacher.network:
            calls.append(len(inputs[0]))
            if len(calls) > 2:
                raise FULL

    segmenter.teacher.network.register_forward_pre_hook(fault)
    segmenter._placement._try_wanted()  # the copy gets the fault too
    got = segmenter.segment(scan, settings)
    np.testing.assert_array_equal(got.labels.array, want.labels.array)
    assert calls == [4, 4, 4, 2, 1]
    assert len(got.report["notes"]) == 3
    assert got.report["device"]["name"] == "cpu"
