"""How far the predictions on two views of one patch disagree (the rival CMDG's term)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gsema_core.losses.full_precision import full_precision, no_autocast


def consistency_loss(first: Tensor, second: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of two predictions, the mean over voxels and samples.

    The mean of the Kullback-Leibler divergences of each prediction from their average: 0 where
    they agree, ln 2 where both are certain of different classes. CMDG (Ouyang et al.,
    *Causality-inspired single-source domain generalization for medical image segmentation*, 2022)
    trains on two GIN-IPA views of a patch and asks by a Kullback-Leibler divergence that the
    predictions agree; taking it from the average is how Xu et al. do it (*Robust and generalizable
    visual representation learning via random convolutions*, 2021), whose weight CMDG has.

    Args:
        first: logits of one view (B, 3, D, H, W), any floating type.
        second: logits of the other view, same shape and voxels.

    Returns:
        A scalar, float32 (float64 for float64 logits).

    Raises:
        ValueError: the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"Both views' logits must have one shape, got {tuple(first.shape)} and "
            f"{tuple(second.shape)}."
        )
    with no_autocast(first):
        logs = [torch.log_softmax(full_precision(each), dim=1) for each in (first, second)]
        average = torch.logaddexp(*logs) - math.log(2.0)
        divergences = [(log.exp() * (log - average)).sum(dim=1).mean() for log in logs]
        return (divergences[0] + divergences[1]) / 2
