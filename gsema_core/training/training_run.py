"""A training run, from its configuration to its teacher file."""

from __future__ import annotations

import gc
import shutil
import signal
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from gsema_core.datasets import Split, find_cases, split_by_patient
from gsema_core.error_log import log_unexpected
from gsema_core.errors import BrokenOffError, Cancelled, UserError
from gsema_core.files.atomic import make_folder
from gsema_core.files.image_names import image_stem
from gsema_core.machine.devices import resolve_device
from gsema_core.machine.memory import is_out_of_memory
from gsema_core.machine.threads import thread_limit
from gsema_core.stop_signals import STOPPING, asked_to_stop, last_act, stop_signals
from gsema_core.training.beginning import begin
from gsema_core.training.beside import Beside
from gsema_core.training.checkpoint import Progress, save_checkpoint
from gsema_core.training.config import TrainingConfig
from gsema_core.training.control import Control
from gsema_core.training.loader import load_batches
from gsema_core.training.lock import held
from gsema_core.training.loop import Loop
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.prepared_cases import PreparedCases, check_labels
from gsema_core.training.ranks import Ranks, joined_ranks, rank_device
from gsema_core.training.run_files import CHECKPOINT, ERRORS, PICTURES, REPLAY, TEACHER
from gsema_core.training.run_record import write_cases, write_config
from gsema_core.training.run_reporter import RunReporter, SilentReporter
from gsema_core.training.shared_preparation import prepare_together
from gsema_core.training.status import FINISHED, STOPPED, counted
from gsema_core.training.target_transform import build_target_transform
from gsema_core.training.train_log import Report, TrainLog
from gsema_core.training.trainer import Trainer


@dataclass(frozen=True)
class TrainingResult:
    """What a run left behind.

    Attributes:
        teacher: the best teacher by validation, or the last where nothing was kept out.
        step: steps made in all.
        finished: False where the run was stopped; the same call goes on with it.
        best_score: mean aneurysm Dice of that teacher on the validation cases (on vessels where
            none has an aneurysm); -1 without.
        rank: of this process among those of torchrun; 0 is the one to report.
    """

    teacher: Path | None
    step: int
    finished: bool
    best_score: float
    rank: int = 0


def train(
    config: TrainingConfig,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
    summarize: bool = False,
) -> TrainingResult:
    """Train, or go on with the run that ``config.run.output`` holds.

    Where the device has too little memory, the batch and then the patch become smaller, and the
    run goes on from its last checkpoint. Processes that torchrun starts share every batch; the
    first alone writes and reports.

    Args:
        config: what to do.
        report: gets one line of text now and then; default: prints to stderr.
        stop: asked between steps; True ends the run with a checkpoint. SIGTERM, SIGUSR1, SIGINT and
            a file ``stop`` in the output folder do the same (signals where this is called in the
            main thread); a file ``pause`` makes it wait.
        summarize: examine all cases and report what they hold, where the run begins.

    Raises:
        UserError: the data, the configuration or the output folder cannot be used, or another
            run is at work in it.
    """
    with (
        thread_limit(config.run.threads or None),
        stop_signals(*STOPPING, signal.SIGINT) as signalled,
        joined_ranks() as ranks,
    ):
        folder = make_folder(config.run.output)
        control = Control(folder, signalled, *([stop] if stop else []))
        first = ranks.is_first
        with held(folder) if first else nullcontext():
            every = config.run.progress_s
            log = TrainLog(folder, report)
            reporter = RunReporter(folder, log.report, every) if first else SilentReporter(folder)
            try:
                if first:
                    _remove_leftovers(folder)
                    log.begin(ranks.size)
                run = _Run(config, control, reporter, ranks)
                with (
                    asked_to_stop(control.stop_asked),
                    last_act(run.rescue),
                    reporter.watched(),
                ):
                    result = run.run(summarize)
                if first and not result.finished:
                    log.write(reporter.status.message)
                return result
            except BaseException as error:
                reporter.fail(error)
                if first and folder.is_dir():
                    log.fail(error)
                if isinstance(error, UserError | OSError) and not folder.is_dir():
                    raise BrokenOffError(
                        f"The run's folder {folder} is gone: put it back, and start the run again "
                        "to go on from its last checkpoint."
                    ) from error
                what = f"Process {ranks.rank} of the training failed."
                log_unexpected(error, folder / ERRORS, what, reporter.private)
                raise


class _Run:
    """A run in a folder that it holds, from its datalist to its end."""

    def __init__(
        self, config: TrainingConfig, control: Control, reporter: RunReporter, ranks: Ranks
    ) -> None:
        self.config = config
        self.control = control
        self.reporter = reporter
        self.device = rank_device(resolve_device(config.run.device))
        self.ranks = ranks
        ranks.share(config.run.batch_size)  # refused now rather than after the long part
        self.transform = build_target_transform(config)
        self.checkpoint = config.run.output / CHECKPOINT
        self.loop: Loop | None = None
        self.began_at = 0

    def run(self, summarize: bool) -> TrainingResult:
        self.reporter.show(device=str(self.device), message="Reading the list of cases.")
        split = self._split()
        trainer, progress = self._begin()  # before the long part, because it may be refused
        self.began_at = trainer.step
        self._record(trainer, split)
        run = self.config.run
        done = {"step": trainer.step, "seconds": round(progress.seconds, 1)}
        self.reporter.show(steps=run.steps, minutes=run.minutes, **done)
        try:
            cases = self._prepare(split, summarize)
        except Cancelled:
            return self._end(trainer, progress)
        while True:
            self._compare(cases, progress)
            try:
                return self._loop(trainer, progress, cases)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                smaller = self._smaller(trainer)
            # Not in the handler: the error's frames would keep the networks in memory.
            del trainer
            trainer, progress = self._begin_smaller(smaller)

    def _record(self, trainer: Trainer, split: Split) -> None:
        """Write what the run is made of into its folder; it goes on where that cannot be."""
        if self.ranks.is_first:
            with Beside("Settings and cases cannot be recorded", self.reporter.warn)():
                write_config(self.config, Fit.of(trainer.config))
                write_cases(self.config, split.listed)

    def _split(self) -> Split:
        data = self.config.data
        cases = find_cases(data.datalist, tell=self.reporter.report)
        for case in cases:
            stem = image_stem(case.image.name) or case.image.name
            self.reporter.keep_private((case.patient, stem))
        return split_by_patient(cases, data.centers, data.validation_share, self.config.run.seed)

    def _begin(self) -> tuple[Trainer, Progress]:
        try:
            tell = self.reporter.report
            return begin(self.config, self.checkpoint, self.device, self.ranks, tell=tell)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise UserError(
                f"The memory of {self.device} is too small for the networks: end other programs "
                "that use it, set device to cpu, or choose a network with fewer features."
            ) from error

    def _prepare(self, split: Split, summarize: bool) -> PreparedCases:
        new, stop = not self.checkpoint.exists(), self.control.stop_asked
        cases = prepare_together(
            self.config, split, self.ranks, self.reporter, stop, summarize and new
        )
        if new and not summarize:  # which has looked already
            check_labels(cases, self.config, self.reporter)  # all ranks see the same
        return cases

    def _compare(self, cases: PreparedCases, progress: Progress) -> None:
        """Say where the cases changed since the run began: its numbers cannot be repeated then."""
        found = self._fingerprint(cases)
        if progress.cases and progress.cases != found:
            self.reporter.warn(
                "The cases are not those that this run began with: it goes on with what they are "
                "now."
            )
        progress.cases = found

    def _fingerprint(self, cases: PreparedCases) -> str:
        """Of the cases, which every machine must have prepared alike; read once on each."""
        own = cases.fingerprint() if self.ranks.local_rank == 0 else ""
        self.ranks.wait_for_first()  # it takes minutes where the cases fill a disk
        found = self.ranks.from_first(own)
        if self.ranks.any(own not in ("", found)):
            self.reporter.warn(
                "The machines of this run have prepared different voxels: its numbers cannot be "
                "repeated. Look whether the images and labels of the datalist are the same files "
                "on all of them."
            )
        return found

    def _loop(self, trainer: Trainer, progress: Progress, cases: PreparedCases) -> TrainingResult:
        if trainer.step:
            self.reporter.say(f"Going on at step {self._place(trainer.step)}.")
        loop = Loop(self.config, trainer, progress, cases, self.control, self.reporter)
        self.loop = loop
        # Several ranks stop together, between two steps.
        stop = self.control.stop_asked if self.ranks.size == 1 else bool
        parts = trainer.config, cases, self.transform, trainer.step, trainer.ranks
        with closing(load_batches(*parts, stop)) as batches:
            loop.run(batches)
        return self._end(trainer, loop.progress, loop.finished)

    def rescue(self) -> None:
        """Keep the steps so far and say so, from another thread: this one's work hangs."""
        if self.loop is not None:
            self.loop.rescue()
        self.control.forget()
        step = self.loop.trainer.step if self.loop else self.began_at
        self.reporter.show(
            state=STOPPED,
            step=step,
            seconds_left=None,
            message=_stopped(self._place(step)),
        )

    def _place(self, step: int) -> str:
        return counted(step, self.config.run.steps, self.config.run.minutes)

    def _smaller(self, trainer: Trainer) -> Fit:
        """What may fit into the memory; several ranks would have to find it out together."""
        if self.ranks.size > 1:
            raise UserError(
                f"The memory of {self.device} is too small: set a smaller batch_size in [run] or "
                "patch in [data], or give more processes a share of the batch."
            )
        return Fit.of(trainer.config).smaller(self.config.network.multiple)

    def _begin_smaller(self, fit: Fit) -> tuple[Trainer, Progress]:
        """Go back to the last checkpoint with settings that take less memory."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.reporter.warn(
            f"The memory of {self.device} is too small for the settings: going on with {fit} "
            f"instead of {Fit.of(self.config)}."
        )
        trainer, progress = begin(self.config, self.checkpoint, self.device, fit=fit)
        # At once: were it killed before the next checkpoint, it would go on otherwise.
        save_checkpoint(self.checkpoint, trainer, progress, self.config)
        with Beside("Settings cannot be recorded", self.reporter.warn)():
            write_config(self.config, fit)
        return trainer, progress

    def _end(self, trainer: Trainer, progress: Progress, finished: str = "") -> TrainingResult:
        """Say how the run ended: ``finished`` is why, and empty where it was stopped."""
        self.control.forget()
        place = self._place(trainer.step)
        if finished:
            message = (
                f"Finished at step {place}, as {finished}; the best teacher is that of step "
                f"{progress.best_step}."
            )
            self.reporter.report(message)
        else:
            message = _stopped(place)
        self.reporter.show(
            state=FINISHED if finished else STOPPED,
            step=trainer.step,
            seconds_left=0.0 if finished else None,
            message=message,
        )
        teacher = self.config.run.output / TEACHER
        return TrainingResult(
            teacher if teacher.exists() else None,
            trainer.step,
            bool(finished),
            progress.automatic_score,
            self.ranks.rank,
        )


def _stopped(place: str) -> str:
    return f"Stopped at step {place}; starting it again goes on from there."


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed run was writing; no other run writes here while the folder is held."""
    for place in ("", "cache/", f"{PICTURES}/", f"{REPLAY}/", f"{REPLAY}/*/"):
        for path in folder.glob(f"{place}.writing-*"):
            shutil.rmtree(path, ignore_errors=True)
