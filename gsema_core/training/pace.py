"""How long steps take, and with that how long a run will."""

from __future__ import annotations

import time


class Pace:
    """A clock for steps that leaves out what lies between them.

    Attributes:
        seconds_per_step: mean of the steps before the last `rate`; None before the first.
        validation_seconds: that the last validation took.
    """

    def __init__(self) -> None:
        self.seconds_per_step: float | None = None
        self.validation_seconds = 0.0
        self._mark = time.monotonic()
        self._spent, self._steps = 0.0, 0

    def step(self) -> float:
        """Say that a step is done; return its seconds."""
        took = self.mark()
        self._spent += took
        self._steps += 1
        return took

    def rate(self) -> float:
        """Return the mean seconds of the steps since the last call."""
        self.seconds_per_step = self._spent / max(self._steps, 1)
        self._spent, self._steps = 0.0, 0
        return self.seconds_per_step

    def mark(self) -> float:
        """Start the clock anew, as what came last was no step; return its seconds."""
        now = time.monotonic()
        took, self._mark = now - self._mark, now
        return took

    def seconds_left(self, steps: int, validate_every: int, limit: float | None) -> float | None:
        """Estimate the time to the end, with validations.

        Args:
            steps: that are left.
            validate_every: steps between validations.
            limit: seconds of steps that are left, or None.

        Returns:
            None where no step was measured yet.
        """
        rate = self.seconds_per_step
        if not rate:
            return None
        seconds = steps * rate if limit is None else min(steps * rate, max(limit, 0.0))
        return seconds + seconds / rate / validate_every * self.validation_seconds
