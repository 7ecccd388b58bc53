"""The student's optimizer and learning-rate schedule."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from gsema_core.training.config import OptimizationConfig


def build_optimizer(config: OptimizationConfig, student: nn.Module) -> Optimizer:
    """AdamW or Adam over all of the student's parameters; only AdamW decays weights."""
    if config.optimizer == "adam":
        return Adam(student.parameters(), lr=config.learning_rate)
    return AdamW(student.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def build_scheduler(config: OptimizationConfig, optimizer: Optimizer, steps: int) -> LambdaLR:
    """A schedule that sets the learning rate of every step by `learning_rate_factor`."""
    return LambdaLR(optimizer, lambda step: learning_rate_factor(config, step, steps))


def learning_rate_factor(config: OptimizationConfig, step: int, steps: int) -> float:
    """What the learning rate is multiplied with at ``step`` of ``steps``.

    ``step`` is the paper's schedule (times 0.1 every ten of its 100 epochs), which has next to
    nothing left after 40 % of a run; ``cosine`` falls to zero at the end (ours).
    """
    warmup = min(1.0, (step + 1) / (config.warmup_steps + 1))
    progress = min(1.0, step / steps)
    if config.schedule == "cosine":
        return warmup * 0.5 * (1.0 + math.cos(math.pi * progress))
    if config.schedule == "step":
        return warmup * 0.1 ** math.floor(10 * progress)
    return warmup
