"""How a run tells its caller and its folder where it stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.text_files import write_json
from gsema_core.machine.memory import peak_memory_mb
from gsema_core.training.run_files import WARNING
from gsema_core.training.status import FAILED, STATES, STATUS, Status

UNEXPLAINED = "The run ended with an error, which its log explains."

Report = Callable[[str], None]


class RunReporter:
    """Tells how a run goes: a line to its caller, and the status file.

    Args:
        folder: the run's output.
        report: gets one line of text now and then.
    """

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.status = Status(pid=os.getpid())
        self.private: set[str] = set()
        self.warnings: list[str] = []

    def keep_private(self, names: Iterable[str]) -> None:
        """Names that no error in the status may hold: patients, images."""
        self.private.update(names)

    def say(self, message: str, **changes: Any) -> None:
        """Report a sentence, and write it into the status together with other changes."""
        self.report(message)
        self.show(message=message, **changes)

    def warn(self, message: str) -> None:
        """Report a sentence that all later messages of the status repeat."""
        self.report(f"{WARNING}{message}")
        self.warnings.append(message)

    def show(self, **changes: Any) -> None:
        """Write the status without a word.

        Raises:
            UserError: it could not be written.
        """
        if "message" in changes:
            changes["message"] = " ".join([changes["message"], *self.warnings])
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        peak = peak_memory_mb(self.status.device)
        memory = None if peak is None else round(peak)
        status = replace(self.status, **changes, updated=now, memory_mb=memory)
        if status.state not in STATES:
            raise ValueError(f"Unknown state {status.state!r}: use one of {', '.join(STATES)}.")
        self.status = status
        write_json(asdict(status), self.folder / STATUS)

    def fail(self, error: BaseException) -> None:
        """Write that the run ended by an error, as far as that can still be written.

        Its sentence is told where it names no file and no patient.
        """
        message = str(error)
        named = "/" in message or "\\" in message or any(name in message for name in self.private)
        if named or not isinstance(error, UserError):
            message = UNEXPLAINED
        try:
            self.show(state=FAILED, seconds_left=None, message=message)
        except (UserError, OSError):
            return  # the disk is full or the folder gone: the error itself says so


class SilentReporter(RunReporter):
    """Of the ranks that are not the first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, lambda line: None)

    def show(self, **changes: Any) -> None:
        """The first rank writes the status."""
