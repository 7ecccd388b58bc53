from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.measurements.inflow import (
    Branch,
    Inflow,
    aneurysm_angle_deg,
    angle_deg,
    branches_at,
    inflow_angles,
)
from gsema_core.measurements.neck import Neck

SPACING = np.array([0.35, 0.4, 0.3])
START = np.array([2, 0, 5])
SHAPE = (70, 70, 90)
UP = np.array([0.0, 1.0, 0.0])
ALONG = np.array([0.0, 0.0, 1.0])


def neck_at(center: np.ndarray, width: float = 3.0) -> Neck:
    return Neck(center, UP, ALONG, width, width, math.pi * width**2 / 4)


def tube(first: np.ndarray, last: np.ndarray, radius: float) -> np.ndarray:
    points = (np.stack(np.indices(SHAPE), axis=-1) + START) * SPACING
    along = last - first
    share = np.clip((points - first) @ along / (along @ along), 0, 1)
    return np.asarray(np.linalg.norm(points - first - share[..., None] * along, axis=-1) <= radius)


MIDDLE = (np.array(SHAPE) / 2 + START) * SPACING


def directions(branches: list[Branch], *expected: np.ndarray) -> list[float]:
    """How many degrees the nearest branch is off each of some directions."""
    return [min(angle_deg(one.direction, want) for one in branches) for want in expected]


def test_both_ends_of_a_straight_vessel() -> None:
    vessel = tube(MIDDLE - 20 * ALONG, MIDDLE + 20 * ALONG, 1.5)
    branches = branches_at(vessel, neck_at(MIDDLE + 1.5 * UP), 3.0, SPACING, START)
    assert len(branches) == 2
    assert max(directions(branches, ALONG, -ALONG)) < 3
    assert [one.diameter_mm for one in branches] == pytest.approx([3, 3], abs=0.35)
    told = inflow_angles(branches, neck_at(MIDDLE), UP, 0.4)
    assert isinstance(told, str)
    assert told.startswith("Two branches are about as wide (") and told.endswith("°.")


def test_a_fork_has_an_inflow() -> None:
    sides = [np.array([0, 0.5, math.sqrt(0.75)]), np.array([0, 0.5, -math.sqrt(0.75)])]
    vessel = tube(MIDDLE - 20 * UP, MIDDLE, 1.8)
    for side in sides:
        vessel |= tube(MIDDLE, MIDDLE + 25 * side, 1.3)
    neck = neck_at(MIDDLE + 1.6 * UP)
    branches = branches_at(vessel, neck, 3.0, SPACING, START)
    assert len(branches) == 3
    assert max(directions(branches, -UP, *sides)) < 5
    for lean in (0.0, 20.0):
        axis = np.array([math.sin(math.radians(lean)), math.cos(math.radians(lean)), 0])
        found = inflow_angles(branches, neck, axis, 0.4)
        assert isinstance(found, Inflow)
        assert found.inflow_angle_deg == pytest.approx(180 - lean, abs=4)
        assert found.vessel_angle_deg == pytest.approx(90, abs=4)
        assert aneurysm_angle_deg(neck, axis) == pytest.approx(90 - lean)


def test_a_vessel_that_only_passes_by_is_no_branch() -> None:
    """It lies within the ball that takes the branches apart, and joins nowhere."""
    vessel = tube(MIDDLE - 20 * ALONG, MIDDLE + 20 * ALONG, 1.5)
    beside = np.array([3.2, 0, 0])
    passing = tube(MIDDLE + beside - 20 * UP, MIDDLE + beside + 20 * UP, 0.9)
    assert not (vessel & passing).any()
    branches = branches_at(vessel | passing, neck_at(MIDDLE + 1.5 * UP), 3.0, SPACING, START)
    assert len(branches) == 2
    assert max(directions(branches, ALONG, -ALONG)) < 3


def test_a_stump_is_no_branch() -> None:
    vessel = tube(MIDDLE - 20 * ALONG, MIDDLE + 4 * ALONG, 1.5)
    branches = branches_at(vessel, neck_at(MIDDLE + 1.5 * UP), 3.0, SPACING, START)
    assert len(branches) == 1
    told = inflow_angles(branches, neck_at(MIDDLE), UP, 0.4)
    assert told == "Fewer than two branches of the vessel can be followed from the neck."


def test_the_widest_branch_is_the_inflow_if_it_is_clearly_so() -> None:
    neck = neck_at(MIDDLE)
    axis = np.array([0, math.sqrt(0.5), math.sqrt(0.5)])
    wide, narrow = Branch(-ALONG, 4.0), Branch(ALONG, 2.5)
    for branches in ([wide, narrow], [narrow, wide]):
        found = inflow_angles(branches, neck, axis, 0.4)
        assert isinstance(found, Inflow)
        assert found.inflow_angle_deg == pytest.approx(135)
        assert found.vessel_angle_deg == pytest.approx(0, abs=1e-9)
    told = inflow_angles([wide, Branch(ALONG, 3.5)], neck, axis, 0.4)
    assert told == (
        "Two branches are about as wide (4.0 and 3.5 mm), so that the inflow is not known: from "
        "the first it would be 135°, from the second 45°."
    )
    # Thin vessels need more: the widths' errors are shares of a voxel.
    assert isinstance(
        inflow_angles([Branch(-ALONG, 1.4), Branch(ALONG, 1.1)], neck, axis, 0.4), str
    )


def test_of_branches_as_wide_the_one_at_the_smaller_angle_is_named_first() -> None:
    axis = np.array([0, math.sqrt(0.5), math.sqrt(0.5)])
    ends = [Branch(-ALONG, 4.0), Branch(ALONG, 4.0 - 1e-12)]
    for branches in (ends, ends[::-1]):
        told = inflow_angles(branches, neck_at(MIDDLE), axis, 0.4)
        assert isinstance(told, str) and "from the first it would be 45°" in told


@pytest.mark.parametrize("rounding", [-1e-12, 0.0, 1e-12])
def test_a_vessel_just_wide_enough_is_the_inflow_whatever_rounding_says(rounding: float) -> None:
    for wide, narrow, voxel in ((2.4, 2.0, 0.4), (1.4, 1.0, 0.4), (6.0, 5.0, 0.1)):
        branches = [Branch(-ALONG, wide + rounding), Branch(ALONG, narrow)]
        assert isinstance(inflow_angles(branches, neck_at(MIDDLE), UP, voxel), Inflow)


def test_a_single_slice_has_no_direction() -> None:
    """The vessel is a voxel wide, and a single voxel is left of each end."""
    vessel = np.zeros((5, 5, 21), dtype=bool)
    vessel[2, 2, 6:15] = True
    neck = neck_at(np.array([2.0, 2.0, 10.0]), width=0.5)
    cubic, origin = np.ones(3), np.zeros(3, dtype=int)
    assert branches_at(vessel, neck, 2.05, cubic, origin) == []
    vessel[2, 2, 15:] = True
    (branch,) = branches_at(vessel, neck, 2.05, cubic, origin)
    np.testing.assert_allclose(branch.direction, ALONG, atol=1e-12)


def test_a_ring_around_the_neck_goes_nowhere() -> None:
    vessel = np.zeros((5, 41, 41), dtype=bool)
    vessel[2] = np.hypot(*(np.indices((41, 41)) - 20)) <= 19
    neck = neck_at(np.array([2.0, 20.0, 20.0]))
    with np.errstate(all="raise"):
        assert branches_at(vessel, neck, 3.0, np.ones(3), np.zeros(3, dtype=int)) == []


def test_what_is_far_shorter_than_wide_has_no_direction() -> None:
    """Vessels are looked at within 10 mm: of one 8 mm wide, less than half a width is left."""
    vessel = tube(MIDDLE - 20 * ALONG, MIDDLE + 20 * ALONG, 4.0)
    assert branches_at(vessel, neck_at(MIDDLE + 4 * UP), 8.0, SPACING, START) == []
