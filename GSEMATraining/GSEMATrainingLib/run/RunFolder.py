"""A training's folder as the panel reads it: the training itself writes it, in another process."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import ERROR_PREFIX, UserError
from gsema_core.files.text_files import read_table
from gsema_core.teachers.teacher_file import file_hash
from gsema_core.training.lock import holder
from gsema_core.training.metrics_table import has_metrics, read_metrics
from gsema_core.training.run_files import (
    CONFIG,
    DATALIST,
    LOG,
    PAUSE,
    REPLAY,
    STOP,
    TEACHER,
    WARNING,
    pictures,
    timeless,
)
from gsema_core.training.status import Status, read_status

LOG_BYTES = 200_000
"""How much of the end of a log is read; some thousand lines. Ours."""


@functools.lru_cache(maxsize=1)
def _hashOf(path: Path, changed: int, size: int) -> str:
    """The file's hash, read once as long as its time and size stay."""
    return file_hash(path)


class RunFolder:
    """Reads a run's files; every one of them may be missing, or be written right now.

    Args:
        path: the folder; it need not be there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / CONFIG
        self.datalist = self.path / DATALIST
        self.replayList = self.path / REPLAY / DATALIST
        self.teacher = self.path / TEACHER
        self.report = self.path / "report.json"
        self.log = self.path / LOG

    @property
    def hasRun(self) -> bool:
        """Whether a training was begun here."""
        return self.config.is_file() and self.datalist.is_file()

    def status(self) -> Status | None:
        """What the training says; None where it has not said anything readable."""
        return read_status(self.path)

    @property
    def holder(self) -> int | None:
        """The process that trains here, also one that another Slicer has started; None for none."""
        return holder(self.path)

    @property
    def isRunning(self) -> bool:
        """Whether a process trains here."""
        return self.holder is not None

    def checkIdle(self) -> None:
        """Raise UserError while a process trains here."""
        if self.isRunning:
            text = _("A training runs in {folder} already: wait for its end, or stop it.")
            raise UserError(text.format(folder=self.path))

    @property
    def isPausing(self) -> bool:
        """Whether a pause was asked for."""
        return (self.path / PAUSE).exists()

    @property
    def isStopping(self) -> bool:
        """Whether an end was asked for and has not come yet."""
        return (self.path / STOP).exists()

    def pause(self) -> None:
        """Let the training wait between two steps."""
        self._touch(PAUSE)

    def goOn(self) -> None:
        """Let a waiting training go on."""
        (self.path / PAUSE).unlink(missing_ok=True)

    def stop(self) -> None:
        """Let the training write its checkpoint and end."""
        self._touch(STOP)

    def clearRequests(self) -> None:
        """Forget requests that no training has heard."""
        for name in (PAUSE, STOP):
            (self.path / name).unlink(missing_ok=True)

    @property
    def hasCurves(self) -> bool:
        """Whether there is a table of numbers to plot."""
        return has_metrics(self.path)

    def comparisonReport(self) -> dict[str, Any] | None:
        """The report on the model as it is now; None without one, or where it is on another.

        A training that goes on after a comparison may find a better model.
        """
        report = read_table(self.report)
        try:
            compared = (report or {})["teachers"]["new"]["sha256"]
        except (KeyError, TypeError):
            return None
        return report if compared == self._teacherHash() else None

    def _teacherHash(self) -> str:
        try:
            stat = self.teacher.stat()
            return _hashOf(self.teacher, stat.st_mtime_ns, stat.st_size)
        except (OSError, UserError):  # gone, or being replaced right now
            return ""

    def rows(self, kind: str) -> list[dict[str, str]]:
        """The lines of the table of numbers; a half-written last one is left out.

        Args:
            kind: TRAINING or VALIDATION of ``gsema_core.training.metrics_table``.
        """
        return read_metrics(self.path, kind)

    def newestPictures(self) -> tuple[int, dict[int, Path]] | None:
        """Step and pictures of the last validation, by the cases' numbers."""
        return max(pictures(self.path).items(), default=None)

    def logText(self) -> str:
        """The end of the log."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return text if size <= LOG_BYTES else text[text.find("\n") + 1 :]

    def warnings(self) -> list[str]:
        """What the training warned of, for instance a smaller patch; each warning once."""
        lines = (timeless(line).strip() for line in self.logText().splitlines())
        found = [one.removeprefix(WARNING) for one in lines if one.startswith(WARNING)]
        return list(dict.fromkeys(found))

    def lastError(self) -> str:
        """The last error in the log, one sentence; empty where there is none."""
        lines = map(timeless, self.logText().splitlines())
        errors = [one for one in lines if one.startswith(ERROR_PREFIX)]
        return errors[-1].removeprefix(ERROR_PREFIX) if errors else ""

    def _touch(self, name: str) -> None:
        try:
            (self.path / name).touch()
        except OSError as error:
            raise UserError(
                _("The training in {folder} cannot be told ({reason}).").format(
                    folder=self.path, reason=error.strerror
                )
            ) from error
