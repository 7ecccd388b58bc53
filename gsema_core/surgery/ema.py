"""The teacher's exponential moving average of the student (Algorithm 1, line 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def warmed_up_alpha(alpha: float, updates: int) -> float:
    """``min(1 - 1 / (updates + 1), alpha)``: early averages must not stay near random weights.

    Use it for the coefficient with which the teacher is meant to follow. A coefficient that nearly
    closes the gate would be opened by it: 0.9999 becomes 0.99 after 100 updates.

    Args:
        alpha: the coefficient that the gate chose; a closed gate (1.0) stays closed.
        updates: EMA updates made so far.

    Example:
        >>> warmed_up_alpha(0.9, updates=0), warmed_up_alpha(0.9, updates=1)
        (0.0, 0.5)
        >>> warmed_up_alpha(0.9, updates=99), warmed_up_alpha(1.0, updates=0)
        (0.9, 1.0)
    """
    if alpha >= 1.0:
        return alpha
    return min(1.0 - 1.0 / (updates + 1), alpha)


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, alpha: float | Tensor) -> None:
    """``theta' <- alpha * theta' + (1 - alpha) * theta``; for alpha 1.0, not a bit changes.

    Args:
        teacher: changed in place.
        student: whose weights it follows.
        alpha: of all weights, or (N,) of each, in the order of ``parameters()``.
    """
    mine: list[Tensor] = list(teacher.parameters())
    theirs: list[Tensor] = list(student.parameters())
    if isinstance(alpha, Tensor):
        if bool((alpha >= 1.0).all()):
            return
        weights = (1.0 - alpha).split([each.numel() for each in mine])
        for one, other, weight in zip(mine, theirs, weights, strict=True):
            one.lerp_(other, weight.view_as(one))
    elif alpha >= 1.0:
        return
    else:
        torch._foreach_lerp_(mine, theirs, 1.0 - alpha)
    for buffer, its in zip(teacher.buffers(), student.buffers(), strict=True):
        buffer.copy_(its)
