"""Bias field: smooth shading, as of scatter, beam hardening or truncation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import not_negative
from gsema_core.transforms.fields import smooth_field


@dataclass(frozen=True, eq=False)
class BiasParameters:
    control: Tensor
    """Factors on a coarse grid ``(n, n, n)`` over the patch."""


class BiasTransform(Transform[BiasParameters]):
    """Multiplies the image with a smooth positive field.

    Args:
        strength: the logarithm of the field's control points is ``+- this``. 0.5, ours: factors
            from 0.6 to 1.65.
        points: control points along each axis. 4, ours (MONAI's field is of degree 3).
        probability: of acting on a sample. 0.6, ours.
    """

    draws_unseen = True

    def __init__(self, *, strength: float = 0.5, points: int = 4, probability: float = 0.6) -> None:
        super().__init__(probability=probability)
        if points < 2:
            raise UserError(f"The bias field has {points} control points, expected two or more.")
        self.strength = not_negative("strength of the bias field", strength)
        self.points = points

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> BiasParameters:
        unit = torch.rand((self.points,) * 3, generator=generator, device=generator.device)
        return BiasParameters((self.strength * (2.0 * unit - 1.0)).exp().cpu())

    def apply_one(self, image: Tensor, labels: Tensor, parameters: BiasParameters) -> Sample:
        return image * smooth_field(parameters.control.to(image)[None], image.shape[1:]), labels
