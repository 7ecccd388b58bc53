"""Noise: white, or with the grain that a reconstruction leaves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import chance, fresh_seed, not_negative, uniform
from gsema_core.transforms.fields import smoothed


@dataclass(frozen=True)
class NoiseParameters:
    sigma: float
    grain: float
    """Width in voxels of the Gaussian that smooths the noise; 0 is white."""
    seed: int


class NoiseTransform(Transform[NoiseParameters]):
    """Adds Gaussian noise of standard deviation ``sigma``.

    Args:
        max_sigma: of images in [0, 1]. 0.12, ours: small vessels drown in the strongest noise.
        max_grain: 1 voxel, ours: noise of filtered back-projection is not white.
        grain_probability: of grainy noise instead of white. 0.5, ours.
        probability: of acting on a sample. 0.8, ours.
    """

    draws_unseen = True

    def __init__(
        self,
        *,
        max_sigma: float = 0.12,
        max_grain: float = 1.0,
        grain_probability: float = 0.5,
        probability: float = 0.8,
    ) -> None:
        super().__init__(probability=probability)
        self.max_sigma = not_negative("largest sigma of the noise", max_sigma)
        self.max_grain = not_negative("largest grain of the noise", max_grain)
        self.grain_probability = not_negative("probability of grainy noise", grain_probability)

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> NoiseParameters:
        """Draw strength and grain; the noise itself is a seed."""
        sigma = uniform(generator, 0.0, self.max_sigma)
        grain = uniform(generator, 0.0, self.max_grain)
        grainy = chance(generator, self.grain_probability)
        return NoiseParameters(sigma, grain if grainy else 0.0, fresh_seed(generator))

    def apply_one(self, image: Tensor, labels: Tensor, parameters: NoiseParameters) -> Sample:
        generator = torch.Generator(image.device).manual_seed(parameters.seed)
        noise = torch.randn(image.shape, generator=generator, device=image.device)
        if parameters.grain > 0.0:
            noise = smoothed(noise, (parameters.grain,) * 3)
            noise = noise / noise.std()  # smoothing averages, which lowers the deviation
        return torch.add(image, noise, alpha=parameters.sigma), labels
