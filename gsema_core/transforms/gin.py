"""GIN: a random shallow network as an appearance transform."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import fresh_seed, uniform

LAYERS = 4
HIDDEN = 2
KERNELS = (1, 3)
SLOPE = 0.01
"""Of the leaky ReLU: torch's default, for want of a printed one."""


@dataclass(frozen=True)
class GinParameters:
    seed: int
    """Of the network's kernel sizes, weights and shifts."""
    alpha: float
    """Share of the network's output in the blend with the input."""


class GinTransform(Transform[GinParameters]):
    """Global intensity non-linear augmentation of CMDG (Ouyang et al., causality-inspired
    single-source domain generalization).

    Each sample gets a fresh net of 4 convolutions with 2 hidden channels, kernel 1 or 3, weights
    and shifts from N(0, 1), leaky ReLU after all but the last. Its output is blended with the
    input, ``alpha * net(x) + (1 - alpha) * x`` with alpha from U(0, 1), and rescaled to the
    input's Frobenius norm. Expects intensities in [0, 1].

    The result is not clipped: a net that inverts contrast has negative values, and clipping would
    leave nothing of them; the norm keeps the result in range instead.
    """

    clips = False
    draws_unseen = True

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> GinParameters:
        """Draw the blend; the network is a seed."""
        return GinParameters(fresh_seed(generator), uniform(generator, 0.0, 1.0))

    def apply_one(self, image: Tensor, labels: Tensor, parameters: GinParameters) -> Sample:
        return gin(image, parameters), labels


def gin(image: Tensor, parameters: GinParameters) -> Tensor:
    """Return the GIN view of ``(C, D, H, W)`` that the parameters stand for."""
    mixed = torch.lerp(image, _random_net(image, parameters.seed), parameters.alpha)
    gain: Tensor = image.norm() / mixed.norm().clamp_min(torch.finfo(image.dtype).tiny)
    return mixed * gain


def _random_net(image: Tensor, seed: int) -> Tensor:
    # Drawn on the CPU, so that a recorded seed means the same network on every device.
    generator = torch.Generator().manual_seed(seed)
    widths = [len(image), *[HIDDEN] * (LAYERS - 1), len(image)]
    x = image
    for layer in range(LAYERS):
        kernel = KERNELS[int(torch.randint(len(KERNELS), (), generator=generator))]
        shape = (widths[layer + 1], widths[layer], *[kernel] * 3)
        weight = torch.randn(shape, generator=generator)
        x = convolve(x, weight, torch.randn(widths[layer + 1], generator=generator))
        if layer < LAYERS - 1:
            x = nn.functional.leaky_relu(x, SLOPE, inplace=True)
    return x


def convolve(image: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """Return ``conv3d`` of ``(C, D, H, W)`` with zero padding, kept at its size.

    Torch's own takes ten times as long for so few channels on a CPU (130 ms against 12 ms for two
    channels of 96^3).

    Args:
        image: ``(C, D, H, W)``, on any device.
        weight: ``(out, C, k, k, k)``, k odd, on the CPU.
        shift: ``(out,)``, on the CPU.
    """
    depth, height, width = image.shape[1:]
    padded = nn.functional.pad(image, [weight.shape[-1] // 2] * 6)
    result = shift.to(image)[:, None, None, None].repeat(1, depth, height, width)
    offsets = itertools.product(*(range(n) for n in weight.shape))
    for (o, c, i, j, k), value in zip(offsets, weight.flatten().tolist(), strict=True):
        neighbor = padded[c, i : i + depth, j : j + height, k : k + width]
        result[o].add_(neighbor, alpha=value)
    return result
