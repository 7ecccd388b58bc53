"""Amplitude mixing: the low frequencies of another center's patch, the phase of this one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.transforms.base import Sample, Transform
from gsema_core.transforms.draws import uniform

AXES = (1, 2, 3)


@dataclass(frozen=True, eq=False)
class AmplitudeMixParameters:
    weight: float
    """0 keeps the sample's amplitudes, 1 takes the donor's."""
    amplitude: Tensor
    """The donor's low-frequency amplitudes ``(C, 2b + 1, 2b + 1, b + 1)``, on the CPU."""


class AmplitudeMixTransform(Transform[AmplitudeMixParameters]):
    """Amplitude interpolation of FedDG (Liu et al., episodic learning in continuous frequency
    space).

    Where every ``|k_i| <= b``, ``b = floor(band * min(D, H, W))``, the amplitudes of the spectrum
    are interpolated, with a weight from U(0, 1), towards those of a donor patch of another
    center. The phase, which carries the anatomy, is kept.

    Args:
        band: largest mixed frequency in cycles per voxel, from 0 (the mean alone) to below 0.5.
            0.1, ours: patterns longer than 10 voxels.
        probability: of acting on a sample.

    Raises:
        UserError: the band is out of its range.
    """

    needs_donor = True
    draws_unseen = True

    def __init__(self, *, band: float = 0.1, probability: float = 1.0) -> None:
        super().__init__(probability=probability)
        if not 0.0 <= band < 0.5:
            raise UserError(
                f"The band of amplitude_mix is {band}, expected 0 or more and below 0.5 cycles "
                "per voxel: choose for example 0.1."
            )
        self.band = band

    def draw_one(
        self, generator: torch.Generator, image: Tensor, donor: Tensor | None
    ) -> AmplitudeMixParameters:
        """Draw the weight and record what is needed of the donor.

        Raises:
            UserError: there is no donor.
        """
        if donor is None:
            raise UserError(
                "The target transform amplitude_mix got no patch of another center: train on "
                "cases of two or more centers, or choose another transform."
            )
        spectrum = torch.fft.rfftn(donor.float(), dim=AXES)
        low = _low_frequencies(donor.shape[1:], self.band)
        return AmplitudeMixParameters(
            weight=uniform(generator, 0.0, 1.0),
            amplitude=spectrum[(slice(None), *low)].abs().cpu(),
        )

    def apply_one(
        self, image: Tensor, labels: Tensor, parameters: AmplitudeMixParameters
    ) -> Sample:
        spectrum = torch.fft.rfftn(image, dim=AXES)
        low = (slice(None), *_low_frequencies(image.shape[1:], self.band))
        own = spectrum[low]
        mixed = torch.lerp(own.abs(), parameters.amplitude.to(image), parameters.weight)
        spectrum[low] = torch.polar(mixed, own.angle())
        return torch.fft.irfftn(spectrum, s=image.shape[1:], dim=AXES), labels


def _low_frequencies(shape: Sequence[int], band: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return indices of the cube ``|k_i| <= b`` in the layout of ``rfftn``."""
    b = math.floor(band * min(shape))
    k = torch.arange(-b, b + 1)
    return k[:, None, None], k[None, :, None], torch.arange(b + 1)[None, None, :]
