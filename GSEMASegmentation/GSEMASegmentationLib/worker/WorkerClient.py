"""The worker as the panels see it: requests go in, progress and one outcome come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import qt
from slicer.i18n import tr as _

from gsema_core.errors import DeviceFailedError
from gsema_core.exit_codes import EXIT_DEVICE_FAILED
from gsema_core.worker.protocol import (
    CANCELLED,
    ERROR,
    HEARTBEAT,
    HELLO,
    PROGRESS,
    PROTOCOL_VERSION,
    RESULT,
)
from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.worker.Watchdog import SILENCE_MS, Watchdog
from GSEMASegmentationLib.worker.WorkerProcess import WorkerProcess
from GSEMASegmentationLib.worker.WorkerProtocol import (
    WorkerEvent,
    WorkerOutcome,
    encodeRequest,
    parseLine,
)

GRACE_MS = 1500
"""How long a cancelled worker may take to stop by itself before it is killed; ours: with the kill
it stays under the two seconds that a user waits for "Cancel"."""

LOG_LINES = 2000
"""Lines of log that are kept; ours."""


@dataclass
class _Request:
    line: bytes
    onProgress: Callable[[float, str], None]
    onDone: Callable[[WorkerOutcome], None]
    isCancelled: bool = False
    isRepeated: bool = False


def workerCommand() -> list[str]:
    """Program and arguments that start the worker."""
    return [pythonExecutable(), "-m", "gsema_core.worker"]


class WorkerClient:
    """Starts the worker with the first request and keeps it, with what it has loaded, for the next.

    Every request ends with exactly one call of its ``onDone``: also when the process cannot be
    started, crashes, is killed from outside, hangs (see ``Watchdog``), or does not react to a
    cancellation. If the driver of its device fails, what is open goes once more to a new process.

    Args:
        command: program and arguments; None for the worker of this installation.
        onLog: called with each line that is not a message of the protocol.
        graceMs: how long a cancelled request may go on before the worker is killed.
        silenceMs: how long a busy worker may show no sign of life before it is killed.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        onLog: Callable[[str], None] | None = None,
        graceMs: int = GRACE_MS,
        silenceMs: int = SILENCE_MS,
    ) -> None:
        self._command = command
        self._onLog = onLog
        self._graceMs = graceMs
        self._process = WorkerProcess(self._onLine, self._appendToLog, self._onGone)
        self._watchdog = Watchdog(self._onSilence, silenceMs)
        self._nextId = 1
        self._requests: dict[int, _Request] = {}
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._graceTimer = qt.QTimer()
        self._graceTimer.setSingleShot(True)
        self._graceTimer.connect("timeout()", self._process.kill)

    @property
    def isRunning(self) -> bool:
        """Whether there is a process, busy or idle."""
        return self._process.isRunning

    @property
    def pid(self) -> int | None:
        """The worker's own process id; None while there is none or it has not said hello."""
        return self._process.pid

    def submit(
        self,
        command: str,
        onDone: Callable[[WorkerOutcome], None],
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        **fields: Any,
    ) -> int:
        """Send a request and return its id; the callbacks come from Qt's event loop.

        Args:
            command: which one, see ``gsema_core.worker.protocol``.
            onDone: called once with the outcome.
            onProgress: called with the fraction done and what is being done.
            fields: of the request.
        """
        requestId = self._takeId()
        request = _Request(encodeRequest(requestId, command, **fields), onProgress, onDone)
        self._requests[requestId] = request
        try:
            self._hand(request)
        except RuntimeError as error:
            self._finish(requestId, WorkerOutcome(ERROR, str(error)))
        return requestId

    def cancel(self, requestId: int) -> None:
        """Ask the worker to stop this request, and kill it if it does not do so in time."""
        request = self._requests.get(requestId)
        if request is not None and not request.isCancelled:
            request.isCancelled = True
            self._process.send(encodeRequest(self._takeId(), "cancel", target=requestId))
            self._graceTimer.start(self._graceMs)

    def stop(self) -> None:
        """End the process, whatever it is doing; waits until it is gone."""
        if not self._requests:
            self._process.quit(encodeRequest(self._takeId(), "quit"))
        for request in self._requests.values():
            request.isCancelled = True
        self._process.killAndWait()

    def _hand(self, request: _Request) -> None:
        self._process.start(self._command or workerCommand())
        self._watchdog.start()
        self._process.send(request.line)

    def _onSilence(self) -> None:
        minutes = self._watchdog.silenceMs / 60_000
        message = _(
            "The worker has shown no sign of life for {minutes:g} minutes and was ended: try "
            "again, and choose the CPU if it happens once more."
        ).format(minutes=minutes)
        self._appendToLog(message)
        self._process.giveUp()
        self._endAll(WorkerOutcome(ERROR, message))

    def _endAll(self, error: WorkerOutcome) -> None:
        """End all requests: with this error, or as cancelled where the user wanted that."""
        for requestId, request in list(self._requests.items()):
            self._finish(requestId, WorkerOutcome(CANCELLED) if request.isCancelled else error)

    def _repeat(self, failure: WorkerOutcome) -> None:
        """Hand what is open to a new process, each request once; else it ends with the failure."""
        self._process.giveUp()
        self._watchdog.stop()
        for requestId, request in list(self._requests.items()):
            if request.isCancelled:
                self._finish(requestId, WorkerOutcome(CANCELLED))
            elif request.isRepeated:
                self._finish(requestId, failure)
            else:
                request.isRepeated = True
                self._hand(request)

    def _takeId(self) -> int:
        self._nextId += 1
        return self._nextId - 1

    def _onLine(self, line: str) -> None:
        event = parseLine(line)
        if event is not None and event.kind == HEARTBEAT:
            self._onHeartbeat(event)
            return
        self._watchdog.onSign()
        if event is None:
            self._appendToLog(line)
        elif event.kind == HELLO:
            self._onHello(event)
        elif event.requestId in self._requests:
            self._onAnswer(event, event.requestId)

    def _onHello(self, event: WorkerEvent) -> None:
        pid = event.data.get("pid")
        if isinstance(pid, int):
            self._process.pid = pid
        if event.data.get("protocol") != PROTOCOL_VERSION:
            message = _("The worker belongs to another version: install the extension again.")
            for requestId in list(self._requests):
                self._finish(requestId, WorkerOutcome(ERROR, message))
            self._process.kill()

    def _onHeartbeat(self, event: WorkerEvent) -> None:
        numbers = [event.data.get(name) for name in ("work", "cpu_seconds")]
        if all(isinstance(number, (int, float)) for number in numbers):
            self._watchdog.onHeartbeat(*numbers)

    def _onAnswer(self, event: WorkerEvent, requestId: int) -> None:
        request = self._requests[requestId]
        if event.kind == PROGRESS:
            fraction = event.data.get("fraction")
            if isinstance(fraction, (int, float)) and not request.isCancelled:
                phase = str(event.data.get("phase", ""))
                request.onProgress(min(max(float(fraction), 0.0), 1.0), phase)
        elif event.kind == CANCELLED or (event.kind == RESULT and request.isCancelled):
            self._finish(requestId, WorkerOutcome(CANCELLED))
        elif event.kind == RESULT:
            self._finish(requestId, WorkerOutcome(RESULT, data=event.data))
        elif event.kind == ERROR:
            error = WorkerOutcome(ERROR, str(event.data.get("message", "")), event.data)
            if event.data.get("code") == DeviceFailedError.code:
                self._repeat(error)
            else:
                self._finish(requestId, error)

    def _finish(self, requestId: int, outcome: WorkerOutcome) -> None:
        request = self._requests.pop(requestId)
        if not any(other.isCancelled for other in self._requests.values()):
            self._graceTimer.stop()
        if not self._requests:
            self._watchdog.stop()
        request.onDone(outcome)

    def _onGone(self, exitCode: int | None, message: str) -> None:
        """The process is no more: every open request ends now."""
        self._graceTimer.stop()
        self._watchdog.stop()
        words = next((line for line in reversed(self.log) if line.strip()), _("nothing"))
        message = message or _("The worker ended before it answered (exit code {code}).").format(
            code=exitCode
        )
        message = _("{message} The last thing it said: {words}").format(
            message=message, words=words
        )
        error = WorkerOutcome(ERROR, message)
        if exitCode == EXIT_DEVICE_FAILED:
            self._repeat(error)
        else:
            self._endAll(error)

    def _appendToLog(self, line: str) -> None:
        self.log.append(line)
        if self._onLog is not None:
            self._onLog(line)
