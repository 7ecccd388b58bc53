"""``gsema`` commands in a process of their own, with whole lines and one sentence at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slicer.i18n import tr as _

from gsema_core.errors import ERROR_PREFIX
from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.worker.PythonProcess import PythonProcess

STOP_MS = 1000
"""How long a killed process may take to be gone; ours."""


def coreCommand() -> list[str]:
    """Program and arguments before a ``gsema`` command."""
    return [pythonExecutable(), "-m", "gsema_core"]


def cancelledText() -> str:
    """What ``onDone`` hears when the user has stopped it, which is no error."""
    return _("Cancelled.")


def ignoreLine(line: str) -> None:
    """For output that nobody reads."""


class CoreCommand:
    """Runs once; ``onDone`` is called once, with an empty text or with why it failed.

    Args:
        command: program and arguments.
        onOutput: called with each line of its output.
        onDone: called at the end.
        onError: called with each line of its standard error.
        input: what it reads from its standard input.
    """

    def __init__(
        self,
        command: Sequence[str],
        onOutput: Callable[[str], None],
        onDone: Callable[[str], None],
        onError: Callable[[str], None] = ignoreLine,
        input: str = "",
    ) -> None:
        self._onDone, self._onError = onDone, onError
        self._input = input
        self._lastWords = ""
        self._isStopped = False
        self._process = PythonProcess(command, onOutput, self._onErrorLine, self._onGone)

    def start(self) -> None:
        self._process.start()
        if self._input:
            self._process.write(self._input.encode("utf-8"))
        self._process.closeInput()

    def stop(self) -> None:
        """End it; ``onDone`` hears that it was cancelled."""
        self._isStopped = True
        self._process.kill()

    def stopAndWait(self) -> None:
        """End it, and wait a moment until it is gone."""
        self.stop()
        self._process.waitUntilGone(STOP_MS)

    def _onErrorLine(self, line: str) -> None:
        if line.strip():
            self._lastWords = line.strip()
        self._onError(line)

    def _onGone(self, exitCode: int | None, message: str) -> None:
        if self._isStopped:
            self._onDone(cancelledText())
        elif exitCode == 0:
            self._onDone("")
        else:
            words = self._lastWords.removeprefix(ERROR_PREFIX)
            self._onDone(words or message or _("It ended with exit code {}.").format(exitCode))
