"""Notices that a busy worker shows no sign of life any more."""

from __future__ import annotations

from collections.abc import Callable

import qt

SILENCE_MS = 120_000
"""How long a busy worker may show no sign of life. Ours: it tells every two seconds what it has
done, and the longest step known that takes no processor time ends in a tenth of this."""

TICKS = 60
"""The time is counted in this many steps. While the computer sleeps or Slicer is busy, no more than
one step passes: the worker is not blamed for it. Ours."""

CPU_SECONDS = 0.1
"""Less processor time than this between two heartbeats is no sign of life: beating takes some
itself. The worker's protocol recommends it."""


class Watchdog:
    """Calls ``onSilence`` once when nothing has come for too long.

    A line of the worker is a sign of life. A heartbeat is one only if it tells of work done, or of
    processor time used, since the last one that did: so a network that computes for minutes on a
    slow CPU is left alone, and one that waits forever for a driver is not.

    Args:
        onSilence: called with Qt's event loop running.
        silenceMs: how long is too long.
    """

    def __init__(self, onSilence: Callable[[], None], silenceMs: int = SILENCE_MS) -> None:
        self.silenceMs = silenceMs
        self._onSilence = onSilence
        self._silentTicks = 0
        self._work, self._cpuSeconds = -1.0, -1.0
        self._timer = qt.QTimer()
        self._timer.setInterval(max(1, silenceMs // TICKS))
        self._timer.connect("timeout()", self._onTick)

    def start(self) -> None:
        """Begin to listen, unless it does already."""
        if not self._timer.active:
            self._silentTicks = 0
            self._work, self._cpuSeconds = -1.0, -1.0
            self._timer.start()

    def stop(self) -> None:
        """Nothing is expected any more."""
        self._timer.stop()

    def onSign(self) -> None:
        """The worker has said something."""
        self._silentTicks = 0

    def onHeartbeat(self, work: float, cpuSeconds: float) -> None:
        """The worker has told how often its work has come on, and its processor time."""
        if work > self._work or cpuSeconds >= self._cpuSeconds + CPU_SECONDS:
            self._work, self._cpuSeconds = work, cpuSeconds
            self.onSign()

    def _onTick(self) -> None:
        self._silentTicks += 1
        if self._silentTicks > TICKS:
            self.stop()
            self._onSilence()
