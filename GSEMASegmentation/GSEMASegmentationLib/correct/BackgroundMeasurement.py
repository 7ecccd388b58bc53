"""Measuring segments in a process of its own, while Slicer stays alive.

A thread would not do: in Slicer, Python's threads run only while the main thread runs Python.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.measure.SegmentDrawing import SegmentDrawing
from GSEMASegmentationLib.measure.SegmentMeasurement import SMALLEST_PIECE_MM3, measured
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand

Found = dict[str, list[Any]]
"""What ``measured`` says, by segment."""


def measureCommand() -> list[str]:
    """Program and arguments."""
    return [pythonExecutable(), "-m", "gsema_core.measurements"]


class BackgroundMeasurement:
    """Runs once; ``onDone`` is called once with what was measured, or with nothing and a sentence.

    Not after ``stop``. The numbers are those of ``measured``, to the last bit.

    Args:
        segments: the drawings.
        onDone: called at the end.
    """

    def __init__(
        self, segments: Mapping[str, SegmentDrawing], onDone: Callable[[Found, str], None]
    ) -> None:
        self._onDone = onDone
        self._found: Found = {}
        self._waiting = dict(segments)
        self._folder: Path | None = None
        self._command: CoreCommand | None = None

    def start(self) -> None:
        """Begin; returns when the drawings are written."""
        orders = []
        try:
            from gsema_core.measurements.orders import order_text

            for segmentId, segment in list(self._waiting.items()):
                if segment.drawing is None:
                    self._found[segmentId] = measured(segment)
                    del self._waiting[segmentId]
                    continue
                if self._folder is None:
                    place = slicer.app.temporaryPath
                    self._folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=place))
                path = self._folder / f"{len(orders)}.raw"
                orders.append(order_text(segment.drawing, SMALLEST_PIECE_MM3, path))
        except (OSError, ImportError) as error:
            self._end(str(error))
            return
        if not orders:
            self._end("")
            return
        text = "\n".join(orders) + "\n"
        self._command = CoreCommand(measureCommand(), self._onAnswer, self._onGone, input=text)
        self._command.start()

    def stop(self) -> None:
        """End it and forget it."""
        self._onDone = lambda found, message: None
        if self._command is not None:
            self._command.stopAndWait()

    def _onAnswer(self, line: str) -> None:
        from gsema_core.measurements.orders import aneurysms_of

        if self._waiting:
            segmentId = next(iter(self._waiting))
            try:
                self._found[segmentId] = aneurysms_of(line)
            except (ValueError, TypeError, AttributeError):  # a library said something
                return
            del self._waiting[segmentId]

    def _onGone(self, message: str) -> None:
        if self._waiting and not message:
            message = _("the process gave no answer")
        self._end(message)

    def _end(self, message: str) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._onDone({} if message else self._found, message)
