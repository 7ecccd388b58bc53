"""What a network is computed with: the device, the precision and the threads, all decided."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from gsema_core.errors import UserError
from gsema_core.machine.devices import describe_device, resolve_device
from gsema_core.machine.threads import thread_limit

REDUCED_TYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Precision -> the type that autocast reduces to, None for plain float32."""


@dataclass(frozen=True)
class Computing:
    """What a network is computed with. ``Computing.of`` decides what is left to it.

    Attributes:
        device: where the network is.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        threads: CPU threads; None leaves it to ``default_threads``: one for each core that this
            process may use.

    Example:
        >>> computing = Computing.of("cpu", "fp32", threads=1)
        >>> with computing.thread_limit(), computing.autocast():
        ...     computing.precision
        'fp32'
    """

    device: torch.device
    precision: str = "fp32"
    threads: int | None = None

    @classmethod
    def of(
        cls,
        device: str | torch.device = "auto",
        precision: str = "auto",
        threads: int | None = None,
    ) -> Computing:
        """Decide what ``auto`` means on this machine.

        Args:
            device: one of PyTorch's, or as ``resolve_device`` takes it.
            precision: ``fp32``, ``bf16``, ``fp16`` or ``auto``: bf16 where the hardware has it,
                which is several times faster than float32 there
                (``Testing/benchmarks/networks.py``), else fp32: emulated bf16 is slower.
            threads: CPU threads; None as in the attribute.

        Raises:
            UserError: precision or device is unknown, or this machine has no such device.
        """
        if isinstance(device, str):
            device = resolve_device(device)
        if precision == "auto":
            precision = "bf16" if _has_bf16(device) else "fp32"
        if precision not in REDUCED_TYPES:
            raise UserError(
                f"The precision {precision!r} is unknown: use auto, {', '.join(REDUCED_TYPES)}."
            )
        return cls(device, precision, threads)

    def autocast(self) -> torch.autocast:
        """The context in which the network runs in this precision."""
        reduced = REDUCED_TYPES[self.precision]
        return torch.autocast(self.device.type, reduced, enabled=reduced is not None)

    def thread_limit(self) -> AbstractContextManager[None]:
        """The context in which the libraries use these threads."""
        return thread_limit(self.threads)

    def describe(self) -> dict[str, Any]:
        """For a report: the device as ``describe_device`` tells of it, and the precision."""
        return {**describe_device(self.device), "precision": self.precision}


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # The only question that PyTorch answers on this has a private name: ask it carefully.
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)
