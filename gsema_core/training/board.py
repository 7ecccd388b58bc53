"""A run's numbers and pictures on TensorBoard, where that is installed (an optional extra)."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gsema_core.training.beside import Beside, Warn
from gsema_core.training.run_files import BOARD


class Board:
    """Writes into the run's folder ``tensorboard``; does nothing where there is no TensorBoard.

    A full disk never ends the run: it is told once, and the run goes on without TensorBoard.

    Args:
        folder: the run's.
        warn: gets that sentence.
    """

    def __init__(self, folder: Path, warn: Warn) -> None:
        self._folder = folder
        self._beside = Beside("TensorBoard cannot be written to any more", warn)
        self._writer: Any = None

    def open(self, step: int) -> None:
        """Begin after a step; what an earlier session wrote of later ones is not shown."""
        if importlib.util.find_spec("tensorboard") is None:
            return
        with self._beside():
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder / BOARD), purge_step=step + 1)

    def numbers(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Show numbers as ``kind/name``."""
        with self._beside():
            if self._open:
                for name, value in values.items():
                    self._writer.add_scalar(f"{kind}/{name}", value, step)
                self._writer.flush()

    def picture(self, name: str, step: int, pixels: NDArray[Any]) -> None:
        """Show an image (rows, columns, 3) of uint8."""
        with self._beside():
            if self._open:
                self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is still held."""
        with self._beside():
            if self._open:
                self._writer.close()

    @property
    def _open(self) -> bool:
        return self._writer is not None and self._beside.works
