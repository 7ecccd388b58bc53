"""The student's optimizer and learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from gsema_core.training.config_sections import OptimizationConfig


def build_optimizer(config: OptimizationConfig, student: nn.Module) -> Optimizer:
    """AdamW or Adam over all of the student's parameters; only AdamW decays weights."""
    if config.optimizer == "adam":
        return Adam(student.parameters(), lr=config.learning_rate)
    return AdamW(student.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def build_scheduler(
    config: OptimizationConfig,
    optimizer: Optimizer,
    steps: int,
    time_spent: Callable[[], float] = lambda: 0.0,
) -> LambdaLR:
    """A schedule that sets the learning rate of every step by `learning_rate_factor`.

    Args:
        config: says which.
        optimizer: whose learning rate it is.
        steps: of the whole run.
        time_spent: asked for the share of the run's time that is used, where that is limited.
    """
    return LambdaLR(optimizer, lambda step: learning_rate_factor(config, step, steps, time_spent()))


def learning_rate_factor(
    config: OptimizationConfig, step: int, steps: int, time_spent: float = 0.0
) -> float:
    """What the learning rate is multiplied with at ``step`` of ``steps``.

    ``step`` is the paper's schedule (times 0.1 every ten of its 100 epochs), which has next to
    nothing left after 40 % of a run; ``cosine`` falls to zero at the end (ours); ``late_fall`` is
    constant but for a straight fall to zero at the end (Hägele et al., arXiv:2405.18392), so that
    an average of weights has something to average. A run that its minutes will end before its
    steps do is as far as its time is: it too ends with small steps.
    """
    warmup = min(1.0, (step + 1) / (config.warmup_steps + 1))
    progress = min(1.0, max(step / steps, time_spent))
    if config.schedule == "cosine":
        return warmup * 0.5 * (1.0 + math.cos(math.pi * progress))
    if config.schedule == "step":
        return warmup * 0.1 ** math.floor(10 * progress)
    if config.schedule == "late_fall":
        return warmup * min(1.0, (1.0 - progress) / config.decay_share)
    return warmup
