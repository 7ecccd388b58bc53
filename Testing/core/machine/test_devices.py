from __future__ import annotations

import pytest
import torch

from gsema_core.errors import UserError
from gsema_core.machine import available_devices, resolve_device

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
