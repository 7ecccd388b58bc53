"""Resumable checkpoints: everything that makes the next step what it would have been."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from gsema_core.configuration import build, plain
from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.machine.memory import is_out_of_memory
from gsema_core.training.config import TrainingConfig, preset_values
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.run_files import WARNING
from gsema_core.training.status import budget_text
from gsema_core.training.trainer import Trainer

FORMAT = 1

_HAVE_STATE = ("student", "teacher", "optimizer", "scheduler")
_COUNTERS = ("step", "ema_updates", "skipped_steps")
"""Of the trainer."""

NO_SCORE = -1.0
"""Below every Dice: nothing was validated yet, or nobody was kept out."""


@dataclass
class Progress:
    """What the loop remembers beside the trainer's state.

    Attributes:
        seconds: spent in training so far, over all sessions of the run.
        best_score: the best validation score of the teacher so far; -1 before the first. Where the
            network takes clicks, it is the mean of the automatic score and that after clicks.
        best_step: the step it was reached at.
        best_scores: by name, what that score is the mean of, the automatic one first.
        validated_step: the last step whose teacher was validated; -1 before the first.
        stale: validations in a row since then without a better teacher.
        parent_sha256: hash of the teacher that the run started from; empty from scratch.
        parent_appearance: what that teacher was trained on, as its card has it.
        new_to_clicks: whether that teacher took no clicks and the run's do. Then it is none of
            those to choose from: a file of it would promise what it cannot do.
        cases: fingerprint of what the run trains on (`PreparedCases.fingerprint`).
        budgets: how steps or minutes were changed on the way, see `Checkpoint.budget_change`.
    """

    seconds: float = 0.0
    best_score: float = NO_SCORE
    best_step: int = 0
    best_scores: dict[str, float] = field(default_factory=dict)
    validated_step: int = -1
    stale: int = 0
    parent_sha256: str = ""
    parent_appearance: dict[str, Any] | None = None
    new_to_clicks: bool = False
    cases: str = ""
    budgets: list[str] = field(default_factory=list)

    def keeps(self, step: int, scores: dict[str, float]) -> bool:
        """Note a validation; whether its teacher is to be kept, as the best so far.

        Args:
            step: of the teacher.
            scores: by name, those whose mean chooses; the automatic one first. Empty where nobody
                was kept out: the last teacher is kept then.
        """
        score = fmean(scores.values()) if scores else NO_SCORE
        self.stale = self.stale + 1 if scores and score <= self.best_score else 0
        if score < self.best_score:
            return False
        self.best_score, self.best_step, self.best_scores = score, step, scores
        return True

    @property
    def automatic_score(self) -> float:
        """Of the best teacher, without clicks; -1 before the first validation."""
        return next(iter(self.best_scores.values()), self.best_score)

    @property
    def stale_so_far(self) -> int:
        """``stale``, or -1 where no teacher was kept yet: the first validation keeps one."""
        return -1 if self.best_score == NO_SCORE else self.stale


def save_checkpoint(
    path: Path, trainer: Trainer, progress: Progress, asked: TrainingConfig | None = None
) -> None:
    """Write atomically: a run killed while writing resumes from the checkpoint before.

    Args:
        path: the file.
        trainer, progress: their state is saved.
        asked: the configuration as it was asked for, where memory forced the trainer's to differ.

    Raises:
        UserError: it could not be written.
    """
    device = trainer.device
    state = {
        "format": FORMAT,
        "config": (asked or trainer.config).to_dict(),
        "fit": plain(Fit.of(trainer.config)),
        **{name: getattr(trainer, name).state_dict() for name in _HAVE_STATE},
        **{name: getattr(trainer, name) for name in _COUNTERS},
        "loss_scale": vars(trainer.loss_scale),
        "progress": vars(progress),
        "random_state": torch.get_rng_state(),
        "gpu_random_state": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }
    # By way of the memory: torch hides the reason when it meets a full disk itself.
    content = io.BytesIO()
    torch.save(state, content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and belongs to the run; nothing is restored yet.

    Attributes:
        path: its file.
        state: what is in it.
        fit: the batch and patch that the run has memory for.
        asked: the configuration that it goes on with.
    """

    path: Path
    state: dict[str, Any]
    fit: Fit
    asked: TrainingConfig

    @classmethod
    def read(cls, path: Path, asked: TrainingConfig) -> Checkpoint:
        """Read a checkpoint of the run that was asked for.

        Raises:
            UserError: the file is not a checkpoint, or belongs to another configuration.
        """
        try:
            # To main memory first: the fit, which the device depends on, is in it.
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            format_ = state["format"]
        except Exception as error:
            raise _unreadable(path) from error
        if format_ != FORMAT:
            raise UserError(
                f"The checkpoint {path} has format {format_}, expected {FORMAT}: finish that run "
                "with the version that began it, or move it away."
            )
        try:
            changed = _first_difference(state["config"], asked.to_dict())
            # Older versions always ran as asked.
            fit = build(Fit, state["fit"]) if "fit" in state else Fit.of(asked)
        except (KeyError, TypeError, AttributeError, UserError) as error:
            raise _unreadable(path) from error
        if changed:
            raise UserError(
                f"The run in {path.parent} was begun with another {changed}: set it back to go "
                "on, or choose another output folder."
            )
        return cls(path, state, fit, asked)

    @property
    def budget_change(self) -> str:
        """How steps and minutes differ from those that the run had, where its schedule heeds them.

        A rate that falls over the whole run is stretched then, and rises: the run becomes another
        than one that had the new budget from its first step.
        """
        step, run = int(self.state["step"]), self.state["config"]["run"]
        old, new = (budget_text(each["steps"], each["minutes"]) for each in (run, self._run))
        bends = self.asked.optimization.schedule != "constant"
        return f"at step {step} from {old} to {new}" if step and bends and old != new else ""

    @property
    def _run(self) -> dict[str, Any]:
        values: dict[str, Any] = self.asked.to_dict()["run"]
        return values

    def sentences(self) -> list[str]:
        """What the run goes on with that is not as it was, where that is allowed."""
        sentences = []
        before, now = self.state["config"]["run"], self._run
        for name in sorted(_TOLD):
            if name in before and before[name] != now[name]:
                sentences.append(
                    f"Going on with {name} {now[name]} in [run], which was {before[name]}."
                )
        if change := self.budget_change:
            schedule = self.asked.optimization.schedule
            sentences.append(
                f"{WARNING}The schedule {schedule} is stretched {change}: the learning rate is "
                "another from here on, and the run is not what it would be with this budget from "
                "its first step. A constant schedule can be lengthened."
            )
        return sentences

    def restore(self, trainer: Trainer) -> Progress:
        """Put the state into ``trainer``, and PyTorch's random generators back.

        Raises:
            UserError: something is missing in it, or does not fit the network.
        """
        state = self.state
        try:
            for name in _HAVE_STATE:
                getattr(trainer, name).load_state_dict(state[name])
            for name in _COUNTERS:
                setattr(trainer, name, int(state[name]))
            vars(trainer.loss_scale).update(state.get("loss_scale", {}))
            torch.set_rng_state(state["random_state"])
            gpu = state.get("gpu_random_state")
            if gpu is not None and trainer.device.type == "cuda":
                torch.cuda.set_rng_state(gpu, trainer.device)
            # Versions without this line validated at once, before they saved.
            progress = Progress(**{"validated_step": trainer.step, **state["progress"]})
            if change := self.budget_change:
                progress.budgets = [*progress.budgets, change]
            return progress
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise _unreadable(self.path) from error


def _unreadable(path: Path) -> UserError:
    return UserError(
        f"The checkpoint {path} cannot be read, or lacks something: move it away to start the run "
        "anew."
    )


# What may change between two sessions of one run: where and how long it runs, what it is called,
# and how teachers are compared.
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
        "progress_s",
        "pictures",
        "validation_certainty",
        "validation_walls",
        "checkpoint_every",
    },
    "data": {"datalist", "accept_labels", "description", "cache", "workers"},
}
_TOLD = _FREE["run"] - {"output", "device", "threads", "log_every", "progress_s"}
"""Whoever goes on with a run is told where these differ; the others change no result."""


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Name the first setting that differs; one that an older version did not know is the preset's.

    So preset ``code`` goes on with the warm-up that older versions had for every preset, and the
    others with their own.
    """
    defaults = preset_values(new["preset"])
    for section, values in new.items():
        if not isinstance(values, dict):
            continue
        if section not in defaults:  # tables of options, which older versions did not have
            if old.get(section, {}) != values:
                return f"table in [{section}]"
            continue
        for name, value in values.items():
            before = old.get(section, {}).get(name, defaults[section][name])
            if name not in _FREE.get(section, ()) and before != value:
                return f"{name} in [{section}] ({before}, now {value})"
    return None
