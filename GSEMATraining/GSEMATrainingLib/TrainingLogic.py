"""Starting, watching and stopping ``gsema train`` in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import qt
from GSEMASegmentationLib.CorePackage import pythonExecutable
from GSEMASegmentationLib.PythonProcess import PythonProcess
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from gsema_core.errors import UserError

STOP_MS = 60_000
"""How long a training may take to write its checkpoint before it is killed; ours."""

QUIT_MS = 5_000
"""The same when Slicer itself ends and the user waits for it; ours."""

_PID_PREFIX = "@gsema pid "

# The process that Qt starts may be only Slicer's launcher; the program itself says who it is.
_PROGRAM = (
    f"import os, runpy; print('{_PID_PREFIX}' + str(os.getpid()), flush=True); "
    "runpy.run_module('gsema_core', run_name='__main__', alter_sys=True)"
)


def trainingCommand() -> list[str]:
    """Program and arguments before the training's configuration."""
    return [pythonExecutable(), "-c", _PROGRAM, "train"]


class GSEMATrainingLogic(ScriptedLoadableModuleLogic):
    """Runs one training at a time.

    Args:
        command: program and arguments instead of ``gsema train``.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self._command = command
        self._process: PythonProcess | None = None
        self._isStopping = False
        self._killTimer = qt.QTimer()
        self._killTimer.setSingleShot(True)
        self._killTimer.connect("timeout()", self._kill)

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def start(
        self,
        configPath: str | Path,
        onLine: Callable[[str], None],
        onDone: Callable[[str], None],
    ) -> None:
        """Start training as a configuration file says.

        Args:
            configPath: the training configuration, a .toml file.
            onLine: called with each line that the training prints.
            onDone: called once at the end with a sentence for the user.

        Raises:
            UserError: there is no such file, or a training is running.
        """
        if self._process is not None:
            raise UserError(_("A training is running: stop it before you start another one."))
        path = Path(configPath)
        if path.suffix.lower() != ".toml" or not path.is_file():
            raise UserError(
                _("{path} is not a training configuration: choose a .toml file.").format(path=path)
            )

        def onOutputLine(line: str) -> None:
            if line.startswith(_PID_PREFIX) and self._process is not None:
                self._process.pid = int(line[len(_PID_PREFIX) :])
            else:
                onLine(line)

        def onGone(exitCode: int | None, message: str) -> None:
            self._process = None
            self._killTimer.stop()
            onDone(self._lastSentence(exitCode, message))

        self._isStopping = False
        command = [*(self._command or trainingCommand()), str(path)]
        self._process = PythonProcess(command, onOutputLine, onLine, onGone)
        self._process.start()

    def stop(self) -> None:
        """Ask the training to write its checkpoint and end; it is killed if it does not."""
        if self._process is not None:
            self._isStopping = True
            self._process.interrupt()
            self._killTimer.start(STOP_MS)

    def close(self) -> None:
        """Stop and wait; for when the module is reloaded or Slicer ends."""
        process = self._process
        if process is not None:
            self.stop()
            if not process.waitUntilGone(QUIT_MS):
                process.kill()
                process.waitUntilGone(QUIT_MS)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _lastSentence(self, exitCode: int | None, message: str) -> str:
        if self._isStopping:
            return _("The training was stopped; start it again to go on from its checkpoint.")
        if exitCode == 0:
            return _("The training is finished.")
        return message or _("The training failed: the last lines of the log say why.")
