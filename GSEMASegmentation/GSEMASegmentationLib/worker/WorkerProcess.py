"""The worker's process: one at a time, started when it is needed, replaced when it has failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from GSEMASegmentationLib.worker.PythonProcess import PythonProcess

QUIT_MS = 1000
"""How long an idle worker may take to quit; ours."""


class WorkerProcess:
    """Starts the process again and again; nothing is heard of one that was given up.

    The arguments are those of ``PythonProcess``.
    """

    def __init__(
        self,
        onLine: Callable[[str], None],
        onErrorLine: Callable[[str], None],
        onGone: Callable[[int | None, str], None],
    ) -> None:
        self._onLine, self._onErrorLine, self._onGone = onLine, onErrorLine, onGone
        self._current: PythonProcess | None = None
        self._givenUp: list[PythonProcess] = []

    @property
    def isRunning(self) -> bool:
        """Whether there is a process, busy or idle."""
        return self._current is not None

    @property
    def pid(self) -> int | None:
        """The process id that the worker announced; None before that, or without a process."""
        return self._current.pid if self._current is not None else None

    @pid.setter
    def pid(self, pid: int) -> None:
        if self._current is not None:
            self._current.pid = pid

    def start(self, command: Sequence[str]) -> None:
        """Start a process, unless there is one."""
        if self._current is not None:
            return
        process: PythonProcess

        def whileCurrent(call: Callable[..., None]) -> Callable[..., None]:
            return lambda *values: call(*values) if process is self._current else None

        process = PythonProcess(
            command,
            whileCurrent(self._onLine),
            whileCurrent(self._onErrorLine),
            whileCurrent(self._onEnd),
        )
        self._current = process
        process.start()

    def send(self, data: bytes) -> None:
        """Write to its standard input; without a process, nothing happens."""
        if self._current is not None:
            self._current.write(data)

    def kill(self) -> None:
        """Kill it; ``onGone`` comes."""
        if self._current is not None:
            self._current.kill()

    def giveUp(self) -> None:
        """Kill it and forget it at once, without ``onGone``; the next start makes a new one."""
        self._givenUp = [one for one in self._givenUp if not one.isGone]
        if self._current is not None:
            self._givenUp.append(self._current)
            self._current, process = None, self._current
            process.kill()

    def quit(self, data: bytes) -> None:
        """Write a last request, and give the process a moment to end by itself."""
        process = self._current
        if process is not None:
            process.write(data)
            process.closeInput()
            process.waitUntilGone(QUIT_MS)

    def killAndWait(self) -> None:
        """Kill it and wait until it is gone, with those that were given up before."""
        for process in (*self._givenUp, self._current):
            if process is not None:
                process.kill()
                process.waitUntilGone(QUIT_MS)
        self._givenUp.clear()

    def _onEnd(self, exitCode: int | None, message: str) -> None:
        self._current = None
        self._onGone(exitCode, message)
