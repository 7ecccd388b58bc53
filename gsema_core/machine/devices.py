"""Which processor runs the network."""

from __future__ import annotations

import platform
from contextlib import suppress
from typing import Any

import torch

from gsema_core.errors import UserError
from gsema_core.machine.device_names import check_device_name


def resolve_device(name: str = "auto") -> torch.device:
    """The device of that name.

    Args:
        name: ``auto`` (the first GPU where there is one, else the CPU), ``cpu``, ``cuda`` or
            ``cuda:N``.

    Raises:
        UserError: the name is unknown, or this machine has no such device.
    """
    check_device_name(name)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and count == 0):
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        names = ", ".join(device["name"] for device in available_devices())
        raise UserError(f"PyTorch finds no device {name} here: use auto or one of {names}.")
    return torch.device("cuda", index)


def available_devices() -> list[dict[str, Any]]:
    """Every device with what a user wants to know of it; the one ``auto`` takes comes first.

    GPUs whose driver does not answer are left out.
    """
    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        with suppress(RuntimeError):
            found.append(describe_device(torch.device("cuda", index)))
    return [*found, describe_device(torch.device("cpu"))]


def describe_device(device: torch.device) -> dict[str, Any]:
    """Name, model, and memory in bytes (GPU) or threads (CPU)."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return {
            "name": str(device),
            "model": torch.cuda.get_device_name(device),
            "memory_bytes": total,
            "free_bytes": free,
        }
    return {
        "name": str(device),
        "model": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
    }
