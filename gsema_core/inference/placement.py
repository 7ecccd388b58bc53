"""Where the network is, and what happens when the device there fails."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gsema_core.errors import DeviceFailedError
from gsema_core.inference.windows.sliding_window import softmax
from gsema_core.machine import Computing, resolve_device
from gsema_core.machine.memory import is_out_of_memory

CPU = torch.device("cpu")
GPU_BATCH = 4
"""Windows run at once on a GPU, where its memory suffices; on CPUs more than 1 does not help. The
bundled teacher then needs far less than 4 GB. Our choice, not measured."""


class Placement:
    """A network on a device. When a GPU fails, smaller batches and then the CPU do the work.

    The network itself stays in main memory; a GPU gets a copy, so that nothing has to be brought
    back from a device that no longer answers.

    Args:
        network: (B, 1, k, j, i) to logits, in main memory.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Attributes:
        device: where the next window is run.
        batch: windows that are run at once.
        notes: what went otherwise than wanted in this run, one sentence each.
        failed: whether the device broke down at work, so that only a new process may get it back.

    Raises:
        UserError: there is no such device, or it was asked for by name and does not work.
    """

    def __init__(self, network: nn.Module, device: str = "auto") -> None:
        self._network = network
        self._wanted = resolve_device(device)
        self._may_leave = device == "auto"
        self._full_batch = 1 if self._wanted == CPU else GPU_BATCH
        self._broken = ""
        self.failed = False
        self._use_cpu()
        self.begin()

    def begin(self) -> None:
        """Begin a run: back to the wanted device, unless it is broken."""
        self.notes = [self._broken] if self._broken else []
        if not self._broken and (self.device != self._wanted or self.batch < self._full_batch):
            self._try_wanted()

    def probabilities(self, patches: Tensor, precision: str) -> Tensor:
        """Class probabilities (B, 3, k, j, i) of windows, in main memory.

        Args:
            patches: (B, 1, k, j, i), or with clicks (B, 3, k, j, i), in main memory, in [0, 1].
            precision: as ``Computing.of`` takes it; ``auto`` is decided anew on another device.

        Raises:
            DeviceFailedError: the device was asked for by name and does not work.
        """
        while True:
            try:
                computing = Computing.of(self.device, precision)
                parts = patches.split(self.batch)
                return torch.cat([softmax(self._placed, part, computing) for part in parts])
            except RuntimeError as error:
                if self.device == CPU:
                    raise
                if is_out_of_memory(error):
                    self._save_memory()
                else:
                    self.failed = True
                    self._give_up(error)

    def _try_wanted(self) -> None:
        try:
            placed = copy.deepcopy(self._network).to(self._wanted)
            # Asks for a kernel: an architecture that PyTorch was not built for fails only here.
            torch.zeros(1, device=self._wanted).add_(1).cpu()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                self._give_up(error)
                return
            self._use_cpu()
            self.notes.append("The GPU's memory is full: the CPU did the work.")
        else:
            self._placed, self.device, self.batch = placed, self._wanted, self._full_batch

    def _save_memory(self) -> None:
        if self.batch > 1:
            self.batch //= 2
            self.notes.append(f"The GPU's memory was short: {self.batch} window(s) at once.")
        else:
            self._use_cpu()
            self.notes.append("The GPU's memory did not suffice: the CPU did the rest.")
        torch.cuda.empty_cache()

    def _give_up(self, error: RuntimeError) -> None:
        """Leave a device that does not work, for good."""
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        if not self._may_leave:
            raise DeviceFailedError(
                f"The device {self._wanted} does not work ({reason}): use cpu, or install a "
                "driver and a PyTorch that fit it."
            ) from error
        self._use_cpu()
        self._broken = f"The device {self._wanted} does not work ({reason}): the CPU is used."
        self.notes.append(self._broken)

    def _use_cpu(self) -> None:
        self._placed, self.device, self.batch = self._network, CPU, 1
