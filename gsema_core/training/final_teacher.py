"""The teacher file that a run leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gsema_core.configuration import build
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.appearance_ranges import AppearanceRanges
from gsema_core.teachers import TeacherCard, save_teacher
from gsema_core.training.checkpoint import Progress
from gsema_core.training.config import TrainingConfig, preset_values
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.metrics_table import choosing_names
from gsema_core.training.prepared_cases import PreparedCases
from gsema_core.training.trainer import Trainer
from gsema_core.training.validation import chosen_by, validation_settings


def write_teacher(
    path: Path, asked: TrainingConfig, trainer: Trainer, progress: Progress, cases: PreparedCases
) -> None:
    """Save the teacher with a card that says what it was trained on.

    Patients are counted, not named: a teacher file is given away.

    Args:
        path: the file.
        asked: the configuration as it was asked for; the trainer's differs where memory was short.
        trainer: whose teacher it is.
        progress: the run so far.
        cases: what it trains on.

    Raises:
        UserError: it could not be written.
    """
    config = trainer.config
    card = TeacherCard(
        name=config.run.name,
        network=config.network.to_dict(),
        spacing_mm=config.data.spacing_mm,
        window=config.data.patch,
        intensity=IntensityRule(config.data.low_percentile, config.data.high_percentile).to_dict(),
        appearance=_appearance(progress, cases),
        license=config.run.license,
        training=_training(asked, trainer, progress, cases),
        metrics=_validation(progress, cases),
    )
    # Half the file for nothing: bfloat16 training knows the weights less exactly than that.
    save_teacher(path, trainer.teacher, card, dtype=torch.float16)


def _appearance(progress: Progress, cases: PreparedCases) -> AppearanceRanges | None:
    """What it has seen, and what the teacher had that it began as."""
    own, parent = cases.appearance(), progress.parent_appearance
    before = None if parent is None else build(AppearanceRanges, parent)
    return before if own is None else own.joined_with(before)


def _training(
    asked: TrainingConfig, trainer: Trainer, progress: Progress, cases: PreparedCases
) -> dict[str, Any]:
    config = trainer.config
    values: dict[str, Any] = {
        "data": config.data.description or "unstated",
        "preset": config.preset_name,
        "changes": changes(config),
        "transform": list(config.method.transform),
        "segmentation_loss": config.method.segmentation_loss,
        "chosen_by": (
            chosen_by(_choosing(config, cases), validation_settings(config))
            if cases.validation
            else "nothing: these are the weights of the last step"
        ),
        "centers": sorted({case.center for case in cases.split.training}),
        **cases.counts(config.data.spacing_mm),
        "steps": trainer.step,
        "minutes": round(progress.seconds / 60, 1),
        "alpha_aligned": config.method.alpha_aligned,
        "alpha_conflict": config.method.alpha_conflict,
        "gate_scope": config.method.gate_scope,
        "precision": trainer.computing.precision,
        "replay_share": config.data.replay_share,
        "initial_teacher": Path(config.run.initial_teacher).stem or None,
        "parent_sha256": progress.parent_sha256 or None,
    }
    if config.network.takes_clicks:
        method = config.method
        values["clicks"] = {
            "share": method.click_share,
            "kinds": list(method.click_kinds),
            "further_clicks": method.further_clicks,
            "further_click_share": method.further_click_share,
        }
    if options := {**config.transforms, **config.losses}:
        values["options"] = options
    if progress.budgets:
        values["budget_changes"] = list(progress.budgets)
    if Fit.of(asked) != Fit.of(config):
        values["memory_was_short"] = f"{Fit.of(asked)} became {Fit.of(config)}"
    return values


def changes(config: TrainingConfig) -> dict[str, Any]:
    """The settings of the method and of the optimization that are not those of the preset.

    Returns:
        For example ``{"optimization.learning_rate": 0.001}``.
    """
    preset = preset_values(config.preset_name)
    own = config.to_dict()
    return {
        f"{section}.{name}": value
        for section in ("method", "optimization")
        for name, value in own[section].items()
        if value != preset[section][name]
    }


def _validation(progress: Progress, cases: PreparedCases) -> dict[str, Any]:
    """The scores that chose these weights; nothing where nobody was kept out."""
    patients = len({case.patient for case in cases.split.validation})
    if not patients:
        return {}
    scores = progress.best_scores or {cases.validation_score: progress.best_score}
    rounded = {name: round(score, 4) for name, score in scores.items()}
    return {"validation": {**rounded, "patients": patients}}


def _choosing(config: TrainingConfig, cases: PreparedCases) -> str:
    """What chose the weights."""
    names = choosing_names(cases.validation_score, config.network.takes_clicks)
    return names[0] if len(names) == 1 else f"the mean of {' and '.join(names)}"
