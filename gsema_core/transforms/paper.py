"""The paper's target transform."""

from __future__ import annotations

from gsema_core.transforms.bias import BiasTransform
from gsema_core.transforms.draws import not_negative
from gsema_core.transforms.geometric import GeometricTransform
from gsema_core.transforms.histogram import HistogramTransform
from gsema_core.transforms.intensity import IntensityTransform
from gsema_core.transforms.noise import NoiseTransform
from gsema_core.transforms.sequence import Sequence
from gsema_core.transforms.smoothing import SmoothingTransform


class PaperTransform(Sequence):
    """Section 2.1: geometry, intensity, smoothing and noise, histogram shift, bias field.

    The paper gives the kinds and their order, but no strengths. These are chosen here: strong in
    appearance and moderate in geometry, because centers differ more by scanner than by anatomy.

    Args:
        strength: multiplies every strength; 0 leaves patches as they are.
        probability: of acting on a sample at all.

    Raises:
        UserError: the strength is negative.
    """

    def __init__(self, *, strength: float = 1.0, probability: float = 1.0) -> None:
        s = not_negative("strength of the target transform", strength)
        on = float(s > 0.0)  # flips and resampling have no strength of their own
        super().__init__(
            (
                GeometricTransform(
                    flip_probability=0.5 * on,
                    affine_probability=0.5 * on,
                    max_angle_deg=15.0 * s,
                    max_scale=1.2**s,
                ),
                IntensityTransform(max_gamma=2.0**s, max_scale_change=0.4 * s, max_shift=0.15 * s),
                SmoothingTransform(max_sigma=1.2 * s, max_sharpening=1.5 * s),
                NoiseTransform(max_sigma=0.12 * s),
                HistogramTransform(strength=0.6 * s),
                BiasTransform(strength=0.5 * s),
            ),
            probability=probability,
        )
