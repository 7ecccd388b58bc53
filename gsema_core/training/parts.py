"""What a training step is made of, as ready objects; the configuration builds them, or anybody."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gsema_core.losses import BoundaryAwareContrastiveLoss, build_segmentation_loss
from gsema_core.networks import build_network
from gsema_core.surgery import Gate, PartGate, WeightParts
from gsema_core.surgery.backward import ContrastiveLoss, SegmentationLoss
from gsema_core.training.config import TrainingConfig
from gsema_core.training.config_sections import MethodConfig
from gsema_core.training.optimization import build_optimizer, build_scheduler
from gsema_core.training.target_transform import build_target_transform


@dataclass
class TimeSpent:
    """How much of the run's minutes is used, where they are limited; the loop keeps it."""

    share: float = 0.0


@dataclass
class StepParts:
    """What a `Trainer` works with.

    Attributes:
        segmentation_loss: of logits and labels, see `losses.SegmentationLoss`.
        contrastive_loss: of the latents z_s, z_t, z'_s, z'_t (B, C, D, H, W), a scalar; or None.
        gate: decides how far the teacher follows.
        optimizer: over all of the student's parameters.
        scheduler: of its learning rate, asked after every step.
        time_spent: what the scheduler asks where minutes limit the run.
    """

    segmentation_loss: SegmentationLoss
    contrastive_loss: ContrastiveLoss | None
    gate: Gate | PartGate
    optimizer: Optimizer
    scheduler: LRScheduler
    time_spent: TimeSpent = field(default_factory=TimeSpent)


def build_parts(config: TrainingConfig, student: nn.Module) -> StepParts:
    """The parts that a configuration asks for.

    Raises:
        UserError: a part from outside cannot be used.
    """
    method, optimization = config.method, config.optimization
    time_spent = TimeSpent()
    optimizer = build_optimizer(optimization, student)
    return StepParts(
        segmentation_loss=configured_loss(config),
        contrastive_loss=_contrastive_loss(method),
        gate=_gate(method, student),
        optimizer=optimizer,
        scheduler=build_scheduler(
            optimization, optimizer, config.run.steps, lambda: time_spent.share
        ),
        time_spent=time_spent,
    )


def check_parts(config: TrainingConfig) -> None:
    """Build what may be from outside once, to refuse at once what would fail hours later.

    Raises:
        UserError: a transform, loss or network cannot be used.
    """
    build_target_transform(config)
    configured_loss(config)
    with torch.random.fork_rng(devices=[]):
        build_network(config.network)


def configured_loss(config: TrainingConfig) -> SegmentationLoss:
    name = config.method.segmentation_loss
    weights, smoothing = config.optimization.class_weights, config.optimization.dice_smoothing
    return build_segmentation_loss(name, config.losses.get(name), weights, smoothing)


def _gate(method: MethodConfig, student: nn.Module) -> Gate | PartGate:
    gate = Gate(method.alpha_aligned, method.alpha_conflict, method.similarity)
    if method.gate_unit == "network":
        return gate
    return PartGate(gate, WeightParts.of(method.gate_unit, student))


def _contrastive_loss(method: MethodConfig) -> BoundaryAwareContrastiveLoss | None:
    if not method.volume_contrast and not method.boundary_contrast:
        return None
    return BoundaryAwareContrastiveLoss(
        volume=method.volume_contrast,
        boundary=method.boundary_contrast,
        cutoff=method.boundary_cutoff,
        temperature=method.temperature,
        magnitude=method.boundary_magnitude,
    )
