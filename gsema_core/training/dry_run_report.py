"""What a dry run measured, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean

from gsema_core.machine import Computing
from gsema_core.training.config import TrainingConfig
from gsema_core.training.pace import Ending, duration_text, ending


@dataclass(frozen=True)
class Part:
    """Work that was done for some of the cases, and what that means for all.

    Attributes:
        seconds: that it took.
        done, cases: how many of how many.
        all_seconds: for all, in proportion to the volume of the scans.
    """

    seconds: float
    done: int
    cases: int
    all_seconds: float

    def __str__(self) -> str:
        if self.done == self.cases:
            return f"{seconds_text(self.seconds)} for {counted_text(self.cases, 'case')}"
        return (
            f"{seconds_text(self.seconds)} for {self.done} of {self.cases} cases, which makes "
            f"{seconds_text(self.all_seconds)} for all by their volumes"
        )


@dataclass(frozen=True)
class Measured:
    """What a dry run measured.

    Attributes:
        config: of the run, with what the memory sufficed for.
        found: what was said of the cases and of the checkpoint.
        computing: on what the steps were made.
        threads: that PyTorch had for it.
        weights: of the student.
        shapes: of the batch's images and labels.
        step: that the run begins at.
        spent: seconds of steps that are behind it.
        stale: its validations in a row without a better teacher; None without validation cases.
        examining, preparing, validating: seconds; None where no case is validated.
        steps, waiting: seconds of each step, and of them those that it waited for patches.
        memory_mb: by what it is of; None where the system does not tell.
    """

    config: TrainingConfig
    found: tuple[str, ...]
    computing: Computing
    threads: int
    weights: int
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    step: int
    spent: float
    stale: int | None
    examining: Part
    preparing: Part
    validating: Part | None
    steps: tuple[float, ...]
    waiting: tuple[float, ...]
    memory_mb: dict[str, float | None]

    @property
    def pace(self) -> float:
        """Seconds a step, without the first where there are more."""
        return mean(self.steps[1:] or self.steps)

    @property
    def ending(self) -> Ending:
        """When the run would end at the latest."""
        validation = self.validating.all_seconds if self.validating else None
        end = ending(self.config.run, self.step, self.spent, self.pace, validation, self.stale)
        assert end is not None  # a pace was measured
        return end

    def lines(self, now: datetime) -> Iterator[str]:
        """The report.

        Args:
            now: when the run is said to begin.
        """
        run, data = self.config.run, self.config.data
        yield f"Dry run: nothing was written into {run.output}."
        yield from self.found
        kept_out = self.validating.cases if self.validating else 0
        yield (
            f"Cases: {self.examining.cases - kept_out} for training, {kept_out} to choose the "
            "teacher by."
        )
        if self.step:
            yield f"The run goes on at step {self.step}."
        images, labels = (" x ".join(map(str, shape)) for shape in self.shapes)
        size = " x ".join(f"{edge * data.spacing_mm:g}" for edge in data.patch)
        accumulated = f", {run.accumulate} such batches a step" if run.accumulate > 1 else ""
        yield (
            f"Batch: images {images} and labels {labels} of the source, and as many of the "
            f"target; a patch is {size} mm{accumulated}."
        )
        yield (
            f"Network: {self.config.network.kind}, {self.weights:,} weights; on "
            f"{self.computing.device} in {self.computing.precision}, "
            f"{counted_text(self.threads, 'thread')}."
        )
        for what, amount in self.memory_mb.items():
            told = "the system does not tell" if amount is None else f"{amount / 1024:.2f} GB"
            yield f"Memory: {told}, {what}."
        yield f"Examining: {self.examining}."
        yield f"Preparing: {self.preparing}, where none is in the cache yet."
        yield from self._steps()
        if self.validating:
            yield f"A validation: {self.validating}."
        yield from self._end(now)
        yield f"Not measured: {'; '.join(self._not_measured())}."

    def _steps(self) -> Iterator[str]:
        yield f"First step: {seconds_text(self.steps[0])}, with what it sets up."
        if rest := self.steps[1:]:
            waiting = sum(self.waiting[1:]) / sum(rest)
            yield (
                f"A step: {seconds_text(self.pace)}, the mean of {len(rest)} "
                f"({min(rest):.2g} to {max(rest):.2g} s), {100 * waiting:.0f} % of it waiting for "
                "patches."
            )

    def _end(self, now: datetime) -> Iterator[str]:
        run, end = self.config.run, self.ending
        total = self.preparing.all_seconds + end.seconds
        first = 0
        if not self.step:
            total += self.examining.all_seconds
            if self.validating and run.initial_teacher:  # the start is the first to beat
                total, first = total + self.validating.all_seconds, 1
        limit = (
            f"{run.steps} steps"
            if end.by == "steps"
            else f"{run.minutes:g} minute" + "s" * (run.minutes != 1)
        )
        at = (now + timedelta(seconds=total)).strftime("%Y-%m-%d %H:%M")
        patience = end.earliest_step is not None
        yield (
            f"Expected end: {duration_text(total)} after it begins{', at the latest' * patience}, "
            f"by its {limit}: at step {end.step}, with "
            f"{counted_text(end.validations + first, 'validation')}. Begun now, that is {at}."
        )
        if patience:
            yield f"Its patience of {run.patience} may end it from step {end.earliest_step} on."

    def _not_measured(self) -> Iterator[str]:
        data = self.config.data
        if len(self.steps) == 1:
            yield "any step but the first"
        if data.workers:
            yield f"the memory of {counted_text(data.workers, 'process')} for patches"
        if data.replay_share:
            yield "phantoms for replay, and patches of them"
        yield "writing checkpoints, models and pictures"
        yield "what other programs will take of the machine meanwhile"
        yield "several processes (torchrun), which share each batch"


def counted_text(number: int, what: str) -> str:
    """ "1 case", "2 cases"."""
    plural = "es" if what.endswith("s") else "s"
    return f"{number} {what}{plural if number != 1 else ''}"


def seconds_text(seconds: float) -> str:
    """A duration that was measured, with two digits: "0.053 s", "12 s", "about 3 min"."""
    return f"{seconds:.2g} s" if seconds < 99.5 else duration_text(seconds)
