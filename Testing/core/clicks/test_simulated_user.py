"""The simulated user: where it clicks first, and what it corrects."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.clicks import KINDS, first_click, next_click

SPACING = (0.5, 0.5, 0.5)


def ball(center: tuple[float, ...], radius: float, size: int = 32) -> np.ndarray:
    """(k, j, i) a ball, both in voxels."""
    away = np.linalg.norm(np.indices((size,) * 3).T - np.array(center), axis=-1).T
    return away <= radius


SAC = ball((15, 14, 16), 6)


def clicks(kind: str, mask: np.ndarray = SAC, spacing: tuple[float, ...] = SPACING) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([first_click(mask, spacing, rng, kind) for _ in range(60)])


def test_the_middle_is_the_deepest_point() -> None:
    assert np.array_equal(
        first_click(SAC, SPACING, np.random.default_rng(0), "middle"), [15, 14, 16]
    )
    # A border of the window is no wall: of half a ball, the middle lies on the border.
    assert next_click(np.zeros_like(SAC), ball((0, 14, 16), 6), SPACING) == (
        pytest.approx(np.array([0, 14, 16])),
        True,
    )


def test_first_clicks_lie_where_their_kind_says() -> None:
    away = {kind: np.linalg.norm(clicks(kind) - [15, 14, 16], axis=1) for kind in KINDS}
    assert away["anywhere"].max() <= 6
    assert away["anywhere"].min() < 3.5
    assert away["near_wall"].min() >= 4.5  # 0.75 mm are 1.5 voxels
    assert away["near_wall"].max() <= 6
    assert away["beside"].min() > 6
    assert 8.5 < away["beside"].max() <= 6 + 4.01  # 2 mm


def test_the_box_that_is_looked_at_changes_nothing() -> None:
    """A sac that fills its box: all sides have room beside it, and all of them are walls."""
    cube = np.zeros((16, 16, 16), bool)
    cube[5:10, 5:10, 5:10] = True
    beside = clicks("beside", cube)
    assert not cube[tuple(beside.astype(int).T)].any()
    assert (beside.min(axis=0) < 5).all()
    assert (beside.max(axis=0) > 9).all()
    k, j, i = np.indices((16, 16, 16))
    cone = (k >= 4) & (k <= 10) & (abs(j - 8) + abs(i - 8) <= k - 4)
    assert first_click(cone, SPACING, np.random.default_rng(0), "middle")[0] < 10


def test_thick_slices_count_in_millimeters() -> None:
    beside = clicks("beside", spacing=(3.0, 0.5, 0.5))
    assert set(beside[:, 0]) <= set(range(9, 22))  # never a slice farther: 3 mm
    assert all(SAC[int(k)].any() for k in beside[:, 0])


def test_small_sacs_and_full_windows_can_be_clicked() -> None:
    one = np.zeros((8, 8, 8), bool)
    one[0, 7, 3] = True
    for kind in ("anywhere", "middle", "near_wall"):
        assert np.array_equal(clicks(kind, one)[0], [0, 7, 3])
    assert ((clicks("beside", one) >= 0) & (clicks("beside", one) < 8)).all()
    for kind in KINDS:
        assert clicks(kind, np.ones((3, 3, 3), bool)).max() <= 2
    with pytest.raises(ValueError, match="'center': give one of anywhere, middle"):
        first_click(SAC, SPACING, np.random.default_rng(0), "center")


def test_the_same_random_numbers_click_the_same_places() -> None:
    assert np.array_equal(clicks("beside"), clicks("beside"))


def test_the_next_click_is_in_the_largest_error() -> None:
    missed, extra = ball((8, 8, 8), 4), ball((22, 22, 22), 5)
    click = next_click(SAC | extra, SAC | missed, SPACING)
    assert click is not None
    assert not click.inside
    assert np.array_equal(click.point, [22, 22, 22])
    click = next_click(SAC | ball((22, 22, 22), 3), SAC | missed, SPACING)
    assert click is not None
    assert click.inside
    assert np.linalg.norm(click.point - [8, 8, 8]) <= 2  # the sac covers a part of the ball
    assert next_click(SAC, SAC, SPACING) is None
