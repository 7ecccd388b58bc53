"""Looks into a training's folder now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import qt
from slicer.i18n import tr as _

from gsema_core.exit_codes import EXIT_STOPPED
from gsema_core.training.status import ENDED, FAILED, FINISHED, STOPPED, Status
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.TrainingProcess import TrainingProcess

EVERY_MS = 1000
"""A training writes a line every few seconds; ours."""


@dataclass(frozen=True)
class RunView:
    """What there is to see of a training.

    Attributes:
        folder: where.
        status: what it said last; None where it has not said anything.
        isRunning: whether a process trains there, is about to begin or about to end.
        isEnding: whether it has said how it ended and is not gone yet.
        problem: why it is not running although it should be, one sentence.
    """

    folder: RunFolder
    status: Status | None = None
    isRunning: bool = False
    isEnding: bool = False
    problem: str = ""

    @property
    def isFinished(self) -> bool:
        return not self.isRunning and self.status is not None and self.status.state == FINISHED

    @property
    def canGoOn(self) -> bool:
        """Whether there is a training that was stopped or cut off."""
        return not self.isRunning and self.folder.hasRun and not self.isFinished


def lookAt(folder: RunFolder, process: TrainingProcess | None = None) -> RunView:
    """See what goes on in a folder.

    Args:
        folder: the run's.
        process: what this Slicer has started there.
    """
    if not folder.path.is_dir():
        if process is None:
            return RunView(folder)
        problem = _("The folder {folder} is gone, and the training with it: choose another one.")
        return RunView(folder, None, process.isAlive, problem=problem.format(folder=folder.path))
    isAlive = process is not None and process.isAlive
    # The folder first: what has ended in between is gone, and its last status can be read.
    pid = folder.holder
    status = folder.status()
    isRunning = pid is not None or isAlive
    isEnding = isRunning and _isEnding(status, pid, process)
    isOver = folder.hasRun and not isRunning
    problem = _problem(folder, status, process) if isOver else ""
    return RunView(folder, status, isRunning, isEnding, problem)


def _isEnding(status: Status | None, pid: int | None, process: TrainingProcess | None) -> bool:
    """Whether a status of the end is that of the present session, and not of one before."""
    if status is None or status.state not in ENDED:
        return False
    if pid is not None:
        return pid == status.pid
    return process is not None and status != process.before


def _problem(folder: RunFolder, status: Status | None, process: TrainingProcess | None) -> str:
    if status is not None and status.state in (FINISHED, STOPPED):
        refused = process is not None and process.exitCode not in (None, 0, EXIT_STOPPED)
        return folder.lastError() if refused else ""
    said = folder.lastError()
    if said or (status is not None and status.state == FAILED):
        return said or (status.message if status else "")
    if status is None and process is None:
        return ""
    step = status.step if status is not None else 0
    return _("The training was cut off at step {step}: press Go on.").format(step=step)


class RunWatch:
    """Calls ``onLook`` with what it sees, as long as a folder is watched.

    Args:
        onLook: called every second with a RunView.
    """

    def __init__(self, onLook: Callable[[RunView], None]) -> None:
        self._onLook = onLook
        self._folder: RunFolder | None = None
        self._process: TrainingProcess | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(EVERY_MS)
        self._timer.connect("timeout()", self.look)

    def watch(self, path: str | Path, process: TrainingProcess | None = None) -> None:
        """Watch this folder from now on; an empty path watches nothing."""
        self._folder = RunFolder(path) if str(path) else None
        self._process = process
        self.look()
        if self._folder is not None:
            self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._folder = self._process = None

    def look(self) -> None:
        """Look now."""
        if self._folder is not None:
            self._onLook(lookAt(self._folder, self._process))
