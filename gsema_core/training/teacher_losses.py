"""The teacher's own losses, which equation 6 adds up with the student's."""

from __future__ import annotations

import torch

from gsema_core.datasets.patches import PatchPair
from gsema_core.training.trainer import Trainer


@torch.no_grad()
def teacher_losses(trainer: Trainer, batch: PatchPair) -> list[float]:
    """Equation 1's loss of the teacher's predictions on a source batch and on its target.

    No gradient reaches the teacher, so these terms change nothing: they are logged, and only
    where a log line is written.
    """
    batch = batch.to(trainer.device)
    with trainer.computing.autocast():
        return [
            float(trainer.segmentation_loss(trainer.teacher(image), labels))
            for image, labels in (
                (batch.source_image, batch.source_labels),
                (batch.target_image, batch.target_labels),
            )
        ]
