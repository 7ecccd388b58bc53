"""Class probabilities between the windows and the labels, at half the memory.

Shares are the probabilities (2, k, j, i) of vessel and aneurysm; the background is what they leave
of 1. They are float32 or, at half the memory, uint16 that counts in 1 / ``FULL``: exact to 8e-6,
where float16 is exact to 2e-4 near 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FULL = 65534
"""What stands for the probability 1 in 16 bits: even, so that one half is exact, and with room for
two classes that are both rounded up."""

Shares = npt.NDArray[np.floating] | npt.NDArray[np.uint16]
"""Probabilities, as said above."""


def full_share(shares: Shares) -> int:
    """What stands for the probability 1 in an array."""
    return FULL if shares.dtype == np.uint16 else 1
