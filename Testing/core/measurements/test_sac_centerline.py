from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import sac_centerline
from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import Neck, find_neck
from gsema_core.measurements.sac_centerline import sac_centerline_length_mm

UP = np.array([0.6, 0.0, 0.8])


def length_of(labels: Volume, first: tuple[int, int, int] = (0, 0, 0)) -> float:
    """Of the one sac, in the part of the label map from a voxel (k, j, i) on."""
    spacing, start = np.array(labels.geometry.spacing[::-1]), np.array(first)
    array = labels.array[tuple(slice(begin, None) for begin in first)]
    sac, vessel = array == ANEURYSM, array == VESSEL
    neck = find_neck(faces_between(sac, vessel, spacing, start), labels.array.shape)
    assert isinstance(neck, Neck)
    return sac_centerline_length_mm(sac, vessel, neck, spacing, start)


@pytest.mark.parametrize("above", [3.0, 1.5, 0.0])
def test_of_a_sphere_it_is_the_height(
    grid: Geometry, draw: Callable, ball: Callable, half_space: Callable, above: float
) -> None:
    labels = draw(grid, [ball(above * UP, 4.0)], [half_space(UP, 0.0)])
    assert length_of(labels) == pytest.approx(above + 4, abs=0.5 * max(grid.spacing))


def test_of_a_shallow_cap_it_is_the_height(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    labels = draw(plain, [ball(-2 * UP, 5.0)], [half_space(UP, 0.0)])
    assert length_of(labels) == pytest.approx(3.0, abs=0.3)


def test_of_an_egg_it_ends_in_the_core(
    plain: Geometry, draw: Callable, ellipsoid: Callable, half_space: Callable
) -> None:
    # The sphere at z has the radius a sqrt(1 - z^2 / (c^2 - a^2)): the last one 0.75 a.
    short, long = 2.5, 6.0
    labels = draw(
        plain, [ellipsoid((0, 0, 1.0), (short, short, long))], [half_space((0, 0, 1), -4.0)]
    )
    last = np.sqrt((1 - 0.75**2) * (long**2 - short**2))
    assert length_of(labels) == pytest.approx(5 + last + 0.75 * short, abs=0.3)


def test_it_follows_a_bend(plain: Geometry, draw: Callable) -> None:
    # A quarter of a ring and a half sphere at its end; the straight line is 2.4 mm shorter.
    bend, radius = 6.0, 1.8

    def ring(points: np.ndarray, low: float, high: float) -> np.ndarray:
        x, y, z = np.moveaxis(points + np.array([3.0, 3.0, 0.0]), -1, 0)
        tube = np.hypot(np.hypot(x, y) - bend, z) <= radius
        return tube & (np.arctan2(y, x) > low) & (np.arctan2(y, x) <= high)

    def end(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - [-3.0, 3.0, 0.0], axis=-1) <= radius

    labels = draw(
        plain, [lambda points: ring(points, 0, np.pi / 2), end], [lambda p: ring(p, -0.6, 0)]
    )
    assert length_of(labels) == pytest.approx(bend * np.pi / 2 + radius, abs=0.3)


def test_of_two_lobes_it_ends_in_the_larger_one(
    plain: Geometry, draw: Callable, ball: Callable, tube: Callable, half_space: Callable
) -> None:
    lobes = [ball((0, 0, 1.0), 3.0), tube((0, 0, 1), (0, 0, 6), 1.2), ball((0, 0, 6.0), 2.6)]
    labels = draw(plain, lobes, [half_space((0, 0, 1), 0.0)])
    assert length_of(labels) == pytest.approx(4.0, abs=0.3)
    swapped = [ball((0, 0, 1.0), 2.6), tube((0, 0, 1), (0, 0, 6), 1.2), ball((0, 0, 6.0), 3.0)]
    labels = draw(plain, swapped, [half_space((0, 0, 1), 0.0)])
    assert length_of(labels) == pytest.approx(9.0, abs=0.3)


def test_neither_the_cut_nor_the_side_of_it_matters(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    labels = draw(plain, [ball(2 * UP, 4.0)], [half_space(UP, 0.0)])
    whole = length_of(labels)
    assert length_of(labels, (5, 9, 3)) == pytest.approx(whole)
    flipped = Volume(labels.array[:, ::-1, ::-1].copy(), plain)
    assert length_of(flipped) == pytest.approx(whole, abs=0.05)


def test_a_large_sac_is_thinned_out(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    labels = draw(plain, [ball(2 * UP, 6.0)], [half_space(UP, 0.0)])
    whole = length_of(labels)
    monkeypatch.setattr(sac_centerline, "MOST_NODES", 3000)
    assert length_of(labels) == pytest.approx(whole, abs=0.3)


def test_a_single_voxel_has_a_line(plain: Geometry) -> None:
    array = np.zeros(plain.shape, dtype=np.uint8)
    array[:30] = VESSEL
    array[30, 30, 30] = ANEURYSM
    assert 0 < length_of(Volume(array, plain)) < 0.7
