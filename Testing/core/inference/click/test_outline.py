from __future__ import annotations

from typing import Any

import numpy as np

from gsema_core.inference.click.outline import draw_outline

NONE = np.empty((0, 3))


def test_what_is_doubted_at_one_end_does_not_widen_the_outline_at_the_other() -> None:
    """A sure sac in a rim of 0.3, and a doubtful lobe of 0.4 beside it."""
    field = np.zeros((20, 20, 50), np.float32)
    field[4:16, 4:16, 4:16] = 0.3
    field[7:13, 7:13, 7:13] = 1.0
    field[7:13, 7:13, 16:30] = 0.4
    inside: Any = np.array([(10.0, 10.0, 10.0), (10.0, 10.0, 24.0)])
    outline = draw_outline(field, inside, NONE, 1.0)
    assert outline.component is not None
    assert (outline.threshold, outline.peak) == (0.5, 1.0)
    sure, doubted = field == 1.0, field == np.float32(0.4)
    middle = np.arange(50) >= 17  # nearer to the second click
    np.testing.assert_array_equal(outline.component, sure | (doubted & middle))
    np.testing.assert_array_equal(outline.sac >= outline.threshold, outline.component)


def test_a_doubted_piece_of_its_own_is_taken_whole() -> None:
    field = np.zeros((20, 20, 50), np.float32)
    field[7:13, 7:13, 7:13] = 1.0
    field[7:13, 7:13, 15:40] = 0.4
    inside: Any = np.array([(10.0, 10.0, 10.0), (10.0, 10.0, 36.0)])
    outline = draw_outline(field, inside, NONE, 1.0)
    np.testing.assert_array_equal(outline.component, field > 0)
