"""A button that changes what it does when it is pressed, and people who press twice."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 0.5
"""Between the two presses of a double click; as desktops have it."""


class DoublePress:
    """Tells the second press of a double click, which was meant for what the button did before.

    Args:
        clock: seconds; replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = -SECONDS

    def isSecond(self) -> bool:
        """Whether this press belongs to the one before; call it at every press."""
        last, self._last = self._last, self._clock()
        return self._last - last < SECONDS
