"""Intensity transform: gamma, contrast and brightness."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import log_uniform, not_negative, uniform


@dataclass(frozen=True)
class IntensityParameters:
    gamma: float
    scale: float
    shift: float


class IntensityTransform(Transform[IntensityParameters]):
    """``scale * (x^gamma - m) + m + shift``, ``m`` the mean of ``x^gamma``.

    Args:
        max_gamma: gamma is log-uniform from ``1 / max_gamma`` to ``max_gamma``. 2, ours: what
            halves or doubles a vessel of half the maximal contrast.
        max_scale_change: the scale is ``1 +- this``. 0.4, ours.
        max_shift: the shift is ``+- this``. 0.15, ours: in the range of soft tissue after scaling
            volumes to [0, 1].
        probability: of acting on a sample. 0.9, ours.
    """

    draws_unseen = True

    def __init__(
        self,
        *,
        max_gamma: float = 2.0,
        max_scale_change: float = 0.4,
        max_shift: float = 0.15,
        probability: float = 0.9,
    ) -> None:
        super().__init__(probability=probability)
        if not max_gamma >= 1.0:
            raise UserError(
                f"The largest gamma is {max_gamma}, expected 1 or more: choose 1 to turn it off."
            )
        self.max_gamma = max_gamma
        self.max_scale_change = not_negative("largest change of scale", max_scale_change)
        self.max_shift = not_negative("largest shift", max_shift)

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> IntensityParameters:
        change = self.max_scale_change
        return IntensityParameters(
            gamma=log_uniform(generator, 1.0 / self.max_gamma, self.max_gamma),
            scale=uniform(generator, 1.0 - change, 1.0 + change),
            shift=uniform(generator, -self.max_shift, self.max_shift),
        )

    def apply_one(self, image: Tensor, labels: Tensor, parameters: IntensityParameters) -> Sample:
        bent = image.clamp(0.0, 1.0).pow_(parameters.gamma)
        offset = (1.0 - parameters.scale) * bent.mean() + parameters.shift
        return bent.mul_(parameters.scale).add_(offset), labels
