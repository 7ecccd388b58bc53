from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_scan import made_scan
from scipy import ndimage

from gsema_core.intensities.wrapping import unwrapped

BRIGHT = made_scan().astype(np.int32) * 33  # up to 36,000
CENTERED = made_scan().astype(np.int32) - 100


@pytest.mark.parametrize(
    "right, kind",
    [(BRIGHT, np.int16), (CENTERED, np.uint16), (CENTERED, np.float32)],
    ids=["vessels beyond 32767", "noise below 0", "noise below 0, as numbers with a point"],
)
def test_wrapped_values_come_back(right: Any, kind: type) -> None:
    wrapped = (right % 65536).astype(np.uint16) if kind != np.int16 else right.astype(np.int16)
    back, moved = unwrapped(wrapped.astype(kind))
    assert (back == right).all()
    assert moved == ((right < 0) | (right > 32767)).sum() > 0


def test_twelve_bits_wrap_too() -> None:
    back, moved = unwrapped((CENTERED % 4096).astype(np.uint16))
    assert (back == CENTERED).all()
    assert moved == (CENTERED < 0).sum()


def test_half_of_the_voxels_may_have_wrapped() -> None:
    right = CENTERED - 3  # more than half of them below 0
    back, moved = unwrapped((right % 65536).astype(np.uint16))
    assert (back == right + 65536).all() or (back == right).all()
    assert moved == min((right < 0).sum(), (right >= 0).sum())


@pytest.mark.parametrize(
    "scan",
    [
        made_scan(),
        np.clip(made_scan(), 0, 4095),
        np.where(made_scan() > 900, 4095, made_scan()),  # saturated, and 0 is not there
        np.linspace(0, 65535, 64**3).astype(np.uint16).reshape(64, 64, 64),
        np.where(made_scan() > 500, 32767, np.where(made_scan() < 80, -32768, 0)),
        np.zeros((3, 3, 3), np.uint16),
        made_scan() + 0.5,
    ],
    ids=["scan", "12 bits", "saturated", "all values", "both ends", "constant", "fractions"],
)
def test_what_did_not_wrap_is_left_alone(scan: Any) -> None:
    back, moved = unwrapped(scan)
    assert back is scan
    assert moved == 0


@pytest.mark.parametrize(
    "size, edge, brightness", [(6, 0.54, 5257), (4, 0.85, 23011), (2, 0.6, 9000)]
)
def test_metal_that_is_clamped_did_not_wrap(size: int, edge: float, brightness: int) -> None:
    """The soft edge of a clip has few values, with gaps between them."""
    clip = np.zeros((64, 64, 64))
    clip[8 : 8 + size, 8 : 8 + size, 8 : 8 + size] = 1
    clip = ndimage.gaussian_filter(clip, edge)
    scan = np.round(made_scan() - 70 + clip / clip.max() * brightness)
    scan = np.clip(scan, 0, 4095).astype(np.uint16)
    back, moved = unwrapped(scan)
    assert back is scan
    assert moved == 0
