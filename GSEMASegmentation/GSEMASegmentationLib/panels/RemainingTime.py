"""How much longer a run takes, judged by what it has done."""

from __future__ import annotations

import time
from collections.abc import Callable

from slicer.i18n import tr as _

LEAST_FRACTION = 0.1
"""Before a tenth is done the start-up hides the pace; ours."""


class RemainingTime:
    """Make it when the run starts; ask it as the fraction grows.

    Args:
        clock: seconds; replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._paceBegan = clock()
        self._paceFraction = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def seconds(self, fraction: float) -> float | None:
        """Seconds that are left at this fraction; None while nobody can know."""
        if self._paceFraction == 0.0 and fraction > 0.0:
            # Loading the program is no measure for the pace of the work.
            self._paceFraction, self._paceBegan = fraction, self._clock()
        done = fraction - self._paceFraction
        if fraction < LEAST_FRACTION or done <= 0:
            return None
        return (self._clock() - self._paceBegan) * (1.0 - fraction) / done

    def text(self, fraction: float) -> str:
        """The same as a part of a sentence; empty where nothing is known."""
        seconds = self.seconds(fraction)
        return "" if seconds is None else durationText(seconds)


def durationText(seconds: float) -> str:
    """About how long, in words, no more exact than anybody could promise."""
    if seconds < 10:
        return _("a few seconds")
    if seconds < 55:
        return _("about {count} s").format(count=round(seconds / 5) * 5)
    if seconds < 90 * 60:
        return _("about {count} min").format(count=max(1, round(seconds / 60)))
    if seconds < 36 * 3600:
        return _("about {hours:.1f} h").format(hours=seconds / 3600)
    return _("about {days:.1f} days").format(days=seconds / 86400)
