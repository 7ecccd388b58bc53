"""Histogram shift: a random, increasing remapping of the intensities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import not_negative


@dataclass(frozen=True)
class HistogramParameters:
    values: tuple[float, ...]
    """The new values of intensities spaced evenly over [0, 1]; linear in between."""


class HistogramTransform(Transform[HistogramParameters]):
    """A piecewise linear curve from (0, 0) to (1, 1) with random slopes.

    The family of MONAI's ``RandHistogramShift``, whose control points are jittered along the
    other axis; even spacing needs no search, and positive slopes keep tissues apart.

    Args:
        strength: standard deviation of the logarithm of the slopes. 0.6, ours: two slopes out of
            three lie between a half and twice the mean.
        pieces: number of linear pieces. 8, ours (MONAI's default has 9).
        probability: of acting on a sample. 0.5, ours.
    """

    draws_unseen = True

    def __init__(self, *, strength: float = 0.6, pieces: int = 8, probability: float = 0.5) -> None:
        super().__init__(probability=probability)
        if pieces < 1:
            raise UserError(f"The histogram curve has {pieces} pieces, expected one or more.")
        self.strength = not_negative("strength of the histogram shift", strength)
        self.pieces = pieces

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> HistogramParameters:
        normal = torch.randn(self.pieces, generator=generator, device=generator.device)
        steps = (self.strength * normal.double()).exp()
        values = steps.cumsum(0) / steps.sum()
        return HistogramParameters((0.0, *values.tolist()))

    def apply_one(self, image: Tensor, labels: Tensor, parameters: HistogramParameters) -> Sample:
        values = torch.tensor(parameters.values, dtype=image.dtype, device=image.device)
        last = len(values) - 2
        position = image.clamp(0.0, 1.0).mul_(last + 1)
        piece = position.long().clamp_(max=last)
        return torch.lerp(values[piece], values[piece + 1], position.sub_(piece)), labels
