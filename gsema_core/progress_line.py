"""Progress for people at a terminal, and for log files."""

from __future__ import annotations

import time
from typing import TextIO

PLAIN_LINES = 10
"""A log file gets a line for every tenth of the work, not for every window."""
REDRAW_SECONDS = 0.1
ESTIMATE_AFTER_SECONDS = 3.0
"""Earlier than this, the remaining time is a guess from loading, not from segmenting."""


class ProgressLine:
    """One line that is drawn over on a terminal; a few plain lines anywhere else.

    Args:
        stream: where to; normally ``sys.stderr``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._redraws = stream.isatty()
        self._started = time.monotonic()
        self._last_drawn = float("-inf")
        self._last_phase = ""
        self._last_tenth = -1
        self._width = 0

    def __call__(self, fraction: float, phase: str) -> None:
        """Show that ``fraction`` of the work is done; a ``ProgressCallback``."""
        if self._redraws:
            self._redraw(fraction, phase)
            return
        tenth = int(fraction * PLAIN_LINES + 1e-9)  # 0.3 is a little less than three tenths
        if phase != self._last_phase or tenth > self._last_tenth:
            self._last_phase, self._last_tenth = phase, tenth
            self._print(f"{fraction:4.0%} {phase}\n")

    def close(self) -> None:
        """Take the line away again."""
        if self._redraws and self._width:
            self._print("\r" + " " * self._width + "\r")
            self._width = 0

    def _redraw(self, fraction: float, phase: str) -> None:
        now = time.monotonic()
        if fraction < 1 and now - self._last_drawn < REDRAW_SECONDS:
            return
        self._last_drawn = now
        elapsed = now - self._started
        text = f"{fraction:4.0%} {phase}"
        if elapsed > ESTIMATE_AFTER_SECONDS and 0 < fraction < 1:
            text += f", about {elapsed / fraction - elapsed:.0f} s left"
        padded = text.ljust(self._width)
        self._width = len(text)
        self._print("\r" + padded)

    def _print(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:  # whoever watched has gone, as head does
            raise
        except OSError:
            pass  # a log on a full disk: the work has nothing to do with it
