"""Where a run begins: its checkpoint, a teacher, or random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.networks import SegmentationNetwork, build_network
from gsema_core.networks.click_layers import with_click_weights
from gsema_core.teachers import find_teacher, load_teacher
from gsema_core.training.checkpoint import Checkpoint, Progress
from gsema_core.training.config import TrainingConfig
from gsema_core.training.memory_fallback import Fit
from gsema_core.training.ranks import Ranks
from gsema_core.training.trainer import Trainer


def begin(
    asked: TrainingConfig,
    checkpoint: Path,
    device: torch.device,
    ranks: Ranks | None = None,
    fit: Fit | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> tuple[Trainer, Progress]:
    """A trainer at the step to go on from.

    Args:
        asked: the configuration.
        checkpoint: of a run to go on with, where there is one.
        device: where the networks are.
        ranks: this process among others.
        fit: the batch and patch to go on with; default: the checkpoint's, else those asked for.
        tell: gets a sentence for each setting that is not as it was in the checkpoint.

    Raises:
        UserError: the checkpoint or the teacher to start from cannot be used.
    """
    ranks = ranks or Ranks()
    torch.manual_seed(asked.run.seed)
    found = ranks.is_first and checkpoint.exists()
    saved = ranks.from_first(Checkpoint.read(checkpoint, asked) if found else None)
    if saved:
        for sentence in saved.sentences():
            tell(sentence)
        config = (fit or saved.fit).apply(asked)
        trainer = Trainer(config, build_network(config.network), device, ranks)
        return trainer, saved.restore(trainer)
    student, beginning = _first_student(asked)
    student.load_state_dict(ranks.from_first(student.state_dict()))
    config = fit.apply(asked) if fit else asked
    return Trainer(config, student, device, ranks), beginning


def _first_student(config: TrainingConfig) -> tuple[SegmentationNetwork, Progress]:
    """The student of the first step, and what is to be known of the teacher that it was."""
    student = build_network(config.network)
    if not config.run.initial_teacher:
        return student, Progress()
    teacher = load_teacher(find_teacher(config.run.initial_teacher), network=config.network.kind)
    weights: Mapping[str, Tensor] = teacher.network.state_dict()
    old, new = teacher.card.network_config(), config.network
    grows = not old.takes_clicks and replace(old, click_width_mm=new.click_width_mm) == new
    if new.takes_clicks and grows:
        weights = _with_clicks(weights, student, config.run.initial_teacher)
    elif old != new:
        raise UserError(
            f"The teacher {config.run.initial_teacher} has another network than the "
            "configuration: copy its [network] settings from `gsema teacher info`."
        )
    student.load_state_dict(weights)
    appearance = teacher.card.to_dict()["appearance"]
    return student, Progress(
        parent_sha256=teacher.sha256,
        parent_appearance=appearance,
        new_to_clicks=new.takes_clicks and not old.takes_clicks,
    )


def _with_clicks(
    weights: Mapping[str, Tensor], student: SegmentationNetwork, teacher: str
) -> Mapping[str, Tensor]:
    """A teacher's weights for the same network with click channels, see `with_click_weights`."""
    try:
        return with_click_weights(weights, student)
    except ValueError as error:
        raise UserError(
            f"The teacher {teacher} cannot be given clicks, as {error}: train from scratch, or set "
            "click_width_mm in [network] to 0."
        ) from error
