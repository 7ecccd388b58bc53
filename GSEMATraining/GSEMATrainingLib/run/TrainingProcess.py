"""``gsema train`` in a process that lives on when Slicer ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from GSEMASegmentationLib.install.CorePackage import pythonVariables
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.training.status import Status


class TrainingProcess:
    """Starts it; everything after that goes through the run's folder.

    Python starts it and not Qt: only so it gets an environment, a log and a session of its own.

    Args:
        before: what the folder's status is before it starts, from an earlier session.
    """

    def __init__(self, before: Status | None = None) -> None:
        self.before = before
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def isAlive(self) -> bool:
        """Whether what was started here still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exitCode(self) -> int | None:
        """How it ended; None while it runs, or was not started here."""
        return None if self._process is None else self._process.poll()

    def start(self, command: Sequence[str], log: Path) -> None:
        """Start it; what it prints is appended to ``log``.

        Raises:
            UserError: the log cannot be written, or the program cannot be run.
        """
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            apart = {"creationflags": flags}
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **pythonVariables()},
                    **apart,
                )
        except OSError as error:
            raise UserError(
                _("The training could not be started ({reason}): check {folder}.").format(
                    reason=error.strerror, folder=log.parent
                )
            ) from error
