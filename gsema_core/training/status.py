"""``status.json``: where a run stands, for whoever looks at its folder. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from gsema_core.files.text_files import read_table

STATUS = "status.json"

PREPARING, TRAINING, VALIDATING, PAUSED = "preparing", "training", "validating", "paused"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
ENDED = (FINISHED, STOPPED, FAILED)
"""After these there is no process."""
STATES = (PREPARING, TRAINING, VALIDATING, PAUSED, *ENDED)

ENDLESS = 10**6
"""From so many steps on, a run that has minutes too ends by them; the learning rate then follows
the time. Ours: 14 hours at 50 ms, which is faster than any step yet."""


@dataclass(frozen=True)
class Status:
    """What ``status.json`` says; no patient and no file is named in it.

    Attributes:
        state: one of `STATES`.
        pid: of the process.
        step, steps: done, and in all.
        epoch, epochs: likewise; an epoch lies between two validations.
        seconds: spent in training steps, over all sessions of the run.
        minutes: that the steps may take in all; 0 without a limit.
        seconds_left: an estimate with validations; None before the first steps.
        earliest_step: where patience may end the run before that; None where it cannot.
        seconds_per_step: of the last steps.
        best_score, best_step: of the best teacher so far; None before the first validation.
        device: where it runs.
        memory_mb: the most memory used so far, the GPU's where it runs on one; None where the
            system does not tell.
        message: one sentence.
        updated: when this was written, UTC.
    """

    state: str = PREPARING
    pid: int = 0
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    minutes: float = 0.0
    seconds_left: float | None = None
    earliest_step: int | None = None
    seconds_per_step: float | None = None
    best_score: float | None = None
    best_step: int = 0
    device: str = ""
    memory_mb: int | None = None
    message: str = ""
    updated: str = ""

    @property
    def fraction(self) -> float:
        """How much is done, in [0, 1], by steps or by time: what comes first ends the run."""
        if self.state == FINISHED:
            return 1.0
        by_steps = self.step / self.steps if self.steps else 0.0
        by_time = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def is_by_time(self) -> bool:
        """Whether its minutes end it, and its number of steps says nothing."""
        return ends_by_time(self.steps, self.minutes)

    @property
    def is_over(self) -> bool:
        """Whether all steps are made, or all minutes used up: what is left is to be written."""
        by_time = 0 < 60 * self.minutes <= self.seconds
        return by_time or 0 < self.steps <= self.step


def ends_by_time(steps: int, minutes: float) -> bool:
    """Whether a run's minutes end it, and its number of steps says nothing."""
    return minutes > 0 and steps >= ENDLESS


def counted(step: int, steps: int, minutes: float, of: str = " of ") -> str:
    """How far a run is, for its log: "464 of 5000", or "464" where its time ends it.

    A run that is to make fewer steps than it has made has no total either.
    """
    if ends_by_time(steps, minutes) or step > steps:
        return f"{step}"
    return f"{step}{of}{steps}"


def budget_text(steps: int, minutes: float) -> str:
    """Of a run: "1000 steps", "30 minutes", or "1000 steps, at most 30 minutes"."""
    time = f"{minutes:g} minute{'s' * (minutes != 1)}"
    if ends_by_time(steps, minutes):
        return time
    made = f"{steps} step{'s' * (steps != 1)}"
    return made + (f", at most {time}" if minutes else "")


def read_status(folder: Path) -> Status | None:
    """What a run's folder says; None where it says nothing that can be read.

    Another version may have written it: unknown names are left out. Without a state nobody knows
    how the run is: it counts as failed.
    """
    values = read_table(folder / STATUS)
    if values is None:
        return None
    known = {one.name for one in fields(Status)}
    kept = {name: each for name, each in values.items() if name in known and each is not None}
    return Status(**{"state": FAILED, **kept})
