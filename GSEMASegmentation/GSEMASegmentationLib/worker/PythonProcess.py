"""A Python process of our own, with whole lines coming out and one call when it is gone."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from GSEMASegmentationLib.install.CorePackage import pythonVariables
from GSEMASegmentationLib.worker.LineDecoder import LineDecoder


class PythonProcess:
    """Runs once; gsema_core is importable in it, wherever it is installed.

    Args:
        command: program and arguments.
        onOutputLine: called with each line of its standard output.
        onErrorLine: called with each line of its standard error.
        onGone: called once when there is no process any more, with the exit code, or with None
            and a sentence where it crashed, was killed, or could not be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        onOutputLine: Callable[[str], None],
        onErrorLine: Callable[[str], None],
        onGone: Callable[[int | None, str], None],
    ) -> None:
        self._command = list(command)
        self._onGone = onGone
        self._streams = {
            "StandardOutput": (LineDecoder(), onOutputLine),
            "StandardError": (LineDecoder(), onErrorLine),
        }
        self.isGone = False
        """Whether there is no process any more."""
        self._process = qt.QProcess()
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in pythonVariables().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        for name in self._streams:
            self._process.connect(f"readyRead{name}()", lambda name=name: self._read(name))
        self._process.connect("finished(int,QProcess::ExitStatus)", self._onFinished)
        self._process.connect("errorOccurred(QProcess::ProcessError)", self._onError)
        self.pid: int | None = None
        """The process id that the program announced; a launcher may stand between it and us."""

    def start(self) -> None:
        self._process.start(self._command[0], self._command[1:])

    def write(self, data: bytes) -> None:
        if not self.isGone:
            self._process.write(data)

    def closeInput(self) -> None:
        self._process.closeWriteChannel()

    def waitUntilGone(self, milliseconds: int) -> bool:
        """Wait; the lines and ``onGone`` come meanwhile."""
        return self.isGone or bool(self._process.waitForFinished(milliseconds))

    def kill(self) -> None:
        """Kill the program, and its launcher where there is one."""
        if self.isGone:
            return
        if self.pid is not None:
            with contextlib.suppress(OSError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.kill()

    def _read(self, name: str) -> None:
        decoder, onLine = self._streams[name]
        data = bytes(getattr(self._process, f"readAll{name}")().data())
        for line in decoder.feed(data):
            onLine(line)

    def _onError(self, error: Any) -> None:
        # Every other error is followed by finished().
        if error == qt.QProcess.FailedToStart:
            message = _("The process could not be started: {program} cannot be run.")
            self._end(None, message.format(program=self._command[0]))

    def _onFinished(self, exitCode: int, exitStatus: Any) -> None:
        for decoder, onLine in self._streams.values():
            for line in decoder.flush():
                onLine(line)
        if exitStatus == qt.QProcess.NormalExit:
            self._end(exitCode, "")
        else:
            self._end(None, _("The process crashed or was killed."))

    def _end(self, exitCode: int | None, message: str) -> None:
        if not self.isGone:
            self.isGone = True
            self._process.deleteLater()
            self._onGone(exitCode, message)
