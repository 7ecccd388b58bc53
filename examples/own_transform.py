"""A transform of one's own: contrast medium that has not reached all of the patch. In config.toml:

[method]
transform = ["paper", "own_transform:Washout"]     # one after the other

[transforms."own_transform:Washout"]               # the keywords of __init__
strongest = 0.6
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.transforms import Transform


@dataclass(frozen=True)
class WashoutParameters:
    """What happens to one patch; drawn first, so that it can be repeated."""

    axis: int
    strength: float


class Washout(Transform[WashoutParameters]):
    """Darkens bright voxels along an axis, from nothing at one end to the most at the other.

    Args:
        strongest: the largest share of brightness that is lost, from 0 to 1.
        probability: of acting on a patch at all.
    """

    def __init__(self, *, strongest: float = 0.5, probability: float = 0.5) -> None:
        super().__init__(probability=probability)
        self.strongest = strongest

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> WashoutParameters:
        """Draw by the generator alone: a run that goes on sees the same patches."""
        axis = int(torch.randint(1, 4, (), generator=generator))
        share = float(torch.rand((), generator=generator))
        return WashoutParameters(axis, share * self.strongest)

    def apply_one(
        self, image: Tensor, labels: Tensor, parameters: WashoutParameters
    ) -> tuple[Tensor, Tensor]:
        """Take and return one patch (1, D, H, W) in [0, 1] and its labels, which stay."""
        shape = [1, 1, 1, 1]
        shape[parameters.axis] = image.shape[parameters.axis]
        ramp = torch.linspace(0, 1, shape[parameters.axis], device=image.device).reshape(shape)
        return image * (1 - parameters.strength * ramp * image), labels
