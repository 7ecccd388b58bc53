"""How a run tells its caller and its folder where it stands."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.text_files import write_json
from gsema_core.machine.memory import peak_memory_mb
from gsema_core.repeating import repeating
from gsema_core.training.pace import duration_text
from gsema_core.training.run_files import WARNING
from gsema_core.training.status import FAILED, STATES, STATUS, Status

UNEXPLAINED = "The run ended with an error, which its log explains."

LOOK_S = 0.5
"""How often the reporter looks whether something takes long (ours)."""

Report = Callable[[str], None]


class RunReporter:
    """Tells how a run goes: a line to its caller, and the status file.

    Args:
        folder: the run's output.
        report: gets one line of text now and then, from one thread at a time.
        every_s: seconds between lines of progress.
    """

    def __init__(self, folder: Path, report: Report, every_s: float = 10.0) -> None:
        self.folder = folder
        self.status = Status(pid=os.getpid())
        self.private: set[str] = set()
        self.warnings: list[str] = []
        self.every_s = every_s
        self._report = report
        self._lock = threading.RLock()
        self._said = self._progressed = self._since = monotonic()
        self._usual = 0.0
        self._doing = ""

    def keep_private(self, names: Iterable[str]) -> None:
        """Names that no error in the status may hold: patients, images."""
        self.private.update(names)

    def report(self, line: str) -> None:
        """Give a line to the caller."""
        self.tell(line)

    def tell(self, line: str) -> None:
        """Give a line of progress to the caller, at once."""
        with self._lock:
            self._said = monotonic()
            self._report(line)

    def progress(self, line: str | Callable[[], str]) -> None:
        """Report a line, unless one of progress was reported within ``every_s`` seconds.

        Args:
            line: or what makes it, which is called only where it is reported.
        """
        now = monotonic()
        if now - self._progressed >= self.every_s:
            self._progressed = now
            self.tell(line if isinstance(line, str) else line())

    def advance(self, message: str, next_one: str) -> None:
        """Write into the status how far long work is, and report it now and then.

        Args:
            message: a sentence.
            next_one: what is begun now, as for `doing`.
        """
        self.doing(next_one)
        self.show(message=message)
        self.progress(message)

    def doing(self, what: str, usual_s: float | None = None) -> None:
        """Tell what is at work from now on; `watched` says so where it takes long.

        Args:
            what: the beginning of a sentence, such as "Step 3"; empty for nothing.
            usual_s: the seconds that it usually takes.
        """
        with self._lock:
            self._doing, self._usual, self._since = what, usual_s or 0.0, monotonic()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While the block runs, let another thread say what takes longer than ``every_s``."""

        def look() -> None:
            with suppress(Exception):  # nobody listens any more: the run's own lines will tell
                self.look()

        with repeating(look, LOOK_S, "progress"):
            yield

    def look(self) -> None:
        """Say what is at work, where it has taken long and nothing was said meanwhile."""
        with self._lock:
            now = monotonic()
            took = now - self._since
            is_long = took >= max(self.every_s, 2 * self._usual)
            if self._doing and self.every_s and is_long and now - self._said >= self.every_s:
                usual = f", usually {duration_text(self._usual)}" if self._usual else ""
                self.tell(f"{self._doing}: {took:.0f} s so far{usual}.")

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


@contextmanager
def told_while(report: Report, what: str, every_s: float) -> Iterator[None]:
    """While the block runs, say every so often that it does.

    Args:
        report: gets the line.
        what: the beginning of a sentence.
        every_s: seconds; 0 says nothing.
    """
    reporter = RunReporter(Path(), report, every_s)
    reporter.doing(what)
    with reporter.watched():
        yield


class SilentReporter(RunReporter):
    """Of the ranks that are not the first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, lambda line: None)

    def show(self, **changes: Any) -> None:
        """The first rank writes the status."""
