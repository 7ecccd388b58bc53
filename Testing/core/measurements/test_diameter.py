from __future__ import annotations

import numpy as np
import pytest

from gsema_core.measurements import diameter
from gsema_core.measurements.diameter import largest_diameter

SPACING = np.array([0.5, 0.3, 0.4])


def length(ends: tuple[np.ndarray, np.ndarray]) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))


def ball(radius: float) -> np.ndarray:
    points = (np.indices((41, 41, 41)).reshape(3, -1).T - 20) * SPACING
    return points[np.linalg.norm(points - 0.07, axis=1) <= radius]


def test_the_hull_gives_what_all_pairs_give(monkeypatch: pytest.MonkeyPatch) -> None:
    points = ball(2.5)
    assert len(points) > diameter.ALL_PAIRS_POINTS
    by_hull = largest_diameter(points, SPACING)
    monkeypatch.setattr(diameter, "ALL_PAIRS_POINTS", 10**9)
    by_pairs = largest_diameter(points, SPACING)
    assert length(by_hull) == pytest.approx(length(by_pairs), abs=1e-12)
    assert length(by_hull) == pytest.approx(5, abs=0.25)


def test_a_flat_set_has_a_diameter() -> None:
    plane = np.indices((60, 60)).reshape(2, -1).T
    points = np.column_stack([np.ones(len(plane)), plane]) * 0.3
    ends = largest_diameter(points, np.full(3, 0.3))
    assert length(ends) == pytest.approx(59 * 0.3 * np.sqrt(2) + 0.15)


def test_the_ends_lie_beyond_the_last_centers() -> None:
    points = np.array([[2.0, 0, 0], [2.5, 0, 0], [3.0, 0, 0]])
    first, second = sorted(end.tolist() for end in largest_diameter(points, SPACING))
    assert first == pytest.approx([2 - 0.125, 0, 0])
    assert second == pytest.approx([3 + 0.125, 0, 0])


def test_one_voxel_is_as_wide_as_its_longest_side() -> None:
    ends = largest_diameter(np.array([[1.0, 2.0, 3.0]]), SPACING)
    np.testing.assert_allclose(sorted(end.tolist() for end in ends), [[0.75, 2, 3], [1.25, 2, 3]])


@pytest.mark.parametrize("turned", [False, True])
def test_of_equally_long_lines_the_one_with_the_wider_voxels(turned: bool) -> None:
    cross = np.array([[2.0, 0, 0], [-2, 0, 0], [0, 2, 0], [0, -2, 0]])
    points = cross[::-1] if turned else cross
    assert length(largest_diameter(points, np.array([1.0, 2.0, 1.0]))) == pytest.approx(4 + 1)
