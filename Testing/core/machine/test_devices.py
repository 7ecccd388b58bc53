from __future__ import annotations

import pytest
import SimpleITK as sitk
import torch

from gsema_core.errors import UserError
from gsema_core.machine import available_devices, resolve_device
from gsema_core.machine.devices import autocast_type, thread_limit

CPU = torch.device("cpu")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3 << 30, 4 << 30))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Model {device.index}")


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu() -> None:
    assert resolve_device("auto") == resolve_device("cpu") == CPU
    assert [device["name"] for device in available_devices()] == ["cpu"]
    for name in ("cuda", "cuda:0"):
        with pytest.raises(UserError, match=f"no device {name} here: use auto or one of cpu"):
            resolve_device(name)


@pytest.mark.usefixtures("two_gpus")
def test_with_two_gpus() -> None:
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda", 0)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    assert resolve_device("cpu") == CPU
    with pytest.raises(UserError, match="use auto or one of cuda:0, cuda:1, cpu"):
        resolve_device("cuda:2")
    first = available_devices()[0]
    assert first["name"] == "cuda:0"
    assert first["model"] == "Model 0"
    assert (first["free_bytes"], first["memory_bytes"]) == (3 << 30, 4 << 30)


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_whose_driver_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory(device: torch.device) -> tuple[int, int]:
        if device.index == 0:
            raise RuntimeError("CUDA error: unspecified launch failure")
        return 3 << 30, 4 << 30

    monkeypatch.setattr(torch.cuda, "mem_get_info", memory)
    assert [device["name"] for device in available_devices()] == ["cuda:1", "cpu"]


def test_an_unknown_name() -> None:
    with pytest.raises(UserError, match="'tpu' is unknown"):
        resolve_device("tpu")


@pytest.mark.parametrize(("has_it", "expected"), [(True, torch.bfloat16), (False, None)])
def test_auto_takes_bf16_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, has_it: bool, expected: torch.dtype | None
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8 if has_it else 7, 5))
    for device in (CPU, torch.device("cuda", 0)):
        assert autocast_type("auto", device) is expected
        assert autocast_type("bf16", device) is torch.bfloat16
        assert autocast_type("fp32", device) is None


def test_a_torch_that_does_not_tell_means_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, probe, raising=False)
    assert autocast_type("auto", CPU) is None


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
