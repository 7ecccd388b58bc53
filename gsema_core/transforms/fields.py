"""Smooth fields over a patch, and smoothed patches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.convutils import gaussian_1d
from monai.networks.layers.simplelayers import separable_filtering
from torch import Tensor, nn


def smooth_field(control: Tensor, size: Sequence[int]) -> Tensor:
    """Interpolate a coarse control grid ``(C, d, h, w)`` trilinearly to ``(C, D, H, W)``."""
    field: Tensor = nn.functional.interpolate(
        control[None], size=tuple(size), mode="trilinear", align_corners=True
    )
    return field[0]


def smoothed(image: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Return ``(C, D, H, W)`` convolved with a Gaussian; its border voxels continue outside.

    Args:
        image: ``(C, D, H, W)``, float32.
        sigmas: widths in voxels along ``(D, H, W)``; 0 leaves an axis alone.
    """
    kernels = [
        # A sampled Gaussian this narrow is a single one, while at 0 it is undefined.
        gaussian_1d(torch.tensor(max(s, 0.1)), truncated=3.0, approx="sampled", normalize=True)
        for s in sigmas
    ]
    result: Tensor = separable_filtering(image[None], kernels, mode="replicate")[0]
    return result
