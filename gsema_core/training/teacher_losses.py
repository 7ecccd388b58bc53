"""The teacher's own losses, which equation 6 adds up with the student's."""

from __future__ import annotations

from typing import NamedTuple

import torch

from gsema_core.datasets.patches import PatchPair
from gsema_core.training.trainer import Trainer


class TeacherLosses(NamedTuple):
    """Of a source patch and of its target: equation 1's loss of the teacher's predictions."""

    source: float
    target: float


@torch.no_grad()
def teacher_losses(trainer: Trainer, batch: PatchPair) -> TeacherLosses:
    """Measure the teacher on a batch.

    No gradient reaches the teacher, so these terms change nothing: they are logged, and only
    where a log line is written.
    """
    batch = batch.to(trainer.device)
    streams = (
        (batch.source_image, batch.source_labels),
        (batch.target_image, batch.target_labels),
    )
    with trainer.computing.autocast():
        source, target = (
            float(trainer.segmentation_loss(trainer.teacher(image), labels))
            for image, labels in streams
        )
    return TeacherLosses(source, target)
