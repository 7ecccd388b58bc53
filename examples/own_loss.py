"""A loss of one's own: Tversky's (Salehi et al., 2017), which lets a miss cost more than a false
positive. Named in config.toml:

    [method]
    segmentation_loss = "own_loss:TverskyLoss"

    [losses."own_loss:TverskyLoss"]     # the keywords of __init__
    missed = 0.8
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TverskyLoss(nn.Module):
    """One minus Tversky's index, averaged over classes and samples.

    Args:
        missed: what a missed voxel costs; a false one costs the rest to 1. 0.5 is Dice.
        smoothing: voxels added above and below, for classes that are absent.
    """

    def __init__(self, *, missed: float = 0.7, smoothing: float = 1.0) -> None:
        super().__init__()
        self.missed = missed
        self.smoothing = smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Take logits (B, 3, D, H, W) and labels (B, 1, D, H, W); return a scalar."""
        # In single precision, whatever the networks run in.
        probability = logits.float().softmax(dim=1)
        truth = nn.functional.one_hot(labels[:, 0].long(), 3).movedim(-1, 1)
        voxels = (2, 3, 4)
        hit = (probability * truth).sum(voxels)
        missed = ((1 - probability) * truth).sum(voxels)
        false = (probability * (1 - truth)).sum(voxels)
        cost = self.missed * missed + (1 - self.missed) * false
        index = (hit + self.smoothing) / (hit + cost + self.smoothing)
        return torch.mean(1 - index)
