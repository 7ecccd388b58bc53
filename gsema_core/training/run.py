"""The training loop: patches in, log lines, validations, checkpoints and a teacher file out."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils.data import DataLoader

from gsema_core.datasets import PatchDataset, Split, VolumeCache, read_datalist, split_by_patient
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.patches import PatchPair, PatchSampler
from gsema_core.errors import UserError
from gsema_core.files import make_folder
from gsema_core.inference.devices import resolve_device
from gsema_core.networks import SegmentationNetwork, build_network
from gsema_core.teachers import find_teacher, load_teacher
from gsema_core.training.checkpoint import NO_SCORE, Progress, load_checkpoint, save_checkpoint
from gsema_core.training.config import TrainingConfig
from gsema_core.training.logbook import Logbook
from gsema_core.training.result import write_teacher
from gsema_core.training.trainer import Trainer
from gsema_core.training.validation import validate
from gsema_core.transforms import Transform, build_transform
from gsema_core.volumes import IntensityRule

CHECKPOINT = "checkpoint.pt"
TEACHER = "teacher.safetensors"

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingResult:
    """What a run left behind.

    Attributes:
        teacher: the best teacher by validation, or the last where nothing was kept out.
        step: steps made in all.
        finished: False where the run was stopped; the same call goes on with it.
        best_score: mean aneurysm Dice of that teacher on the validation patients; -1 without.
    """

    teacher: Path | None
    step: int
    finished: bool
    best_score: float


def train(
    config: TrainingConfig,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Train, or go on with the run that ``config.run.output`` holds.

    Args:
        config: what to do.
        report: gets one line of text now and then; default: prints to stderr.
        stop: asked between steps; True ends the run with a checkpoint. SIGTERM and SIGINT do the
            same where this is called in the main thread.

    Raises:
        UserError: the data, the configuration or the output folder cannot be used.
    """
    report = report or (lambda line: print(line, file=sys.stderr, flush=True))
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    device = resolve_device(config.run.device)
    split = split_by_patient(
        read_datalist(config.data.datalist),
        config.data.centers,
        config.data.validation_share,
        config.run.seed,
    )
    folder = make_folder(config.run.output)
    torch.manual_seed(config.run.seed)
    trainer = Trainer(config, _first_student(config), device)
    transform = build_transform(config.method.transform)
    training, validation = _load(config, split, report)  # long, so after all that may be refused
    progress = Progress()
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        progress = load_checkpoint(checkpoint, trainer)
        report(f"Going on at step {trainer.step} of {config.run.steps}.")
    with _stop_on_signals() as signalled:
        asked_to_stop = lambda: signalled.is_set() or (stop is not None and stop())  # noqa: E731
        loop = _Loop(config, trainer, progress, split, validation, device, report, asked_to_stop)
        loop.run(_batches(config, training, transform, trainer.step))
    teacher = folder / TEACHER
    return TrainingResult(
        teacher if teacher.exists() else None,
        trainer.step,
        trainer.step >= config.run.steps,
        progress.best_score,
    )


class _Loop:
    """What happens between steps: log, validate, keep the best teacher, checkpoint."""

    def __init__(
        self,
        config: TrainingConfig,
        trainer: Trainer,
        progress: Progress,
        split: Split,
        validation: list[CachedVolume],
        device: torch.device,
        report: Report,
        stop: Callable[[], bool],
    ) -> None:
        self.config = config
        self.trainer = trainer
        self.progress = progress
        self.split = split
        self.validation = validation
        self.device = device
        self.report = report
        self.stop = stop
        self.folder = config.run.output
        self.logbook = Logbook(self.folder)
        self.logbook.resume_at(trainer.step)

    def run(self, batches: Iterator[list[PatchPair]]) -> None:
        run = self.config.run
        clock = time.monotonic()
        logged_at, logged_step = clock, self.trainer.step
        while self.trainer.step < run.steps and not self.stop():
            self.logbook.add(self.trainer.train_step(next(batches)))
            step, now = self.trainer.step, time.monotonic()
            self.progress.seconds += now - clock
            clock = now
            if step % run.log_every == 0 or step == run.steps:
                rate = (now - logged_at) / (step - logged_step)
                self._log(rate)
                logged_at, logged_step = now, step
            if step % run.validate_every == 0 or step == run.steps:
                self._validate()
                clock = logged_at = time.monotonic()  # validating is no part of a step's time
                logged_step = step
            if step % run.checkpoint_every == 0:
                self._save()
        self._save()

    def _log(self, rate: float) -> None:
        step, steps = self.trainer.step, self.config.run.steps
        line = self.logbook.write_steps(
            step, self.progress.seconds, float(self.trainer.scheduler.get_last_lr()[0]), rate
        )
        self.report(f"[{step}/{steps}, {(steps - step) * rate / 60:.0f} min left] {line}")

    def _validate(self) -> None:
        """Score the teacher and keep it where it is the best so far."""
        trainer, progress = self.trainer, self.progress
        score = NO_SCORE
        if self.validation:
            scores = validate(trainer.teacher, self.validation, self.config.data.patch, self.device)
            self.logbook.write_validation(trainer.step, progress.seconds, scores)
            score = scores["aneurysm_dice"]
            self.report(
                f"[{trainer.step}/{self.config.run.steps}] teacher on {len(self.validation)} "
                f"patients kept out: aneurysm Dice {score:.3f}, vessel {scores['vessel_dice']:.3f}"
            )
        if score >= progress.best_score:
            progress.best_score, progress.best_step = score, trainer.step
            write_teacher(self.folder / TEACHER, trainer, progress, self.split)

    def _save(self) -> None:
        save_checkpoint(self.folder / CHECKPOINT, self.trainer, self.progress)


def _load(
    config: TrainingConfig, split: Split, report: Report
) -> tuple[list[CachedVolume], list[CachedVolume]]:
    rule = IntensityRule(config.data.low_percentile, config.data.high_percentile)
    folder = config.data.cache if config.data.cache != Path() else config.run.output / "cache"
    cache = VolumeCache(folder, config.data.spacing_mm, rule)
    report(
        f"Preparing {len(split.training)} cases for training and {len(split.validation)} for "
        f"validation at {config.data.spacing_mm:g} mm."
    )
    training, validation = (
        [cache.load(case) for case in cases] for cases in (split.training, split.validation)
    )
    without = sum(not len(volume.aneurysm_voxels) for volume in training)
    if without == len(training):
        raise UserError(
            f"None of the {without} training cases has an aneurysm voxel (label 2): check the "
            "labels of the datalist."
        )
    report(f"{len(training) - without} of {len(training)} training cases hold an aneurysm.")
    return training, validation


def _first_student(config: TrainingConfig) -> SegmentationNetwork:
    student = build_network(config.network)
    if config.run.initial_teacher:
        teacher = load_teacher(find_teacher(config.run.initial_teacher))
        if teacher.card.network_config() != config.network:
            raise UserError(
                f"The teacher {config.run.initial_teacher} has another network than the "
                "configuration: copy its [network] settings from `gsema teacher info`."
            )
        student.load_state_dict(teacher.network.state_dict())
    return student


def _batches(
    config: TrainingConfig, volumes: list[CachedVolume], transform: Transform[Any], step: int
) -> Iterator[list[PatchPair]]:
    """The micro-batches of every step from ``step`` on."""
    dataset = PatchDataset(
        volumes,
        PatchSampler(config.data.patch, config.data.aneurysm_share, config.data.random_orientation),
        transform,
        config.run.batch_size,
        config.run.seed,
    )
    accumulate = config.run.accumulate
    loader = DataLoader(
        dataset,
        batch_size=None,  # an item is a batch already
        sampler=range(step * accumulate, config.run.steps * accumulate),
        num_workers=config.data.workers,
        worker_init_fn=_ignore_signals,
    )
    micro_steps = iter(loader)
    for _ in range(step, config.run.steps):
        yield [next(micro_steps) for _ in range(accumulate)]


def _ignore_signals(worker: int) -> None:
    """A signal to the whole process group must not take the patches from the last step."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Turn SIGTERM and SIGINT into an event, so that a run ends between two steps."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def handle(number: int, frame: FrameType | None) -> None:
        stopped.set()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
