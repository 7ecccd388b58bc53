"""Labelled scans in files: a folder that ``gsema cases`` understands or a list, one by one."""

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
        ask: called with the names of folders that may be centers or patients (empty where they are
            not to be shown); returns what ``--center-from`` gets, or an empty text for no answer.

    Attributes:
        notes: what was said of the path that was read last, in sentences.
    """

    def __init__(
        self,
        onCase: Callable[[TrainingCase], None],
        onDone: Callable[[str], None],
        command: Sequence[str] | None = None,
        ask: Callable[[list[str]], str] | None = None,
    ) -> None:
        self._onCase, self._onDone = onCase, onDone
        self.command = command
        self.notes: list[str] = []
        self._ask = ask
        self._folders: list[str] | None = None
        self._waiting: list[list[str]] = []
        self._running: CoreCommand | None = None

    @property
    def isRunning(self) -> bool:
        return self._running is not None

    def read(self, path: str) -> None:
        """Read a path, after those that are being read; returns at once."""
        self._waiting.append([path])
        if self._running is None:
            self._next()

    def stop(self) -> None:
        """Read no further."""
        self._waiting.clear()
        if self._running is not None:
            self._onCase = self._onDone = lambda _anything: None
            self._running.stopAndWait()

    def _next(self) -> None:
        arguments = self._waiting.pop(0)
        self.notes, self._folders = [], None
        command = [*(self.command or coreCommand()), "cases", *arguments, "--json"]
        self._running = CoreCommand(
            command, self._onLine, lambda message: self._onGone(arguments, message)
        )
        self._running.start()

    def _onLine(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not isinstance(entry, dict):
            return
        if isinstance(entry.get("image"), str):
            self._onCase(caseFromEntry(entry))
        elif "note" in entry:
            self.notes.append(str(entry["note"]))
        elif "question" in entry:
            self._folders = list(entry["question"]["folders"])

    def _onGone(self, arguments: list[str], message: str) -> None:
        self._running = None
        isAsked = self._folders is not None and self._ask is not None
        if isAsked and (rule := self._ask(self._folders)):
            self._waiting.insert(0, [arguments[0], "--center-from", rule])
        else:
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
        relabel=tuple((value, int(label)) for value, label in entry.get("relabel") or ()),
        labelRules=entry.get("labels") or {},
        spacingMm=tuple(float(side) for side in entry.get("spacing_mm") or ()),
        vesselMl=float(entry.get("vessel_ml") or 0.0),
        aneurysmMl=float(entry.get("aneurysm_ml") or 0.0),
        ignoredMl=float(entry.get("ignored_ml") or 0.0),
        aneurysms=int(entry.get("aneurysms") or 0),
        problem="" if entry.get("usable") else reason,
    )
