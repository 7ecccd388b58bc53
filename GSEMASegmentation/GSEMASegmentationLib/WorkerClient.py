"""The worker process as the panels see it: requests go in, progress and one outcome come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import qt
from slicer.i18n import tr as _

from GSEMASegmentationLib.CorePackage import pythonExecutable
from GSEMASegmentationLib.PythonProcess import PythonProcess
from GSEMASegmentationLib.WorkerProtocol import PROTOCOL, WorkerEvent, encodeRequest, parseLine

GRACE_MS = 1500
"""How long a cancelled worker may take to stop by itself before it is killed; ours: with the kill
it stays under the two seconds that a user waits for "Cancel"."""

QUIT_MS = 1000
"""How long an idle worker may take to quit; ours."""

LOG_LINES = 2000
"""Lines of log that are kept; ours."""


@dataclass(frozen=True)
class WorkerOutcome:
    """How a request ended.

    Attributes:
        kind: result, error or cancelled.
        message: for an error, one sentence for the user.
        data: what the worker sent with a result or an error.
    """

    kind: str
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Request:
    onProgress: Callable[[float, str], None]
    onDone: Callable[[WorkerOutcome], None]
    isCancelled: bool = False


def workerCommand() -> list[str]:
    """Program and arguments that start the worker."""
    return [pythonExecutable(), "-m", "gsema_core.worker"]


class WorkerClient:
    """Starts the worker with the first request and keeps it, with what it has loaded, for the next.

    Every request ends with exactly one call of its ``onDone``: also when the process cannot be
    started, crashes, is killed from outside, or does not react to a cancellation.

    Args:
        command: program and arguments; None for the worker of this installation.
        onLog: called with each line that is not a message of the protocol.
        graceMs: how long a cancelled request may go on before the worker is killed.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        onLog: Callable[[str], None] | None = None,
        graceMs: int = GRACE_MS,
    ) -> None:
        self._command = command
        self._onLog = onLog
        self._graceMs = graceMs
        self._process: PythonProcess | None = None
        self._nextId = 1
        self._requests: dict[int, _Request] = {}
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._graceTimer = qt.QTimer()
        self._graceTimer.setSingleShot(True)
        self._graceTimer.connect("timeout()", self._kill)

    @property
    def isRunning(self) -> bool:
        """Whether there is a process, busy or idle."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The worker's own process id; None while there is none or it has not said hello."""
        return self._process.pid if self._process is not None else None

    def submit(
        self,
        command: str,
        onDone: Callable[[WorkerOutcome], None],
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        **fields: Any,
    ) -> int:
        """Send a request and return its id; the callbacks come from Qt's event loop."""
        requestId = self._takeId()
        self._requests[requestId] = _Request(onProgress, onDone)
        try:
            self._start()
        except RuntimeError as error:
            self._finish(requestId, WorkerOutcome("error", str(error)))
        else:
            self._send(encodeRequest(requestId, command, **fields))
        return requestId

    def cancel(self, requestId: int) -> None:
        """Ask the worker to stop this request, and kill it if it does not do so in time."""
        request = self._requests.get(requestId)
        if request is not None and not request.isCancelled:
            request.isCancelled = True
            self._send(encodeRequest(self._takeId(), "cancel", target=requestId))
            self._graceTimer.start(self._graceMs)

    def stop(self) -> None:
        """End the process, whatever it is doing; waits until it is gone."""
        process = self._process
        if process is None:
            return
        if not self._requests:
            self._send(encodeRequest(self._takeId(), "quit"))
            process.closeInput()
            if process.waitUntilGone(QUIT_MS):
                return
        for request in self._requests.values():
            request.isCancelled = True
        self._kill()
        process.waitUntilGone(QUIT_MS)

    def _start(self) -> None:
        if self._process is None:
            command = self._command or workerCommand()
            self._process = PythonProcess(command, self._onLine, self._appendToLog, self._onGone)
            self._process.start()

    def _takeId(self) -> int:
        self._nextId += 1
        return self._nextId - 1

    def _send(self, data: bytes) -> None:
        if self._process is not None:
            self._process.write(data)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _onLine(self, line: str) -> None:
        event = parseLine(line)
        if event is None:
            self._appendToLog(line)
        elif event.kind == "hello":
            self._onHello(event)
        elif event.requestId in self._requests:
            self._onAnswer(event, event.requestId)

    def _onHello(self, event: WorkerEvent) -> None:
        pid = event.data.get("pid")
        if self._process is not None and isinstance(pid, int):
            self._process.pid = pid
        if event.data.get("protocol") != PROTOCOL:
            message = _("The worker belongs to another version: install the extension again.")
            for requestId in list(self._requests):
                self._finish(requestId, WorkerOutcome("error", message))
            self._kill()

    def _onAnswer(self, event: WorkerEvent, requestId: int) -> None:
        request = self._requests[requestId]
        if event.kind == "progress":
            fraction = event.data.get("fraction")
            if isinstance(fraction, (int, float)) and not request.isCancelled:
                phase = str(event.data.get("phase", ""))
                request.onProgress(min(max(float(fraction), 0.0), 1.0), phase)
        elif event.kind == "cancelled" or (event.kind == "result" and request.isCancelled):
            self._finish(requestId, WorkerOutcome("cancelled"))
        elif event.kind == "result":
            self._finish(requestId, WorkerOutcome("result", data=event.data))
        elif event.kind == "error":
            message = str(event.data.get("message", ""))
            self._finish(requestId, WorkerOutcome("error", message, event.data))

    def _finish(self, requestId: int, outcome: WorkerOutcome) -> None:
        request = self._requests.pop(requestId)
        if not any(other.isCancelled for other in self._requests.values()):
            self._graceTimer.stop()
        request.onDone(outcome)

    def _onGone(self, exitCode: int | None, message: str) -> None:
        """The process is no more: every open request ends now."""
        self._process = None
        self._graceTimer.stop()
        words = next((line for line in reversed(self.log) if line.strip()), _("nothing"))
        message = message or _("The worker ended before it answered (exit code {code}).").format(
            code=exitCode
        )
        message = _("{message} The last thing it said: {words}").format(
            message=message, words=words
        )
        for requestId, request in list(self._requests.items()):
            error = WorkerOutcome("error", message)
            self._finish(requestId, WorkerOutcome("cancelled") if request.isCancelled else error)

    def _appendToLog(self, line: str) -> None:
        self.log.append(line)
        if self._onLog is not None:
            self._onLog(line)
