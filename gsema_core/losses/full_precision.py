"""Losses are computed in full precision, whatever the networks run in."""

from __future__ import annotations

from torch import Tensor, autocast, float64


def full_precision(tensor: Tensor) -> Tensor:
    """Return ``tensor`` as float32, or as it is where it is float64 already."""
    return tensor if tensor.dtype == float64 else tensor.float()


def no_autocast(tensor: Tensor) -> autocast:
    """Return a context in which autocast is off on the device of ``tensor``."""
    return autocast(device_type=tensor.device.type, enabled=False)
