"""Intensities that went beyond what the integers of a file hold, and came in at the other end."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.intensities.levels import spread_sample

Array = npt.NDArray[Any]

TURNS = (2**16, 2**12)
"""How many values integers of 16 and of 12 bits have."""

LEAST_VALUES = 3
"""What wrapped has several values; fill and saturated vessels have one. Ours."""

CLAMPED = 3
"""So many times as often as the two values beside it is a value met at which a scanner clamps: of
150 made clips, clamped at 12 bits, four of at most 27 voxels still look wrapped. Ours."""


def unwrapped(array: Array) -> tuple[Array, int]:
    """Bring values that wrapped around back to their like.

    Values lie on a circle, on which an image fills an arc. Where that crosses the ends of the
    integers' range, values of both ends are there with at least a sixteenth of the range empty
    between them. The smaller group moves. Vessels leave no such gap. Metal may, where a scanner
    clamps it at the largest value: an end that is met far more often than the values beside it was
    clamped, and nothing went beyond it.

    Returns:
        The array itself, or a copy of a wider type; and how many voxels were moved.
    """
    lowest, highest = float(array.min()), float(array.max())
    for turn in TURNS:
        if not turn - turn // 64 <= highest - lowest < turn or np.any(spread_sample(array) % 1):
            continue
        values, counts = _counted(array, int(lowest), turn)
        here = int(np.argmax(np.diff(values))) + 1
        if min(here, values.size - here) < LEAST_VALUES or _is_clamped(counts):
            continue
        if values[here] - values[here - 1] < turn / 16:
            continue
        middle = (float(values[here - 1]) + float(values[here])) / 2
        above = array > middle
        wide = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
        if counts[here:].sum() <= counts[:here].sum():
            wide[above] -= turn
            return wide, int(np.count_nonzero(above))
        wide[~above] += turn
        return wide, int(array.size - np.count_nonzero(above))
    return array, 0


def _is_clamped(counts: Array) -> bool:
    """Whether the lowest or the highest value is where others were cut off."""
    return bool(
        counts[0] > CLAMPED * counts[1:3].max() or counts[-1] > CLAMPED * counts[-3:-1].max()
    )


def _counted(array: Array, lowest: int, turn: int) -> tuple[Array, Array]:
    """The values of whole numbers that span less than a turn, and how often each is there."""
    counts = np.zeros(turn, np.int64)
    flat = array.reshape(-1)
    for start in range(0, flat.size, 2**22):
        shifted = flat[start : start + 2**22].astype(np.int64) - lowest
        counts += np.bincount(shifted, minlength=turn)
    values = np.flatnonzero(counts)
    return values + lowest, counts[values]
