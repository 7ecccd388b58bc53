"""A training's folder as the panel reads it: the training itself writes it, in another process."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.training.lock import holder

WARNING = "Warning: "
"""How the log begins what the user should know of."""

LOG_BYTES = 200_000
"""How much of the end of a log is read; some thousand lines. Ours."""


@dataclass(frozen=True)
class RunStatus:
    """``status.json``, as the training wrote it last.

    Attributes:
        state: preparing, training, validating, paused, finished, stopped or failed.
        pid: the training's process.
        step, steps: optimizer steps done and in all.
        epoch, epochs: the same in validations.
        seconds: spent in training.
        seconds_left, seconds_per_step: None while nobody can know.
        best_score, best_step: the best validation Dice of aneurysms so far, and when.
        device: what it runs on.
        memory_mb: what it takes there.
        message: one sentence, for an end or a change that the user should know of.
    """

    state: str
    pid: int = 0
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    seconds_left: float | None = None
    seconds_per_step: float | None = None
    best_score: float | None = None
    best_step: int = 0
    device: str = ""
    memory_mb: float | None = None
    message: str = ""

    @property
    def fraction(self) -> float:
        """How much is done: by the time where that is known, which may end a run before its
        steps do."""
        if self.state == "finished":
            return 1.0
        if self.seconds_left is not None and self.seconds + self.seconds_left > 0:
            return self.seconds / (self.seconds + self.seconds_left)
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    @classmethod
    def fromDict(cls, values: Mapping[str, Any]) -> RunStatus:
        known = {one.name for one in fields(cls)}
        kept = {k: v for k, v in values.items() if k in known and v is not None}
        return cls(**{"state": "failed", **kept})


class RunFolder:
    """Reads a run's files; every one of them may be missing, or be written right now.

    Args:
        path: the folder; it need not be there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.toml"
        self.datalist = self.path / "datalist.json"
        self.replayList = self.path / "replay" / "datalist.json"
        self.teacher = self.path / "teacher.safetensors"
        self.report = self.path / "report.json"
        self.log = self.path / "train.log"

    @property
    def hasRun(self) -> bool:
        """Whether a training was begun here."""
        return self.config.is_file() and self.datalist.is_file()

    def status(self) -> RunStatus | None:
        """What the training says; None where it has not said anything readable."""
        values = readJson(self.path / "status.json")
        return RunStatus.fromDict(values) if isinstance(values, dict) else None

    @property
    def isRunning(self) -> bool:
        """Whether a process trains here, also one that another Slicer has started."""
        return holder(self.path) is not None

    @property
    def isPausing(self) -> bool:
        """Whether a pause was asked for."""
        return (self.path / "pause").exists()

    @property
    def isStopping(self) -> bool:
        """Whether an end was asked for and has not come yet."""
        return (self.path / "stop").exists()

    def pause(self) -> None:
        """Let the training wait between two steps."""
        self._touch("pause")

    def goOn(self) -> None:
        """Let a waiting training go on."""
        (self.path / "pause").unlink(missing_ok=True)

    def stop(self) -> None:
        """Let the training write its checkpoint and end."""
        self._touch("stop")

    def clearRequests(self) -> None:
        """Forget requests that no training has heard."""
        for name in ("pause", "stop"):
            (self.path / name).unlink(missing_ok=True)

    def rows(self, name: str) -> list[dict[str, str]]:
        """The lines of ``steps.csv`` or ``validation.csv``; a half-written last one is left out."""
        try:
            with (self.path / name).open(newline="", encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError):
            return []
        complete = text[: text.rfind("\n") + 1]
        return [row for row in csv.DictReader(complete.splitlines()) if None not in row.values()]

    def newestThumbnail(self) -> Path | None:
        """The picture of the last validation."""
        pictures = sorted((self.path / "thumbnails").glob("step-*.png"))
        return pictures[-1] if pictures else None

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
        """What the training warned of, each once: that it took a smaller patch, for instance."""
        lines = (line.strip() for line in self.logText().splitlines())
        found = [one.removeprefix(WARNING) for one in lines if one.startswith(WARNING)]
        return list(dict.fromkeys(found))

    def lastError(self) -> str:
        """The sentence in the log for which a training refused to work or ended; may be empty."""
        for line in reversed(self.logText().splitlines()):
            if line.startswith("error: "):
                return line.removeprefix("error: ")
        return ""

    def _touch(self, name: str) -> None:
        try:
            (self.path / name).touch()
        except OSError as error:
            raise UserError(
                _("The training in {folder} cannot be told ({reason}).").format(
                    folder=self.path, reason=error.strerror
                )
            ) from error


def readJson(path: Path) -> Any:
    """A file's content, or None where it is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
