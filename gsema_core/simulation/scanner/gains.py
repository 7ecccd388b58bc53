"""Detector pixels whose gain is not quite known: rings in the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gsema_core.simulation.centers import Protocol

WORSE_SHARE, WORSE = 0.004, 4.0
"""Share of pixels whose error is so many times as large, and they come in pairs down a column, as
read-out faults do (ours)."""


def draw_gains(
    protocol: Protocol, shape: tuple[int, ...], rng: np.random.Generator
) -> npt.NDArray[np.float32] | None:
    """Return what each detector pixel (v, u) adds to every line integral, or None for nothing."""
    if not protocol.ring_gain:
        return None
    errors = rng.normal(0.0, protocol.ring_gain, shape)
    worse = rng.random(shape) < WORSE_SHARE
    worse[1:] |= worse[:-1]
    return np.asarray(np.where(worse, WORSE * errors, errors), dtype=np.float32)
