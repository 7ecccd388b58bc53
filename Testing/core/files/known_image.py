"""One small image whose values and places are known, and files that say it in many ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.grids import Geometry, Volume

_TURN = np.array([[0.0, 0.8, 0.6], [0.28, -0.576, 0.768], [0.96, 0.168, -0.224]])
AXES = np.round(_TURN.T, 12)
"""Columns are the directions of i, j and k in LPS: oblique, right-handed, exact in few digits."""
SPACING = (0.3, 0.4, 0.5)
ORIGIN = (-31.0, 17.0, 102.5)
VALUES = np.random.default_rng(1).integers(0, 900, (5, 6, 7)).astype(np.int16)
HOLED, ENDLESS = (
    np.where(value == VALUES, odd, VALUES)
    for value, odd in ((VALUES[2, 2, 2], np.nan), (VALUES[0, 0, 0], np.inf))
)
GRID = Geometry((7, 6, 5), SPACING, ORIGIN, tuple(AXES.reshape(-1)))
KNOWN = Volume(VALUES, GRID)
STRAIGHT = Volume(VALUES, Geometry((7, 6, 5), SPACING))

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Form:
    """A way to store an image.

    Attributes:
        files: by their names; the first is the one that is given to the reader.
        expected: what is in it, or the words of the refusal.
    """

    files: Files
    expected: Volume | str = KNOWN


def check_form(form: Form, folder: Path, read: Callable[[Path], Volume] = read_volume) -> None:
    """Read a form and compare it to what was stored, to the value and to 0.001 mm."""
    for name, content in form.files.items():
        (folder / name).write_bytes(content)
    path = folder / next(iter(form.files))
    if isinstance(form.expected, str):
        with pytest.raises(UserError) as caught:
            read(path)
        message = str(caught.value)
        assert form.expected in message
        assert path.name in message
        assert message.endswith(".") and "\n" not in message
        return
    volume = read(path)
    assert volume.array.dtype.isnative
    assert volume.array.flags.writeable
    np.testing.assert_array_equal(volume.array, form.expected.array)
    expected = form.expected.geometry
    assert volume.geometry.is_close(expected), (volume.geometry, expected)
