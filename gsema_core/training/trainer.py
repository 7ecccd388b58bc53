"""One optimizer step of GS-EMA, and the state that it changes. The loop around it is in loop.py."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.datasets.patches import PatchPair
from gsema_core.losses import BoundaryAwareContrastiveLoss, DiceCELoss
from gsema_core.machine import Computing
from gsema_core.networks import SegmentationNetwork
from gsema_core.surgery import (
    Decision,
    Gate,
    GradientRows,
    single_backward,
    split_backward,
    update_teacher,
    warmed_up_alpha,
)
from gsema_core.training.config import TrainingConfig
from gsema_core.training.loss_scale import LossScale
from gsema_core.training.optimization import build_optimizer, build_scheduler
from gsema_core.training.ranks import Ranks


@dataclass(frozen=True)
class StepRecord:
    """What one step measured; the logbook averages these."""

    loss_source: float
    loss_target: float
    loss_contrast: float
    similarity: float
    gate_open: bool
    alpha: float
    gradient_norm: float
    skipped: bool
    loss_consistency: float = 0.0


class Trainer:
    """Student, teacher, optimizer and counters of a run.

    The teacher starts as a copy of the student: averages of unrelated random weights would mean
    nothing (ours). Several ranks that are given the parts of one batch make the same step as one
    rank with the whole.

    Attributes:
        computing: device, precision and threads, decided where the configuration leaves them open.
    """

    def __init__(
        self,
        config: TrainingConfig,
        student: SegmentationNetwork,
        device: torch.device,
        ranks: Ranks | None = None,
    ) -> None:
        method = config.method
        self.config = config
        self.device = device
        self.computing = Computing.of(device, config.run.precision, config.run.threads or None)
        self.ranks = ranks or Ranks()
        self.student = student.to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False).eval()
        self.rows = GradientRows(self.student.parameters())
        self.optimizer = build_optimizer(config.optimization, self.student)
        self.time_spent = 0.0  # the share of the run's minutes, where they are limited
        self.scheduler = build_scheduler(
            config.optimization, self.optimizer, config.run.steps, lambda: self.time_spent
        )
        self.gate = Gate(method.alpha_aligned, method.alpha_conflict, method.similarity)
        # A teacher to start from is nothing to forget in the first steps.
        self.warms_up = method.alpha_warmup and not config.run.initial_teacher
        self.segmentation_loss = DiceCELoss(
            config.optimization.class_weights or None, config.optimization.dice_smoothing
        ).to(device)
        self.contrastive_loss = (
            BoundaryAwareContrastiveLoss(
                volume=method.volume_contrast,
                boundary=method.boundary_contrast,
                cutoff=method.boundary_cutoff,
                temperature=method.temperature,
                magnitude=method.boundary_magnitude,
            )
            if method.volume_contrast or method.boundary_contrast
            else None
        )
        self.one_stream = (
            # Source and target are the same patches then, and so are their gradients.
            method.transform == ("none",)
            and self.contrastive_loss is None
            and not method.consistency_weight
        )
        self.loss_scale = LossScale.of(self.computing.precision)
        self.step = 0
        self.ema_updates = 0
        self.skipped_steps = 0

    def train_step(self, batches: Sequence[PatchPair]) -> StepRecord:
        """Change the student by one optimizer step, then the teacher if the gate is open.

        Several batches are accumulated into one step with one decision. A step whose gradients
        are not finite changes neither network and is counted. Memory is short in the batches'
        passes, before anything is changed: a step that ran out of it can be repeated.
        """
        self.student.train()
        self.rows.zero_()
        for batch in batches:
            self._accumulate(batch)
        self.ranks.sum_(self.rows.everything)
        self.rows.everything.div_(len(batches) * self.ranks.size * self.loss_scale.value)
        losses = self.rows.losses.tolist()
        # Ranks on unlike machines may round one dot product to both sides of zero.
        decision = self.ranks.from_first(self.gate.decide(self.rows.source, self.rows.target))
        method = self.config.method
        total = self.rows.combine(method.supervised_weight, method.contrastive_weight)
        norm = float(torch.linalg.vector_norm(total))
        usable = decision.finite and math.isfinite(norm)
        alpha = self._update(total, norm, decision) if usable else 1.0
        self.skipped_steps += not usable
        self.loss_scale.update(usable)
        with warnings.catch_warnings():  # of a first step that is skipped, which is meant
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            self.scheduler.step()
        self.step += 1
        return StepRecord(
            loss_source=losses[0],
            loss_target=losses[1],
            loss_contrast=losses[2],
            loss_consistency=losses[3],
            similarity=decision.similarity,
            gate_open=decision.aligned,
            alpha=alpha,
            gradient_norm=norm,
            skipped=not usable,
        )

    def _accumulate(self, batch: PatchPair) -> None:
        batch = batch.to(self.device)
        source = batch.source_image, batch.source_labels
        scale = self.loss_scale.value
        segmentation_loss = _scaled(self.segmentation_loss, scale)
        with self.computing.autocast():
            if self.one_stream:
                losses = single_backward(self.rows, self.student, source, segmentation_loss)
            else:
                losses = split_backward(
                    self.rows,
                    self.student,
                    self.teacher,
                    source,
                    (batch.target_image, batch.target_labels),
                    segmentation_loss,
                    _scaled(self.contrastive_loss, scale) if self.contrastive_loss else None,
                    consistency_weight=scale * self.config.method.consistency_weight,
                )
        self.rows.losses += torch.stack(losses)

    def _update(self, gradient: Tensor, norm: float, decision: Decision) -> float:
        """Step the student, then the teacher; return the coefficient that was used."""
        limit = self.config.optimization.clip_norm
        if limit and norm > limit:
            gradient.mul_(limit / norm)
        self.optimizer.step()
        alpha: float = decision.alpha
        if self.warms_up and (decision.aligned or self.config.method.conflict_warmup):
            alpha = warmed_up_alpha(alpha, self.ema_updates)
        update_teacher(self.teacher, self.student, alpha)
        self.ema_updates += alpha < 1.0
        return alpha


def _scaled(loss: Callable[..., Tensor], scale: float) -> Callable[..., Tensor]:
    return lambda *arguments: loss(*arguments) * scale
