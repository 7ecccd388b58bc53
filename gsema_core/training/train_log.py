"""``train.log``: what a run printed, with times; a run that goes on appends to it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import torch

from gsema_core.error_log import EXPECTED
from gsema_core.errors import ERROR_PREFIX
from gsema_core.training.run_files import ERRORS, LOG, WARNING
from gsema_core.version import __version__

Report = Callable[[str], None]


class TrainLog:
    """Passes lines on to whoever looks at the run, and keeps them in its folder.

    A full disk never ends the run: it is told once, and the lines are only passed on.

    Args:
        folder: the run's.
        report: gets each line; None prints it to stderr, unless that is the log already, as for a
            run that the training panel started.
    """

    def __init__(self, folder: Path, report: Report | None) -> None:
        self._path = folder / LOG
        self._is_stderr = _is_stderr(self._path)
        self._pass_on = report or ((lambda line: None) if self._is_stderr else _print)
        self._works = True

    def begin(self, ranks: int) -> None:
        """Say what runs, in the log alone."""
        processes = f", {ranks} processes" if ranks > 1 else ""
        self.write(
            f"gsema {__version__} begins, with Python {platform.python_version()}, PyTorch "
            f"{torch.__version__} and {platform.system()}{processes}."
        )

    def report(self, line: str) -> None:
        """Pass a line on, and keep it."""
        self._pass_on(line)
        self.write(line)

    def fail(self, error: BaseException) -> None:
        """Keep the error that the run ends by; whoever started the run prints it."""
        if self._is_stderr:
            return
        text = str(error)
        if not isinstance(error, EXPECTED) or not text:  # a library's words may name a patient
            text = f"An unexpected {type(error).__name__} ended the run: see {ERRORS}."
        self.write(f"{ERROR_PREFIX}{text}")

    def write(self, text: str) -> None:
        """Keep some text, in the log alone."""
        now = datetime.now().astimezone()
        try:
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                for line in text.splitlines() or [""]:
                    file.write(f"{now:%Y-%m-%d %H:%M:%S} {line}\n")
        except OSError as error:
            if self._works:
                self._works = False
                self._pass_on(
                    f"{WARNING}{LOG} cannot be written ({error.strerror or error}); the training "
                    "goes on."
                )


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _is_stderr(path: Path) -> bool:
    """Whether stderr goes into this file."""
    try:
        return os.path.samestat(os.fstat(sys.stderr.fileno()), path.stat())
    except (OSError, ValueError, AttributeError):  # no such file yet, or stderr is no file
        return False
