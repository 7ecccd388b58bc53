"""Progress out, cancel in, seconds kept: what one run reports while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gsema_core.errors import Cancelled

ProgressCallback = Callable[[float, str], None]
"""Called with a fraction in [0, 1] that never falls, and a text for the user."""
CancelCheck = Callable[[], bool]

# Where each phase ends on the progress bar, and what the user reads meanwhile. The shares are
# rounded from runs on two CPU cores, where the windows take nearly all the time.
PHASES = {
    "read": (0.02, "Reading the scan"),
    "load": (0.05, "Loading the model"),
    "prepare": (0.08, "Preparing the scan"),
    "mask": (0.09, "Looking for vessels"),
    "windows": (0.93, "Segmenting"),
    "restore": (0.96, "Returning to the scan's grid"),
    "clean": (0.98, "Removing specks"),
    "measure": (0.99, "Measuring aneurysms"),
    "write": (1.0, "Writing the result"),
}


class Monitor:
    """Watches one run.

    Args:
        progress: called with the fraction done and the phase.
        cancelled: called often; the run stops when it returns True.

    Attributes:
        seconds: duration of each finished phase, and of the parts that were timed in it.
        processor_seconds: the process's processor time meanwhile, of all threads.
        cancelled: whether the user wants the run to stop.
    """

    def __init__(
        self, progress: ProgressCallback | None = None, cancelled: CancelCheck | None = None
    ) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self._progress = progress
        self.cancelled: CancelCheck = cancelled or bool  # bool() is False: nobody cancels
        self._fraction = 0.0
        self._phase = ""
        self._span = (0.0, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase of ``PHASES`` and put it on the progress bar.

        Raises:
            Cancelled: the run was cancelled before the phase or during it. A file that was
                written stays, so that a run cannot be cancelled while it writes.
        """
        end, self._phase = PHASES[name]
        self._span = (self._fraction, max(end, self._fraction))
        self.check()
        self._tell()
        with self.part(name):
            yield
        if name != "write":
            self.check()
        self.advance(1.0)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part of the running phase; times of parts of the same name are added."""
        started, worked = time.perf_counter(), time.process_time()
        yield
        for seconds, spent in (
            (self.seconds, time.perf_counter() - started),
            (self.processor_seconds, time.process_time() - worked),
        ):
            seconds[name] = seconds.get(name, 0.0) + spent

    def advance(self, share: float, _phase: str = "") -> None:
        """Say that ``share`` (0 to 1) of the running phase is done; a ``ProgressCallback``."""
        low, high = self._span
        self._fraction = max(self._fraction, low + share * (high - low))
        self._tell()

    def check(self) -> None:
        """Raise ``Cancelled`` if the user wants to stop."""
        if self.cancelled():
            raise Cancelled

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._fraction, self._phase)
