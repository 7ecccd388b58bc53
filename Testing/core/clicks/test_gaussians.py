"""Clicks as maps: where they peak, how they fall, what several make."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.clicks import click_channels


def test_a_click_is_a_gaussian_with_peak_one_in_its_own_channel() -> None:
    channels = click_channels((16, 18, 20), [(7, 8, 9)], [(2, 3, 4)], width_voxels=2.0)
    assert channels.shape == (2, 16, 18, 20)
    assert channels.dtype == np.float32
    for channel, point in zip(channels, ((7, 8, 9), (2, 3, 4)), strict=True):
        assert np.unravel_index(channel.argmax(), channel.shape) == point
        assert channel.max() == 1.0
    k, j, i = np.indices((16, 18, 20))
    squared = (k - 7) ** 2 + (j - 8) ** 2 + (i - 9) ** 2
    np.testing.assert_allclose(channels[0], np.exp(-squared / 8), atol=4e-4)  # cut at 4 widths
    assert channels[0, 15, 8, 9] == pytest.approx(math.exp(-8))
    assert click_channels((20, 5, 5), [(0, 2, 2)], [], 2.0)[0, 9, 2, 2] == 0.0


def test_the_larger_of_two_clicks_counts() -> None:
    points = [(4, 4, 4), (5.5, 4, 4)]
    both = click_channels((10, 9, 8), points, [], 1.5)
    alone = [click_channels((10, 9, 8), [point], [], 1.5) for point in points]
    assert np.array_equal(both, np.maximum(*alone))
    assert np.array_equal(click_channels((10, 9, 8), [*points, points[0]], [], 1.5), both)


def test_no_click_is_zero_and_one_beyond_the_window_is_seen_as_far_as_it_reaches() -> None:
    assert not click_channels((6, 6, 6), [], np.zeros((0, 3)), 3.0).any()
    near = click_channels((6, 6, 6), [(-2, 3, 3)], [], 1.0)[0]
    assert near[0, 3, 3] == pytest.approx(math.exp(-2))
    assert not click_channels((6, 6, 6), [(-5, 3, 3), (3, 3, 11)], [], 1.0).any()


def test_a_width_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.0 voxels, expected more than 0"):
        click_channels((4, 4, 4), [(1, 1, 1)], [], 0.0)
