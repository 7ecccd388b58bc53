"""The target transform that leaves every patch as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from gsema_core.transforms.base import Sample, Transform


class NoTransform(Transform[None]):
    """``x_t = x_s``: the row "no target transform" of an ablation."""

    draws_unseen = True

    def draw_one(self, generator: torch.Generator, image: Tensor, donor: Tensor | None) -> None:
        """Draw nothing."""

    def apply_one(self, image: Tensor, labels: Tensor, parameters: None) -> Sample:
        return image, labels
