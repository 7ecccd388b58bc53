"""A run tried without a trace: its data, a few of its steps, and what the whole will take."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from gsema_core.datasets import Case, Split, find_cases, split_by_patient
from gsema_core.datasets.examination import Examined
from gsema_core.datasets.patches import PatchPair
from gsema_core.errors import UserError
from gsema_core.files.label_maps import dropped_were_told
from gsema_core.machine.devices import resolve_device
from gsema_core.machine.memory import is_out_of_memory, peak_memory_mb
from gsema_core.machine.ranks_environment import RanksEnvironment
from gsema_core.machine.threads import thread_limit
from gsema_core.stop_signals import stop_signals
from gsema_core.training.beginning import begin
from gsema_core.training.checkpoint import Progress
from gsema_core.training.config import TrainingConfig
from gsema_core.training.dry_run_report import Measured, Part
from gsema_core.training.loader import load_batches
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.prepared_cases import PreparedCases, describe, prepare
from gsema_core.training.run_files import CHECKPOINT
from gsema_core.training.run_reporter import Report, RunReporter
from gsema_core.training.target_transform import build_target_transform
from gsema_core.training.trainer import Trainer
from gsema_core.training.validation import validate, validation_settings

PREPARED_CASES = 4
"""Cases for training that are prepared; the patches are drawn from them (ours)."""

FEWEST_STEPS, SECONDS_OF_STEPS = 5, 10.0
"""Steps after the first, and the seconds for which short ones go on (ours)."""


class _Reporter(RunReporter):
    """Tells its caller of progress, keeps what else is said, and writes no file."""

    def __init__(self, folder: Path, report: Report, every_s: float) -> None:
        super().__init__(folder, report, every_s)
        self.found: list[str] = []

    def report(self, line: str) -> None:
        self.found.append(line)

    def show(self, **changes: Any) -> None:
        """There is no status of a run that does not take place."""


def dry_run(config: TrainingConfig, report: Report) -> str:
    """Try a run: examine all cases, prepare a few, make some steps and a validation.

    Nothing is written into the run's folder or its cache: what is prepared lies in a temporary
    folder until the end.

    Args:
        config: of the run.
        report: gets a line of progress now and then.

    Returns:
        Lines that say what was found, what was measured and what was not.

    Raises:
        UserError: the run would be refused, or has nothing left to do.
        Cancelled: SIGTERM came.
    """
    if RanksEnvironment.of(os.environ).size > 1:
        raise UserError("--dry-run is for one process: start it without torchrun.")
    with (
        thread_limit(config.run.threads or None),
        stop_signals() as stop,
        tempfile.TemporaryDirectory(prefix="gsema-dry-run-") as scratch,
    ):
        reporter = _Reporter(config.run.output, report, config.run.progress_s)
        with reporter.watched():
            measured = _Trial(config, Path(scratch), reporter, stop).run()
    return "\n".join(measured.lines(datetime.now()))


class _Trial:
    """One dry run; `run` measures all of it.

    Args:
        config: of the run.
        scratch: a folder that is removed afterwards.
        reporter: keeps what is said of the cases.
        stop: whether to end early.
    """

    def __init__(
        self,
        config: TrainingConfig,
        scratch: Path,
        reporter: _Reporter,
        stop: Callable[[], bool],
    ) -> None:
        self.config, self.scratch, self.reporter, self.stop = config, scratch, reporter, stop
        self.device = resolve_device(config.run.device)
        self.transform = build_target_transform(config)

    def run(self) -> Measured:
        data, run = self.config.data, self.config.run
        cases = find_cases(data.datalist, tell=self.reporter.report)
        split = split_by_patient(cases, data.centers, data.validation_share, run.seed)
        trainer, progress = self._begin()
        step = trainer.step
        everyone = (*split.training, *split.validation)
        began = monotonic()
        accept = data.accept_labels or step > 0  # a run that goes on has been accepted
        examined = describe(split, accept, self.reporter, self.stop)
        examining = monotonic() - began
        volume = {each.case: _mm3(each) for each in examined}
        prepared, preparing = self._prepare(split, examined, volume)
        trainer, batch, steps, waiting = self._steps(trainer, prepared)
        return Measured(
            config=trainer.config,
            found=tuple(self.reporter.found),
            computing=trainer.computing,
            threads=torch.get_num_threads(),
            weights=sum(each.numel() for each in trainer.student.parameters()),
            shapes=(tuple(batch.source_image.shape), tuple(batch.source_labels.shape)),
            step=step,
            spent=progress.seconds,
            stale=self._stale(step, progress) if split.validation else None,
            examining=Part(examining, len(everyone), len(everyone), examining),
            preparing=preparing,
            validating=self._validate(trainer, prepared, split, volume),
            steps=steps,
            waiting=waiting,
            memory_mb=_memory(self.device),
        )

    def _stale(self, step: int, progress: Progress) -> int:
        """After the validation of the teacher to start from, which comes before the first step."""
        return 0 if step == 0 and self.config.run.initial_teacher else progress.stale_so_far

    def _begin(self, fit: Fit | None = None) -> tuple[Trainer, Progress]:
        checkpoint = self.config.run.output / CHECKPOINT
        return begin(self.config, checkpoint, self.device, fit=fit, tell=self.reporter.report)

    def _prepare(
        self, split: Split, examined: Sequence[Examined], volume: dict[Case, float]
    ) -> tuple[PreparedCases, Part]:
        """A few cases, the largest first: they take the most memory."""
        ill = {each.case for each in examined if each.facts and each.facts.aneurysms}
        by_volume = sorted(split.training, key=lambda case: -volume[case])
        with_aneurysm = [case for case in by_volume if case in ill] or by_volume
        of_centers = {case.center: case for case in reversed(with_aneurysm)}  # donors of amplitudes
        wanted = [by_volume[0], *of_centers.values(), *with_aneurysm]
        chosen = list(dict.fromkeys(wanted))[:PREPARED_CASES]
        kept_out = sorted(split.validation, key=lambda case: -volume[case])[:1]
        config = replace(self.config, data=replace(self.config.data, cache=self.scratch / "cache"))
        count, began = len(self.reporter.found), monotonic()
        part = Split(tuple(chosen), tuple(kept_out))
        with dropped_were_told():
            prepared = prepare(config, part, (), self.reporter, self.stop)
        seconds = monotonic() - began
        del self.reporter.found[count:]  # what it says of its cases is not true of all
        share = sum(volume[case] for case in (*chosen, *kept_out)) / sum(volume.values())
        return prepared, Part(seconds, len(chosen) + len(kept_out), len(volume), seconds / share)

    def _steps(
        self, trainer: Trainer, cases: PreparedCases
    ) -> tuple[Trainer, PatchPair, tuple[float, ...], tuple[float, ...]]:
        """Make steps as the run does, with less at once where the memory does not suffice."""
        while True:
            try:
                return trainer, *self._some_steps(trainer, cases)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                fit = Fit.of(trainer.config).smaller(self.config.network.multiple)
            self.reporter.report(
                f"The memory of {self.device} is too small for the settings: the run goes on with "
                f"{fit} instead of {Fit.of(self.config)}, as here."
            )
            # Not in the handler: the error's frames would keep the networks in memory.
            del trainer
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            trainer, _ = self._begin(fit)

    def _some_steps(
        self, trainer: Trainer, cases: PreparedCases
    ) -> tuple[PatchPair, tuple[float, ...], tuple[float, ...]]:
        """A batch, and the seconds of each step and of its waiting for patches."""
        seconds: list[float] = []
        waiting: list[float] = []
        batch = None
        parts = trainer.config, cases, self.transform, trainer.step, trainer.ranks
        began = monotonic()
        with closing(load_batches(*parts, self.stop)) as batches:
            for of_step in batches:
                waiting.append(monotonic() - began)
                self.reporter.doing(f"Step {len(seconds) + 1}")
                trainer.train_step(of_step)
                batch = of_step[0]
                now = monotonic()
                seconds.append(now - began)
                began = now
                if len(seconds) > FEWEST_STEPS and sum(seconds[1:]) >= SECONDS_OF_STEPS:
                    break
        self.reporter.doing("")
        if batch is None:
            raise UserError(
                f"The run in {self.config.run.output} has made its {trainer.step} steps: nothing "
                "is left to try. Set more steps, or another output folder."
            )
        return batch, tuple(seconds), tuple(waiting)

    def _validate(
        self, trainer: Trainer, cases: PreparedCases, split: Split, volume: dict[Case, float]
    ) -> Part | None:
        if not cases.validation:
            return None
        self.reporter.doing("A validation")
        data, began = trainer.config.data, monotonic()
        settings = validation_settings(trainer.config)
        teacher, volumes = trainer.teacher, cases.validation
        validate(
            teacher, volumes, data.patch, data.spacing_mm, settings, self.device, None, self.stop
        )
        seconds = monotonic() - began
        whole = sum(volume[case] for case in split.validation)
        share = sum(volume[case] for case in cases.split.validation) / whole
        return Part(seconds, len(volumes), len(split.validation), seconds / share)


def _mm3(examined: Examined) -> float:
    """The volume of a scan: what preparing and validating take the time for."""
    grid = examined.facts.geometry if examined.facts else None
    return (
        1.0 if grid is None else grid.voxel_volume_mm3 * grid.size[0] * grid.size[1] * grid.size[2]
    )


def _memory(device: torch.device) -> dict[str, float | None]:
    found = {
        "the most main memory of this process so far (VmHWM, else ru_maxrss)": peak_memory_mb()
    }
    if device.type == "cuda":
        name = str(device)
        found[f"the most that PyTorch took of {name} (max_memory_allocated)"] = peak_memory_mb(name)
    return found
