"""A run's cases, on the working grid, before its first step."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsema_core.datasets import Case, Split, VolumeCache
from gsema_core.datasets.cache import CachedVolume
from gsema_core.datasets.case_summary import summary, summary_lines
from gsema_core.datasets.examination import Examined, examine_usable
from gsema_core.datasets.label_checks import check_accepted, suspicions
from gsema_core.errors import Cancelled, UserError
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.appearance_ranges import AppearanceRanges
from gsema_core.labels import IGNORE
from gsema_core.losses.segmentation_loss import DICE_CE, loss_with_ignored
from gsema_core.training.config import TrainingConfig
from gsema_core.training.parts import configured_loss
from gsema_core.training.run_reporter import RunReporter


@dataclass(frozen=True)
class PreparedCases:
    """What a run trains on and is validated on.

    Attributes:
        split: the cases behind the volumes.
        training, validation: the patients' volumes.
        replay: phantoms' volumes, of which a share of the patches comes.
    """

    split: Split
    training: tuple[CachedVolume, ...]
    validation: tuple[CachedVolume, ...]
    replay: tuple[CachedVolume, ...] = ()

    @property
    def validation_score(self) -> str:
        """The name of the score that the teacher is chosen by.

        Without a single aneurysm to be found, only vessels can tell teachers apart (ours).
        """
        found = any(len(volume.aneurysm_voxels) for volume in self.validation)
        return "aneurysm_dice" if found else "vessel_dice"

    def counts(self, spacing_mm: float) -> dict[str, float]:
        """What was trained on, for the teacher's card; nobody is named.

        Args:
            spacing_mm: of the working grid.
        """
        ml = spacing_mm**3 / 1000
        return {
            "cases": len(self.training),
            "cases_with_aneurysm": _with_aneurysm(self.training),
            "patients": len({case.patient for case in self.split.training}),
            "vessel_ml": round(ml * sum(len(each.vessel_voxels) for each in self.training), 2),
            "aneurysm_ml": round(ml * sum(len(each.aneurysm_voxels) for each in self.training), 2),
            "validation_cases": len(self.validation),
            "replay_cases": len(self.replay),
        }

    def appearance(self) -> AppearanceRanges | None:
        """What the scans look like that are trained on, phantoms among them."""
        found = [volume.appearance for volume in (*self.training, *self.replay)]
        return AppearanceRanges.of([each for each in found if each is not None])

    def fingerprint(self) -> str:
        """Tells whether a run that goes on still has the data that it began with."""
        checksum = 0
        for volume in (*self.training, *self.validation, *self.replay):
            for array in (volume.image, volume.labels):
                checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
        return f"{len(self.training)}+{len(self.validation)}+{len(self.replay)}-{checksum:08x}"


def describe(
    split: Split, accept: bool, reporter: RunReporter, stop: Callable[[], bool]
) -> list[Examined]:
    """Read all cases, and say what they hold; for all centers, nobody is named.

    Args:
        split: for training and validation.
        accept: go on where the labels look wrong as a whole.
        reporter: is told.
        stop: asked between two cases.

    Raises:
        Cancelled: ``stop`` said so between two cases.
        UserError: cases cannot be used, which are all named, or the labels look wrong as a whole.
    """
    cases = (*split.training, *split.validation)
    left = len(cases)

    def after(_: Examined) -> None:
        nonlocal left
        if stop():
            raise Cancelled
        left -= 1
        done = f"Examined {len(cases) - left} of {len(cases)} cases."
        reporter.advance(done, "Examining a case" if left else "")

    reporter.doing("Examining a case")
    examined = examine_usable(cases, after, split.numbers)
    values = summary(examined)
    for line in filter(None, [*summary_lines(values), split.left_out()]):
        reporter.report(line)
    check_accepted(values["suspicions"], accept)
    return examined


def check_labels(prepared: PreparedCases, config: TrainingConfig, reporter: RunReporter) -> None:
    """Refuse labels that look wrong as a whole (`label_checks.suspicions`), or warn.

    Raises:
        UserError: they do, and the configuration does not accept it.
    """
    signs = [volume.label_signs for volume in (*prepared.training, *prepared.validation)]
    found = suspicions([each for each in signs if each])
    check_accepted(found, config.data.accept_labels)
    for sentence in found:
        reporter.warn(sentence)


def volume_cache(config: TrainingConfig) -> VolumeCache:
    """Where prepared cases lie, for this configuration."""
    return VolumeCache(
        config.data.cache if config.data.cache != Path() else config.run.output / "cache",
        config.data.spacing_mm,
        IntensityRule(config.data.low_percentile, config.data.high_percentile),
    )


def prepare(
    config: TrainingConfig,
    split: Split,
    replay: Sequence[Case],
    reporter: RunReporter,
    stop: Callable[[], bool],
) -> PreparedCases:
    """Read all cases into the cache; what is read is read once, and never looked at again.

    Raises:
        Cancelled: ``stop`` said so between two cases.
        UserError: a case cannot be used, or none has an aneurysm to learn from.
    """
    cache = volume_cache(config)
    reporter.say(
        f"Preparing {len(split.training)} cases for training and {len(split.validation)} for "
        f"validation at {config.data.spacing_mm:g} mm."
    )

    def load(cases: Sequence[Case]) -> tuple[CachedVolume, ...]:
        volumes = []
        for number, case in enumerate(cases, start=1):
            if stop():
                raise Cancelled
            reporter.doing("Preparing a case")
            volumes.append(cache.load(case))
            reporter.advance(f"Prepared {number} of {len(cases)} cases.", "")
        return tuple(volumes)

    prepared = PreparedCases(split, load(split.training), load(split.validation), load(replay))
    _look(prepared, reporter)
    if config.method.segmentation_loss != DICE_CE and any(
        (volume.labels == IGNORE).any() for volume in prepared.training
    ):
        loss_with_ignored(configured_loss(config))  # refused now rather than at some step
    if config.run.patience and not prepared.validation:
        reporter.warn("Without cases for validation, patience does not end the run.")
    return prepared


def _look(prepared: PreparedCases, reporter: RunReporter) -> None:
    """Say what there is to learn from, and to choose by."""
    count, found = len(prepared.training), _with_aneurysm(prepared.training)
    if not found:
        raise UserError(
            f"None of the {count} training cases has an aneurysm voxel (label 2): check the "
            "labels of the datalist, or say what they mean, such as gsema cases --label aneurysm=1."
        )
    reporter.say(f"{found} of {count} training cases hold an aneurysm.")
    if prepared.validation and prepared.validation_score == "vessel_dice":
        reporter.warn(
            f"None of the {len(prepared.validation)} validation cases holds an aneurysm: "
            "the teacher is chosen by its Dice on vessels, which says little about aneurysms."
        )


def _with_aneurysm(volumes: Sequence[CachedVolume]) -> int:
    return sum(len(volume.aneurysm_voxels) > 0 for volume in volumes)
