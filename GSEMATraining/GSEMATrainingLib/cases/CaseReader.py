"""Labelled scans in files: a folder, an nnU-Net raw folder or a list, examined one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, coreCommand
from slicer.i18n import tr as _

from GSEMATrainingLib.cases.TrainingCase import USES, TrainingCase


class CaseReader:
    """Runs ``gsema cases PATH --json`` and hands over each case as soon as it was looked at.

    Args:
        onCase: called with each case; it has no key yet.
        onDone: called once a path, with an empty text or with why it could not be read.
        command: program and arguments instead of ``gsema``.
    """

    def __init__(
        self,
        onCase: Callable[[TrainingCase], None],
        onDone: Callable[[str], None],
        command: Sequence[str] | None = None,
    ) -> None:
        self._onCase, self._onDone = onCase, onDone
        self.command = command
        self._waiting: list[str] = []
        self._running: CoreCommand | None = None

    @property
    def isRunning(self) -> bool:
        return self._running is not None

    def read(self, path: str) -> None:
        """Read a path, after those that are being read; returns at once."""
        self._waiting.append(path)
        if self._running is None:
            self._next()

    def stop(self) -> None:
        """Read no further."""
        self._waiting.clear()
        if self._running is not None:
            self._onCase = self._onDone = lambda _anything: None
            self._running.stopAndWait()

    def _next(self) -> None:
        path = self._waiting.pop(0)
        command = [*(self.command or coreCommand()), "cases", path, "--json"]
        self._running = CoreCommand(command, self._onLine, self._onGone)
        self._running.start()

    def _onLine(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if isinstance(entry, dict) and isinstance(entry.get("image"), str):
            self._onCase(caseFromEntry(entry))

    def _onGone(self, message: str) -> None:
        self._running = None
        self._onDone(message)
        if self._waiting:
            self._next()


def caseFromEntry(entry: Mapping[str, Any]) -> TrainingCase:
    """A row from a line of ``gsema cases --json``."""
    reason = str(entry.get("reason") or _("It cannot be used."))
    return TrainingCase(
        key="",
        patient=str(entry.get("patient") or ""),
        center=str(entry.get("center") or ""),
        use=entry["use"] if entry.get("use") in USES else "",
        image=str(entry["image"]),
        label=str(entry.get("label") or ""),
        relabel=tuple((int(value), int(label)) for value, label in entry.get("relabel") or ()),
        spacingMm=tuple(float(side) for side in entry.get("spacing_mm") or ()),
        vesselMl=float(entry.get("vessel_ml") or 0.0),
        aneurysmMl=float(entry.get("aneurysm_ml") or 0.0),
        aneurysms=int(entry.get("aneurysms") or 0),
        problem="" if entry.get("usable") else reason,
    )
