"""Resumable checkpoints: everything that makes the next step what it would have been."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gsema_core.errors import UserError
from gsema_core.files import atomic_path
from gsema_core.training.config import TrainingConfig
from gsema_core.training.trainer import Trainer

FORMAT = 1

NO_SCORE = -1.0
"""Below every Dice: nothing was validated yet, or nobody was kept out."""


@dataclass
class Progress:
    """What the loop remembers beside the trainer's state.

    Attributes:
        seconds: spent in training so far, over all sessions of the run.
        best_score: the best validation score of the teacher so far; -1 before the first.
        best_step: the step it was reached at.
    """

    seconds: float = 0.0
    best_score: float = NO_SCORE
    best_step: int = 0


def save_checkpoint(path: Path, trainer: Trainer, progress: Progress) -> None:
    """Write atomically: a run killed while writing resumes from the checkpoint before.

    Raises:
        UserError: it could not be written.
    """
    state = {
        "format": FORMAT,
        "config": trainer.config.to_dict(),
        "student": trainer.student.state_dict(),
        "teacher": trainer.teacher.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "scheduler": trainer.scheduler.state_dict(),
        "step": trainer.step,
        "ema_updates": trainer.ema_updates,
        "skipped_steps": trainer.skipped_steps,
        "progress": vars(progress),
        "random_state": torch.get_rng_state(),
    }
    # By way of the memory: torch hides the reason when it meets a full disk itself.
    content = io.BytesIO()
    torch.save(state, content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def load_checkpoint(path: Path, trainer: Trainer) -> Progress:
    """Put a checkpoint's state into ``trainer``.

    Raises:
        UserError: the file is not a checkpoint, or belongs to another configuration.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=trainer.device, weights_only=True)
        format_ = state["format"]
    except Exception as error:
        raise UserError(
            f"The checkpoint {path} cannot be read: move it away to start the run anew."
        ) from error
    if format_ != FORMAT:
        raise UserError(
            f"The checkpoint {path} has format {format_}, expected {FORMAT}: finish that run with "
            "the version that began it, or move it away."
        )
    changed = _first_difference(state["config"], trainer.config.to_dict())
    if changed:
        raise UserError(
            f"The run in {path.parent} was begun with another {changed}: set it back to go on, or "
            "choose another output folder."
        )
    trainer.student.load_state_dict(state["student"])
    trainer.teacher.load_state_dict(state["teacher"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    trainer.scheduler.load_state_dict(state["scheduler"])
    trainer.step = state["step"]
    trainer.ema_updates = state["ema_updates"]
    trainer.skipped_steps = state["skipped_steps"]
    torch.set_rng_state(state["random_state"].cpu())
    return Progress(**state["progress"])


# What may change between two sessions of one run: where and how long it runs, what it is called.
# More steps stretch the schedule of the learning rate; the datalist may have moved.
_FREE = {
    "run": {
        "output",
        "name",
        "license",
        "steps",
        "minutes",
        "patience",
        "device",
        "threads",
        "log_every",
        "checkpoint_every",
    },
    "data": {"datalist", "description", "cache", "workers"},
}


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Name the first setting that differs; what an older version did not know was the default."""
    defaults = TrainingConfig().to_dict()
    for section, values in new.items():
        if not isinstance(values, dict):
            continue
        for name, value in values.items():
            before = old.get(section, {}).get(name, defaults[section][name])
            if name not in _FREE.get(section, ()) and before != value:
                return f"{name} in [{section}]"
    return None
