"""The teacher file that a run leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gsema_core.datasets import Split
from gsema_core.teachers import TeacherCard, save_teacher
from gsema_core.training.checkpoint import Progress
from gsema_core.training.trainer import Trainer
from gsema_core.volumes import IntensityRule


def write_teacher(path: Path, trainer: Trainer, progress: Progress, split: Split) -> None:
    """Save the teacher with a card that says what it was trained on.

    Patients are counted, not named: a teacher file is given away.
    """
    config = trainer.config
    centers = sorted({case.center for case in split.training})
    card = TeacherCard(
        name=config.run.name,
        network=config.network.to_dict(),
        spacing_mm=config.data.spacing_mm,
        window=config.data.patch,
        intensity=IntensityRule(config.data.low_percentile, config.data.high_percentile).to_dict(),
        license=config.run.license,
        training={
            "data": config.data.description or "unstated",
            "preset": config.preset_name,
            "centers": centers,
            "patients": len({case.patient for case in split.training}),
            "steps": trainer.step,
            "minutes": round(progress.seconds / 60, 1),
            "alpha_aligned": config.method.alpha_aligned,
            "alpha_conflict": config.method.alpha_conflict,
            "initial_teacher": Path(config.run.initial_teacher).stem or None,
        },
        metrics=_validation(progress, split),
    )
    # Half the file for nothing: bfloat16 training knows the weights less exactly than that.
    save_teacher(path, trainer.teacher, card, dtype=torch.float16)


def _validation(progress: Progress, split: Split) -> dict[str, Any]:
    """The score that chose these weights; nothing where nobody was kept out."""
    patients = len({case.patient for case in split.validation})
    if not patients:
        return {}
    return {"validation": {"aneurysm_dice": round(progress.best_score, 4), "patients": patients}}
