from __future__ import annotations

import pytest
import SimpleITK as sitk
import torch

from gsema_core.errors import UserError
from gsema_core.machine import Computing
from gsema_core.machine.devices import describe_device

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has_it", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, has_it: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8 if has_it else 7, 5))
    for device in (CPU, torch.device("cuda", 0)):
        assert Computing.of(device).precision == expected
        assert Computing.of(device, "bf16").precision == "bf16"
        assert Computing.of(device, "fp32").precision == "fp32"


def test_a_torch_that_does_not_tell_means_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, probe, raising=False)
    assert Computing.of("cpu") == Computing(CPU, "fp32", None)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_the_precision_is_that_of_products(precision: str, expected: torch.dtype) -> None:
    values = torch.ones((2, 2))
    with Computing.of("cpu", precision).autocast():
        assert (values @ values).dtype == expected
    assert (values @ values).dtype == torch.float32


def test_threads_hold_in_their_context() -> None:
    before = torch.get_num_threads()
    with Computing.of("cpu", threads=3).thread_limit():
        assert torch.get_num_threads() == 3
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
    assert torch.get_num_threads() == before


def test_it_describes_itself() -> None:
    assert Computing.of("cpu", "fp32").describe() == {**describe_device(CPU), "precision": "fp32"}


@pytest.mark.parametrize(("device", "precision"), [("tpu", "auto"), ("cpu", "fp8")])
def test_unknown_names(device: str, precision: str) -> None:
    with pytest.raises(UserError, match="is unknown: use auto"):
        Computing.of(device, precision)
