"""One optimizer step of GS-EMA, and the state that it changes. The loop around it is in loop.py."""

from __future__ import annotations

import copy
import math
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gsema_core.datasets.patches import PatchPair
from gsema_core.labels import ANEURYSM
from gsema_core.losses import loss_with_ignored
from gsema_core.machine import Computing
from gsema_core.networks import SegmentationNetwork
from gsema_core.surgery import (
    Decision,
    GradientRows,
    WeightParts,
    conflict_shares,
    project_conflicts_,
    single_backward,
    split_backward,
    update_teacher,
    warmed_up_alpha,
)
from gsema_core.surgery.backward import SegmentationLoss
from gsema_core.training.clicked_patches import ClickedPatches
from gsema_core.training.config import TrainingConfig
from gsema_core.training.loss_scale import LossScale
from gsema_core.training.parts import StepParts, build_parts
from gsema_core.training.ranks import Ranks


@dataclass(frozen=True)
class StepRecord:
    """What one step measured; the logbook averages these.

    ``gate_open`` and ``alpha`` are means over the weights, which differ only where parts of the
    network decide for themselves.
    """

    loss_source: float
    loss_target: float
    loss_contrast: float
    similarity: float
    gate_open: float
    alpha: float
    gradient_norm: float
    skipped: bool
    loss_consistency: float = 0.0


class Trainer:
    """Student, teacher, optimizer and counters of a run.

    The teacher starts as a copy of the student: averages of unrelated random weights would mean
    nothing (ours). Several ranks that are given the parts of one batch make the same step as one
    rank with the whole.

    Args:
        config: the weights of the losses, the warm-up, the limit of gradients and the precision;
            what else it says is for ``parts`` and for the loop around the steps.
        student: the network that learns.
        device: where it learns.
        ranks: this process among others.
        parts: losses, gate, optimizer and scheduler; default: those that ``config`` asks for.

    Attributes:
        computing: device, precision and threads, decided where the configuration leaves them open.
        whole: held while a step changes what a checkpoint holds.

    Example:
        A loop of one's own, with an optimizer of one's own:

        >>> from dataclasses import replace
        >>> from gsema_core.networks import build_network
        >>> from gsema_core.transforms import build_transform
        >>> config = TrainingConfig.from_dict({
        ...     "network": {"kind": "cnn", "features": 8, "stages": 2, "depth": 1},
        ...     "data": {"patch": [16, 16, 16]}, "run": {"precision": "fp32"}})
        >>> student = build_network(config.network)
        >>> parts = build_parts(config, student)
        >>> optimizer = torch.optim.SGD(student.parameters(), lr=0.01)
        >>> scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
        >>> parts = replace(parts, optimizer=optimizer, scheduler=scheduler)
        >>> trainer = Trainer(config, student, torch.device("cpu"), parts=parts)
        >>> transform = build_transform("paper", {"paper": {"strength": 0.5}})
        >>> generator = torch.Generator().manual_seed(0)
        >>> for _ in range(2):
        ...     image, labels = torch.rand(1, 1, 16, 16, 16), torch.ones(1, 1, 16, 16, 16)
        ...     target = transform(image, labels, generator)
        ...     record = trainer.train_step([PatchPair(image, labels, *target)])
        >>> trainer.step, record.skipped
        (2, False)
    """

    def __init__(
        self,
        config: TrainingConfig,
        student: SegmentationNetwork,
        device: torch.device,
        ranks: Ranks | None = None,
        parts: StepParts | None = None,
    ) -> None:
        method = config.method
        self.config = config
        self.device = device
        self.computing = Computing.of(device, config.run.precision, config.run.threads or None)
        self.ranks = ranks or Ranks()
        self.student = student.to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False).eval()
        self.rows = GradientRows(self.student.parameters())
        parts = parts or build_parts(config, self.student)
        self.optimizer = parts.optimizer
        self.scheduler = parts.scheduler
        self.time_spent = parts.time_spent
        self.gate = parts.gate
        # A teacher to start from is nothing to forget in the first steps.
        self.warms_up = method.alpha_warmup and not config.run.initial_teacher
        self.segmentation_loss = _on(device, parts.segmentation_loss)
        self.contrastive_loss = parts.contrastive_loss
        self.one_stream = (
            # Source and target are the same patches then, and so are their gradients.
            method.transform == ("none",)
            and self.contrastive_loss is None
            and not method.consistency_weight
        )
        self.encoder_once = (
            (method.supervised_weight, method.contrastive_weight)
            if method.gate_scope == "decoder"
            else None
        )
        projection = method.conflict_projection
        self.projected = None if projection == "none" else WeightParts.of(projection, self.student)
        self.clicked_patches = ClickedPatches(config) if config.network.takes_clicks else None
        self.loss_scale = LossScale.of(self.computing.precision)
        self.whole = threading.Lock()
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
        for index, batch in enumerate(batches):
            self._accumulate(self._clicked(batch, self.step * len(batches) + index))
        self.ranks.sum_(self.rows.everything)
        self.rows.everything.div_(len(batches) * self.ranks.size * self.loss_scale.value)
        losses = self.rows.losses.tolist()
        # Ranks on unlike machines may round one dot product to both sides of zero.
        decision = self.ranks.from_first(self.gate.decide(self.rows.source, self.rows.target))
        if self.projected is not None:
            pair = self.rows.source, self.rows.target
            shares = self.ranks.from_first(conflict_shares(*pair, self.projected))
            project_conflicts_(*pair, shares, self.projected)
        method = self.config.method
        # Walked once, the encoder's row has its weights already.
        third = method.contrastive_weight if self.encoder_once is None else 1.0
        total = self.rows.combine(method.supervised_weight, third)
        norm = float(torch.linalg.vector_norm(total))
        usable = decision.finite and math.isfinite(norm)
        with self.whole:
            alpha, opened = (
                self._update(total, norm, decision) if usable else (1.0, decision.aligned)
            )
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
            gate_open=opened,
            alpha=alpha,
            gradient_norm=norm,
            skipped=not usable,
        )

    @torch.no_grad()
    def teacher_losses(self, batch: PatchPair) -> list[float]:
        """Equation 1's loss of the teacher's predictions on a source batch and on its target.

        Equation 6 adds them up with the student's. No gradient reaches the teacher, so they
        change nothing: they are logged, and only where a log line is written. Where the network
        takes clicks, a share is clicked as in a step, at other places.
        """
        segmentation_loss = self._loss_for(batch)
        batch = self._clicked(batch, self.step).to(self.device)
        with self.computing.autocast():
            return [
                float(segmentation_loss(self.teacher(image), labels))
                for image, labels in (
                    (batch.source_image, batch.source_labels),
                    (batch.target_image, batch.target_labels),
                )
            ]

    def _clicked(self, batch: PatchPair, number: int) -> PatchPair:
        """The batch with a user's clicks, where the network takes them."""
        if self.clicked_patches is None:
            return batch
        first = self.ranks.rank * len(batch.source_image)
        return self.clicked_patches.add(batch, self._teachers_aneurysms, number, first)

    @torch.no_grad()
    def _teachers_aneurysms(self, image: Tensor) -> NDArray[np.bool_]:
        """Where the teacher sees aneurysms (B, D, H, W) in images with clicks (B, 3, D, H, W)."""
        with self.computing.autocast():
            logits = self.teacher(image.to(self.device))
        return np.asarray((logits.argmax(dim=1) == ANEURYSM).cpu().numpy())

    def _loss_for(self, batch: PatchPair) -> SegmentationLoss:
        """The segmentation loss, or its form that leaves out the voxels that nobody labeled."""
        loss = self.segmentation_loss
        return loss_with_ignored(loss) if batch.has_ignored else loss

    def _accumulate(self, batch: PatchPair) -> None:
        loss = self._loss_for(batch)
        batch = batch.to(self.device)
        source = batch.source_image, batch.source_labels
        scale = self.loss_scale.value
        segmentation_loss = _scaled(loss, scale)
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
                    encoder_once=self.encoder_once,
                )
        self.rows.losses += torch.stack(losses)

    def _update(self, gradient: Tensor, norm: float, decision: Decision) -> tuple[float, float]:
        """Step the student, then the teacher.

        Returns:
            The coefficient that was used and how far the gate was open, means over the weights.
        """
        limit = self.config.optimization.clip_norm
        if limit and norm > limit:
            gradient.mul_(limit / norm)
        self.optimizer.step()
        alpha: float | Tensor
        if decision.open_weights is None:
            alpha = mean = self._warmed_up(decision.alpha, decision.aligned)
            opened = float(decision.aligned)
        else:
            method, here = self.config.method, decision.open_weights
            follows = self._warmed_up(method.alpha_aligned, aligned=True)
            stays = self._warmed_up(method.alpha_conflict, aligned=False)
            alpha = torch.where(here, follows, stays)
            opened = float(here.double().mean())
            mean = opened * follows + (1.0 - opened) * stays
        update_teacher(self.teacher, self.student, alpha)
        self.ema_updates += mean < 1.0
        return mean, opened

    def _warmed_up(self, alpha: float, aligned: bool) -> float:
        if self.warms_up and (aligned or self.config.method.conflict_warmup):
            return warmed_up_alpha(alpha, self.ema_updates)
        return alpha


def _on(device: torch.device, loss: SegmentationLoss) -> SegmentationLoss:
    return loss.to(device) if isinstance(loss, nn.Module) else loss


def _scaled(loss: Callable[..., Tensor], scale: float) -> Callable[..., Tensor]:
    return lambda *arguments: loss(*arguments) * scale
