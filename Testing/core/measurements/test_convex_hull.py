from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial import Delaunay

from gsema_core.measurements.convex_hull import convex_hull


def ball(radius: float, center: float = 10.3) -> np.ndarray:
    k, j, i = np.ogrid[:21, :21, :21]
    return np.asarray((k - center) ** 2 + (j - center) ** 2 + (i - center) ** 2 <= radius**2)


def test_a_convex_body_is_its_own_hull() -> None:
    for radius in (1.5, 3.0, 6.2, 9.0):
        hull = convex_hull(ball(radius))
        np.testing.assert_array_equal(hull, ball(radius))


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_by_delaunay_simplices(seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = random.random(tuple(random.integers(5, 12, 3))) > 0.96
    hull = convex_hull(mask)
    points = np.argwhere(np.ones_like(mask))
    if np.linalg.matrix_rank(np.argwhere(mask) - np.argwhere(mask).mean(axis=0)) < 3:
        assert hull is None
        return
    inside = Delaunay(np.argwhere(mask)).find_simplex(points.astype(float), tol=1e-9) >= 0
    np.testing.assert_array_equal(hull, inside.reshape(mask.shape))


def test_turned_and_flipped_it_is_the_same() -> None:
    mask = ball(4, 7) | np.roll(ball(2.5, 7), (3, 5, 1), axis=(0, 1, 2))
    hull = convex_hull(mask)
    assert hull is not None and np.count_nonzero(hull) > np.count_nonzero(mask)
    for order in itertools.permutations(range(3)):
        turned = convex_hull(np.flip(mask.transpose(order), axis=1))
        np.testing.assert_array_equal(turned, np.flip(hull.transpose(order), axis=1))


def test_a_hollow_is_filled_and_a_gap_too() -> None:
    hollow = ball(8)
    hollow[9:12, 9:12, 5:15] = False
    np.testing.assert_array_equal(convex_hull(hollow), ball(8))
    apart = np.zeros((5, 5, 15), dtype=bool)
    apart[1:4, 1:4, [1, 2, 11, 12]] = True
    whole = np.zeros_like(apart)
    whole[1:4, 1:4, 1:13] = True
    np.testing.assert_array_equal(convex_hull(apart), whole)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (1, 4, 5), (3, 1, 4)])
def test_what_is_flat_has_none(shape: tuple[int, int, int]) -> None:
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[tuple(slice(1, 1 + length) for length in shape)] = True
    assert convex_hull(mask) is None
    assert convex_hull(np.zeros((4, 4, 4), dtype=bool)) is None
