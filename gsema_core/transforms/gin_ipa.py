"""GIN-IPA: two GIN views blended by a smooth random map."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import fresh_seed, uniform
from gsema_core.transforms.fields import smooth_field
from gsema_core.transforms.gin import GinParameters, gin

POINTS = 5
"""Control points of the map along each axis: a quarter of the patch's size apart."""


@dataclass(frozen=True)
class GinIpaParameters:
    first: GinParameters
    second: GinParameters
    seed: int
    """Of the map's control points."""


class GinIpaTransform(Transform[GinIpaParameters]):
    """Interventional pseudo-correlation augmentation of CMDG on top of GIN.

    ``m * gin_1(x) + (1 - m) * gin_2(x)`` with a smooth random map ``m`` in [0, 1]: regions no
    longer share one appearance, so that a network cannot lean on how they go together. The map is
    interpolated trilinearly between control points from U(0, 1). Not clipped, as `GinTransform`.
    """

    clips = False
    draws_unseen = True

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> GinIpaParameters:
        """Draw two networks, their blends and the map."""
        first, second = (
            GinParameters(fresh_seed(generator), uniform(generator, 0.0, 1.0)) for _ in range(2)
        )
        return GinIpaParameters(first, second, fresh_seed(generator))

    def complement(
        self, parameters: tuple[GinIpaParameters | None, ...]
    ) -> tuple[GinIpaParameters | None, ...]:
        """Return the views whose maps are one minus these views' maps.

        CMDG trains on both and asks their predictions to agree.
        """
        return tuple(
            each and GinIpaParameters(each.second, each.first, each.seed) for each in parameters
        )

    def apply_one(self, image: Tensor, labels: Tensor, parameters: GinIpaParameters) -> Sample:
        generator = torch.Generator().manual_seed(parameters.seed)
        control = torch.rand((1, POINTS, POINTS, POINTS), generator=generator).to(image)
        share = smooth_field(control, image.shape[1:])
        first, second = gin(image, parameters.first), gin(image, parameters.second)
        return torch.lerp(second, first, share), labels
