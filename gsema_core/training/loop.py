"""What happens between the steps of a run: log, validate, keep the best teacher, checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchPair
from gsema_core.errors import Cancelled
from gsema_core.machine.waiting import WaitWatch
from gsema_core.training.board import Board
from gsema_core.training.checkpoint import NO_SCORE, Progress, save_checkpoint
from gsema_core.training.config import TrainingConfig
from gsema_core.training.control import Control
from gsema_core.training.final_teacher import write_teacher
from gsema_core.training.logbook import Logbook
from gsema_core.training.metrics_table import CLICKED, choosing_names, score_names
from gsema_core.training.pace import Ending, Pace, ending, what_ends
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.run_display import RunDisplay
from gsema_core.training.run_files import CHECKPOINT, TEACHER
from gsema_core.training.run_reporter import RunReporter
from gsema_core.training.shared_validation import validate_together
from gsema_core.training.status import counted
from gsema_core.training.step_text import steps_sentence
from gsema_core.training.throughput import Throughput
from gsema_core.training.trainer import StepRecord, Trainer
from gsema_core.training.validation import validate, validation_settings

PAUSE_LOOK_S = 0.5
"""How often a paused run looks whether it may go on (ours)."""

WHOLE_S = 2.0
"""How long the networks may be between two steps where the run is ended: milliseconds (ours)."""

SAVE_S = 300.0
"""The most seconds of steps that a crash costs, however long a step takes (ours)."""

SHOW_S = 2.0
"""How old the status may get while steps are made: the panel looks every second (ours)."""


class Loop:
    """Runs a trainer to its end, or until it is stopped. Of several ranks, the first writes.

    Args:
        asked: the configuration; the trainer's differs where memory was short.
        trainer: at the step to go on from.
        progress: likewise.
        cases: what is trained on.
        control: says when to stop and when to wait.
        reporter: tells how it goes.
    """

    def __init__(
        self,
        asked: TrainingConfig,
        trainer: Trainer,
        progress: Progress,
        cases: PreparedCases,
        control: Control,
        reporter: RunReporter,
    ) -> None:
        self.asked = asked
        self.config = trainer.config
        self.trainer = trainer
        self.ranks = trainer.ranks
        self.progress = progress
        self.cases = cases
        self.control = control
        self.reporter = reporter
        self.folder: Path = asked.run.output
        self.pace = Pace()
        self.waiting = WaitWatch("A step", torch.get_num_threads())
        self.saved_seconds = progress.seconds
        self.unsaid: list[StepRecord] = []
        self.shown_at = 0.0
        run = trainer.config.run
        self.throughput = Throughput(self.ranks, run.batch_size * run.accumulate)
        board = Board(self.folder, reporter.warn)
        self.logbook = Logbook(self.folder, board, self.config.network.takes_clicks)
        most = max(1, len(cases.validation) // self.ranks.size)  # the first rank scores them
        self.display = RunDisplay(asked, cases, board, reporter, most)
        if self.ranks.is_first:
            begun = trainer.step > 0 or progress.validated_step == 0
            self.logbook.resume_at(trainer.step if begun else -1)
            self.display.resume_at(trainer.step)

    def run(self, batches: Iterator[list[PatchPair]]) -> None:
        """Make steps until the run is over or stopped; then save.

        Raises:
            UserError: the run's folder cannot be written to any more.
        """
        self._show("training")
        try:
            self._validate_if_due()
            with suppress(Cancelled):  # while it waited for patches
                while not self._ends():
                    self._doing("Waiting for the patches of step")
                    with self.throughput.waiting_for_data():
                        patches = next(batches)
                    self._step(patches)
        finally:
            self.reporter.doing("")
            self.logbook.board.close()
        self._save()
        if self.ranks.is_first:
            self.display.draw_curves(self.trainer.step)

    def rescue(self) -> None:
        """Save what the steps so far made, from another thread: this one's step takes too long."""
        if self.trainer.whole.acquire(timeout=WHOLE_S):  # and is never released: the process ends
            self._save()

    @property
    def finished(self) -> str:
        """`over` where nothing is left to do, the last teacher's validation included."""
        return self.over() if self.progress.validated_step == self.trainer.step else ""

    def over(self) -> str:
        """What ends the run by itself: steps, minutes or patience; empty where nothing does."""
        progress = self.progress
        return what_ends(self.config.run, self.trainer.step, progress.seconds, progress.stale)

    def _ends(self) -> bool:
        """Whether to leave the loop, after the end of any pause; the first rank decides."""
        pause = self.control.pause_asked() and not self.control.stop_asked()
        if self.ranks.from_first(pause and not self.over()):
            if self.ranks.is_first:
                self._pause()
            self.ranks.wait_for_first()
            self.pace.mark()
        over = self.ranks.from_first(self.over())
        return self.ranks.any(bool(over) or self.control.stop_asked())

    def _pause(self) -> None:
        self.reporter.doing("")
        self._save()  # whoever pauses may switch the machine off
        self._say(f"Paused at step {self.trainer.step}.", "paused")
        while self.control.pause_asked() and not self.control.stop_asked():
            time.sleep(PAUSE_LOOK_S)
        self._say(f"Going on at step {self.trainer.step}.", "training")

    def _step(self, batches: list[PatchPair]) -> None:
        run = self.config.run
        if run.minutes:
            spent = self.progress.seconds / (60 * run.minutes)
            self.trainer.time_spent.share = self.ranks.from_first(spent)
        self._doing("Step")
        record = self._timed_step(batches)
        self.logbook.records.append(record)
        self.unsaid.append(record)
        step = self.trainer.step
        self.progress.seconds += self.pace.step()
        over = self.ranks.from_first(self.over())
        if step % run.log_every == 0 or over:
            rate, steps = self.pace.rate(), len(self.logbook.records)
            self.throughput.measure(rate * steps, steps)
            losses = self.ranks.mean(self.trainer.teacher_losses(batches[-1]))
            if self.ranks.is_first:
                self.logbook.write_steps(self.trainer, self.progress.seconds, rate, losses)
        if over:
            self.reporter.report(self._line())
        else:
            self.reporter.progress(self._line)
        is_old = time.monotonic() - self.shown_at >= SHOW_S
        if over or is_old or self.reporter.status.seconds_left is None:
            self._show("training", message=f"Step {self._place()}.")
        self._validate_if_due()
        unsaved = self.progress.seconds - self.saved_seconds
        if step % run.checkpoint_every == 0 or unsaved >= SAVE_S:
            self._save()

    def _timed_step(self, batches: list[PatchPair]) -> StepRecord:
        """Make a step, and say once where steps wait for cores."""
        started, worked = time.perf_counter(), time.process_time()
        record = self.trainer.train_step(batches)
        # A GPU is waited for, and so are other ranks.
        if self.trainer.device.type == "cpu" and self.ranks.size == 1:
            spent = time.perf_counter() - started, time.process_time() - worked
            if note := self.waiting.add(*spent):
                self.reporter.warn(note)
        return record

    def _doing(self, what: str) -> None:
        self.reporter.doing(f"{what} {self.trainer.step + 1}", self.pace.seconds_per_step)

    def _line(self) -> str:
        """How far the run is, and what the steps since the last such line were like."""
        records, self.unsaid = self.unsaid, []
        end = self._ending()
        left = f", {end.text}" if end else ""
        pace = self.pace.seconds_per_step or 0.0
        sentence = steps_sentence(records, self.config.method.gate_scope)
        return f"[{self._place()}{left}] {sentence}, {pace:.2g} s a step{self.throughput.text}"

    def _validate_if_due(self) -> None:
        """Validate the teacher to start from, after every so many steps, and at the end."""
        step, progress = self.trainer.step, self.progress
        due = step % self.config.run.validate_every == 0 or bool(self.over())
        if step == 0:
            due = bool(self.config.run.initial_teacher and self.cases.validation)
        if self.ranks.from_first(due and progress.validated_step != step):
            with suppress(Cancelled):  # the run that goes on begins with this validation
                self._validate()
            self.ranks.wait_for_first()
            self.pace.mark()
            self.progress = self.ranks.from_first(progress)

    def _validate(self) -> None:
        """Score the teacher, on all ranks, and keep it where it is the best so far.

        Raises:
            Cancelled: the run is to be stopped.
        """
        trainer, progress = self.trainer, self.progress
        usual = self.pace.validation_seconds
        self.reporter.doing(f"The validation after step {trainer.step}", usual)
        scores = self._scores() if self.cases.validation else {}
        if not self.ranks.is_first:
            return
        progress.validated_step = trainer.step
        if (trainer.step or not progress.new_to_clicks) and progress.keeps(trainer.step, scores):
            write_teacher(self.folder / TEACHER, self.asked, trainer, progress, self.cases)
        self.pace.validation_seconds = self.pace.mark()
        self._show("training")

    def _scores(self) -> dict[str, float]:
        """Validate on all ranks; those scores whose mean chooses the teacher."""
        self._show("validating")
        volumes, names = self.cases.validation, score_names(self.config.network.takes_clicks)
        shown = [*self.display.shown.values()]
        scores = validate_together(self.ranks, volumes, shown, self._score_of, names)
        if self.ranks.is_first:
            self.logbook.write_validation(self.trainer.step, self.progress.seconds, scores)
        count = f"{len(volumes)} case{'' if len(volumes) == 1 else 's'}"
        self.reporter.report(
            f"[{self._place()}] teacher on {count} kept out: aneurysm Dice "
            f"{scores['aneurysm_dice']:.3f}, vessel {scores['vessel_dice']:.3f}"
            + (f", after a click in each {scores[CLICKED]:.3f}" if CLICKED in scores else "")
        )
        if self.ranks.is_first:
            self.display.validated(self.trainer.step)
        chosen = choosing_names(self.cases.validation_score, CLICKED in scores)
        return {name: scores[name] for name in chosen}

    def _score_of(self, volume: CachedVolume) -> dict[str, float]:
        data, device = self.config.data, self.trainer.device
        how = data.patch, data.spacing_mm, validation_settings(self.config), device
        return validate(self.trainer.teacher, [volume], *how, self._see, self.control.stop_asked)

    def _see(
        self, volume: CachedVolume, predicted: NDArray[np.uint8], scores: dict[str, float]
    ) -> None:
        number, count = self.cases.validation.index(volume) + 1, len(self.cases.validation)
        self.reporter.progress(f"[{self._place()}] validated case {number} of {count}")
        self.display.see(self.trainer.step, volume, predicted, scores)

    def _save(self) -> None:
        if self.ranks.is_first:
            save_checkpoint(self.folder / CHECKPOINT, self.trainer, self.progress, self.asked)
        self.saved_seconds = self.progress.seconds

    def _ending(self) -> Ending | None:
        progress, pace = self.progress, self.pace
        stale = progress.stale_so_far if self.cases.validation else None
        spent = progress.seconds, pace.seconds_per_step, pace.validation_seconds
        return ending(self.config.run, self.trainer.step, *spent, stale)

    def _place(self) -> str:
        run = self.config.run
        return counted(self.trainer.step, run.steps, run.minutes, "/")

    def _say(self, message: str, state: str) -> None:
        self.reporter.report(message)
        self._show(state, message=message)

    def _show(self, state: str, **changes: Any) -> None:
        progress, end = self.progress, self._ending()
        self.shown_at = time.monotonic()
        self.reporter.show(
            state=state,
            best_score=None
            if progress.best_score == NO_SCORE
            else round(progress.automatic_score, 4),
            best_step=progress.best_step,
            **self.pace.shown(self.config.run, self.trainer.step, progress.seconds, end),
            **changes,
        )
