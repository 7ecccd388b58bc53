"""Smooth fields over a patch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


def smooth_field(control: Tensor, size: Sequence[int]) -> Tensor:
    """Interpolate a coarse control grid ``(C, d, h, w)`` trilinearly to ``(C, D, H, W)``."""
    field: Tensor = nn.functional.interpolate(
        control[None], size=tuple(size), mode="trilinear", align_corners=True
    )
    return field[0]
