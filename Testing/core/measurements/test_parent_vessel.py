from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import VESSEL
from gsema_core.measurements.neck import Neck
from gsema_core.measurements.parent_vessel import parent_vessel_diameter_mm

Measure = Callable[..., float | None]
ZERO = np.zeros(3, dtype=int)


@pytest.fixture
def measure(middle: Callable) -> Measure:
    """Measure the vessel beside a neck at a point in mm from the middle of the volume."""

    def measure(labels: Volume, at: tuple[float, ...], width: float = 3.0) -> float | None:
        grid = labels.geometry
        spacing = np.array(grid.spacing[::-1])
        center = grid.world_to_index(middle(grid) + at)[::-1] * spacing
        neck = Neck(center, np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), width, width, width**2)
        return parent_vessel_diameter_mm(labels.array == VESSEL, neck, spacing, ZERO)

    return measure


@pytest.mark.parametrize("radius", [0.9, 1.5, 2.4])
def test_a_tube(
    grid: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure, radius: float
) -> None:
    labels = draw(grid, [], [tube((-20, -4, 3), (20, 4, -3), radius)])
    aside = np.cross((-20, -4, 3), (0, 0, 1))
    at = aside / np.linalg.norm(aside) * radius
    assert measure(labels, at) == pytest.approx(2 * radius, abs=max(grid.spacing))


def test_at_a_fork_it_is_the_mean_of_its_branches(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    branches = [((0, -15, 0), 1.5), ((12, 9, 0), 1.2), ((-12, 9, 0), 0.9)]
    labels = draw(plain, [], [tube((0, 0, 0), end, radius) for end, radius in branches])
    assert measure(labels, (0, 1.7, 0)) == pytest.approx(2.4, abs=0.2)


def test_a_slim_side_branch_does_not_count(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    alone = [tube((-20, 0, 0), (20, 0, 0), 2.0)]
    labels = draw(plain, [], alone)
    beside = draw(plain, [], [*alone, tube((0, 0, 0), (0, -15, 4), 0.8)])
    whole = measure(labels, (0, 2, 0))
    assert whole == pytest.approx(4, abs=0.3)
    assert measure(beside, (0, 2, 0)) == pytest.approx(whole, abs=0.1)


def test_a_vessel_that_narrows_behind_the_neck_is_the_mean_of_both_ends(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    labels = draw(plain, [], [tube((-20, 0, 0), (0, 0, 0), 1.8), tube((0, 0, 0), (20, 0, 0), 1.2)])
    assert measure(labels, (0, 1.5, 0)) == pytest.approx(3.0, abs=0.2)


def test_branches_that_join_again_far_away_are_two(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    # A ring: at the neck a vessel of 2 and one of 3 mm, which join on its other side.
    ring = [((0, 6, 0), (-6, 0, 0), 1.5), ((-6, 0, 0), (0, -6, 0), 1.5),
            ((0, 6, 0), (6, 0, 0), 1.0), ((6, 0, 0), (0, -6, 0), 1.0)]  # fmt: skip
    labels = draw(plain, [], [tube(*each) for each in ring])
    assert measure(labels, (0, 7.5, 0), width=2.0) == pytest.approx(2.5, abs=0.2)


def test_a_swelling_beside_the_neck_does_not_count(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, tube: Callable, measure: Measure
) -> None:
    labels = draw(plain, [], [tube((-20, 0, 0), (20, 0, 0), 1.2), ball((0, 0, 0), 2.2)])
    assert measure(labels, (0, 2.2, 0), width=2.0) == pytest.approx(2.4, abs=0.3)


@pytest.mark.parametrize(("radius", "diameter"), [(4.5, 9.0), (6.0, None)])
def test_nothing_wider_than_ten_millimeters_is_a_vessel(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure,
    radius: float, diameter: float | None,
) -> None:  # fmt: skip
    labels = draw(plain, [], [tube((-20, 0, 0), (20, 0, 0), radius)])
    found = measure(labels, (0, radius, 0))
    assert found == (diameter and pytest.approx(diameter, abs=0.3))


def test_the_vessel_that_carries_the_sac_not_a_wider_one_beside_it(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    labels = draw(
        plain, [], [tube((-20, 0, 0), (20, 0, 0), 1.2), tube((-20, 0, 4.7), (20, 0, 4.7), 3)]
    )
    assert measure(labels, (0, 1.2, 0)) == pytest.approx(2.4, abs=0.3)


def test_the_volumes_border_is_no_wall(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable, measure: Measure
) -> None:
    labels = draw(plain, [], [tube((-20, 0, 0), (20, 0, 0), 2.0)])
    half = labels.array[:, :, 33:]  # cut through the neck, across the vessel
    offset = plain.index_to_world((33, 0, 0))
    grid = Geometry((34, 67, 67), plain.spacing, tuple(offset))
    spacing = np.array(plain.spacing)
    center = np.array([33, 33 + 2 / 0.3, 0]) * spacing
    neck = Neck(center, np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), 3.0, 3.0, 7.07)
    diameter = parent_vessel_diameter_mm(half == VESSEL, neck, spacing, ZERO)
    assert grid.shape == half.shape
    assert diameter == pytest.approx(4, abs=0.3)


def test_a_stump_is_measured_at_the_neck(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, measure: Measure
) -> None:
    labels = draw(plain, [], [ball((0, 0, 0), 1.5)])
    # One sphere in one place: no voxel lies at its very middle.
    assert measure(labels, (0, 1.5, 0), width=2.0) == pytest.approx(3, abs=0.4)


def test_where_everything_is_vessel_there_is_no_wall(plain: Geometry, measure: Measure) -> None:
    assert measure(Volume(np.ones(plain.shape, dtype=np.uint8), plain), (0, 0, 0)) is None


def test_the_part_that_was_cut_out_may_begin_anywhere(
    plain: Geometry, draw: Callable[..., Volume], tube: Callable
) -> None:
    mask = draw(plain, [], [tube((-20, 0, 0), (20, 0, 0), 1.5)]).array == VESSEL
    start = np.array([5, 7, 0])
    spacing = np.array(plain.spacing)
    neck = Neck(np.full(3, 33 * 0.3), np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), 3.0, 3.0, 7.07)
    whole = parent_vessel_diameter_mm(mask, neck, spacing, ZERO)
    assert whole == parent_vessel_diameter_mm(mask[5:, 7:], neck, spacing, start)
