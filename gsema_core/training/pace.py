"""How long steps take, and with that when a run ends. No torch here."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from time import monotonic

from gsema_core.training.config_sections import RunConfig

STEPS, MINUTES = "steps", "minutes"
"""What ends a run at the latest."""

LOOKED_AT_S = 60.0
"""Seconds of the last steps whose mean is the pace: the load of a machine changes (ours)."""


class Pace:
    """A clock for steps that leaves out what lies between them.

    Attributes:
        validation_seconds: that the last validation took; None before the first.
    """

    def __init__(self) -> None:
        self.validation_seconds: float | None = None
        self._mark = monotonic()
        self._spent, self._steps = 0.0, 0
        self._last: deque[float] = deque()
        self._sum = 0.0
        self._is_warm = False

    def step(self) -> float:
        """Say that a step is done; return its seconds."""
        took = self.mark()
        self._spent += took
        self._steps += 1
        if self._last and not self._is_warm:
            self._is_warm = True
            self._forget_oldest()  # the session's first step also makes its memory and kernels
        self._last.append(took)
        self._sum += took
        while len(self._last) > 1 and self._sum - self._last[0] >= LOOKED_AT_S:
            self._forget_oldest()
        return took

    def _forget_oldest(self) -> None:
        self._sum -= self._last.popleft()

    @property
    def seconds_per_step(self) -> float | None:
        """Mean of the last minute's steps, without the session's first; None before any."""
        return self._sum / len(self._last) if self._last else None

    def rate(self) -> float:
        """Return the mean seconds of the steps since the last call."""
        rate = self._spent / max(self._steps, 1)
        self._spent, self._steps = 0.0, 0
        return rate

    def mark(self) -> float:
        """Start the clock anew, as what came last was no step; return its seconds."""
        now = monotonic()
        took, self._mark = now - self._mark, now
        return took

    def shown(
        self, run: RunConfig, step: int, seconds: float, end: Ending | None
    ) -> dict[str, float | int | None]:
        """How far a run is, as its `Status` has it.

        Args:
            run: its limits.
            step: done.
            seconds: of steps that are spent.
            end: the estimate; None before the first step.
        """
        pace = self.seconds_per_step
        return {
            "step": step,
            "steps": run.steps,
            "epoch": step // run.validate_every,
            "epochs": -(-run.steps // run.validate_every),
            "seconds": round(seconds, 1),
            "minutes": run.minutes,
            "seconds_per_step": None if pace is None else round(pace, 4),
            "seconds_left": None if end is None else round(end.seconds, 1),
            "earliest_step": None if end is None else end.earliest_step,
        }


@dataclass(frozen=True)
class Ending:
    """When a run ends at the latest, as far as its pace tells.

    Attributes:
        by: what ends it then, ``STEPS`` or ``MINUTES``.
        step: the last one.
        seconds: until then, with the validations on the way where one was timed.
        validations: on the way.
        validations_timed: whether ``seconds`` has them.
        earliest_step: where patience may end it first; None where it cannot.
    """

    by: str
    step: int
    seconds: float
    validations: int
    validations_timed: bool
    earliest_step: int | None

    @property
    def text(self) -> str:
        """As a part of a sentence: "about 12 min left", "about 12 min left at the latest"."""
        words = duration_text(self.seconds)
        if self.validations and not self.validations_timed:
            words += f" and {self.validations} validation{'s' if self.validations > 1 else ''}"
        return f"{words} left" + ("" if self.earliest_step is None else " at the latest")


def what_ends(run: RunConfig, step: int, seconds: float, stale: int) -> str:
    """Say what has ended a run by itself, as a part of a sentence; empty where nothing has.

    Args:
        run: its limits.
        step: done.
        seconds: of steps that are spent.
        stale: validations in a row without a better teacher.
    """
    if step > run.steps:
        return f"it had made more than {run.steps} steps before"
    if step == run.steps:
        return "all steps are made"
    if 0 < run.minutes * 60 <= seconds:
        return f"its {run.minutes:g} minutes are used up"
    if 0 < run.patience <= stale:
        return (
            f"{stale} validations in a row found no better teacher and its patience is "
            f"{run.patience}"
        )
    return ""


def ending(
    run: RunConfig,
    step: int,
    seconds: float,
    seconds_per_step: float | None,
    validation_seconds: float | None,
    stale: int | None,
) -> Ending | None:
    """Estimate when a run ends.

    Args:
        run: its limits.
        step: done.
        seconds: of steps that are spent.
        seconds_per_step: the pace; None before the first step.
        validation_seconds: of one validation; None before the first.
        stale: validations in a row without a better teacher; -1 before the first, which finds
            one; None where no case is validated.

    Returns:
        None where no step was measured yet.
    """
    if not seconds_per_step:
        return None
    left, by = max(run.steps - step, 0), STEPS
    if run.minutes:
        in_time = math.ceil(max(60 * run.minutes - seconds, 0.0) / seconds_per_step)
        if in_time < left:
            left, by = in_time, MINUTES
    last = step + left
    validations = _validations(step, last, run.validate_every) if stale is not None else 0
    spent = left * seconds_per_step if by == STEPS else max(60 * run.minutes - seconds, 0.0)
    earliest = None
    if run.patience and stale is not None:
        missing = max(run.patience - stale, 0)
        at = (step // run.validate_every + missing) * run.validate_every
        earliest = at if at < last else None
    return Ending(
        by=by,
        step=last,
        seconds=spent + validations * (validation_seconds or 0.0),
        validations=validations,
        validations_timed=validation_seconds is not None,
        earliest_step=earliest,
    )


def _validations(step: int, last: int, every: int) -> int:
    """Those after ``step``, the one at the end included."""
    regular = last // every - step // every
    return regular + (last > step and last % every > 0)


def duration_text(seconds: float) -> str:
    """About how long, in words, no more exact than anybody could promise."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    if seconds < 36 * 3600:
        return f"about {seconds / 3600:.1f} h"
    return f"about {seconds / 86400:.1f} days"
