"""Signs of life while a request is worked on, and what they say of the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gsema_core.repeating import repeating
from gsema_core.worker.protocol import HEARTBEAT

BEAT_SECONDS = 2.0
"""Time between two beats. Ours: a reader may miss a dozen and still notice within half a minute."""


class Heartbeat:
    """Tells every ``BEAT_SECONDS`` that the process lives, from a thread of its own.

    A thread that beats proves no more than that Python still gets its turn. So each beat carries
    two numbers by which a reader tells a busy worker from one that waits for something that never
    comes (a driver, a network drive): how often the work has come on, and the processor time.

    Args:
        tell: gets the events.
        seconds: between two beats.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None], seconds: float = BEAT_SECONDS):
        self._tell = tell
        self._seconds = seconds
        self._work = 0  # only the working thread writes

    def advance(self) -> None:
        """Count one step of the work: a window, a phase, a look whether to cancel."""
        self._work += 1

    @contextmanager
    def beating(self, number: int | None) -> Iterator[None]:
        """Beat for a request while the block runs, and not once after it."""

        def beat() -> None:
            cpu = round(time.process_time(), 1)
            event = {"event": HEARTBEAT, "id": number, "work": self._work}
            self._tell({**event, "cpu_seconds": cpu})

        with repeating(beat, self._seconds, "heartbeat"):
            yield
