"""The boundary part of a latent: what a high-pass filter leaves of it (equation 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gsema_core.errors import UserError
from gsema_core.losses.full_precision import full_precision, no_autocast

CUTOFF = 0.25
"""Half the band up to Nyquist is removed. Ours: the paper says only "zero value in its center"."""


def highpass_mask(
    shape: Sequence[int], cutoff: float = CUTOFF, device: torch.device | str | None = None
) -> Tensor:
    """Return the mask of equation 3, laid out as ``torch.fft.rfftn`` lays out frequencies.

    Zero where every ``|k_i| < cutoff * n_i``, one elsewhere. The mask depends on ``|k_i|`` alone,
    so it is Hermitian for even and odd sizes and the filtered map is real.

    Args:
        shape: spatial size ``(D, H, W)``; any number of axes.
        cutoff: in cycles per voxel, between 0 and 0.5 (Nyquist), both excluded.
        device: where the mask is made.

    Returns:
        A bool tensor ``(D, H, W // 2 + 1)``.

    Raises:
        UserError: the cutoff is out of its range.
    """
    if not 0.0 < cutoff < 0.5:
        raise UserError(
            f"The high-pass cutoff is {cutoff}, expected a number between 0 and 0.5 cycles per "
            "voxel: choose for example 0.25."
        )
    keep = torch.zeros((), dtype=torch.bool, device=device)
    for axis, size in enumerate(shape):
        last = axis == len(shape) - 1
        # d = 1 / size makes the frequencies the integers k, free of rounding at the limit.
        frequencies = torch.fft.rfftfreq if last else torch.fft.fftfreq
        k = frequencies(size, d=1.0 / size, dtype=torch.float64, device="cpu").abs()
        high = (k.round() >= cutoff * size).to(keep.device)
        keep = keep.unsqueeze(-1) | high
    return keep


def boundary_map(z: Tensor, cutoff: float = CUTOFF, magnitude: bool = False) -> Tensor:
    """Return ``b = irfftn(rfftn(z) * mask)`` over the spatial axes (equation 3).

    Computed in float32 even under autocast: a half-precision FFT takes powers of two only.

    Args:
        z: a latent ``(B, C, D, H, W)``, of any spatial shape.
        cutoff: see `highpass_mask`.
        magnitude: return ``|b|``. Magnitudes are never negative, so that unrelated latents score
            a cosine of about 0.64 (2 / pi for Gaussian ones) instead of 0; off by default.

    Returns:
        The map ``(B, C, D, H, W)``, float32 (float64 for a float64 latent).
    """
    axes = tuple(range(2, z.ndim))
    with no_autocast(z):
        z = full_precision(z)
        spectrum = torch.fft.rfftn(z, dim=axes)
        mask = highpass_mask(z.shape[2:], cutoff, z.device)
        b: Tensor = torch.fft.irfftn(spectrum * mask, s=z.shape[2:], dim=axes)
        return b.abs() if magnitude else b
