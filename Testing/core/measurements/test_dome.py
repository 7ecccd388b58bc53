from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.measurements.dome import largest_width, long_axis
from gsema_core.measurements.neck import Neck

SPACING = np.array([0.4, 0.35, 0.3])


def turned(degrees: float) -> np.ndarray:
    """(3, 3) rows: the neck's long axis, its short one and its normal."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def points_of(inside: np.ndarray) -> np.ndarray:
    return np.asarray(np.argwhere(inside) * SPACING)


def grid(frame: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Points of voxels in the neck's own coordinates."""
    indices = np.stack(np.indices((50, 60, 70)), axis=-1)
    return np.asarray((indices * SPACING - center) @ frame.T)


@pytest.fixture(params=[0.0, 33.0, 120.0])
def neck(request: pytest.FixtureRequest) -> Neck:
    frame = turned(request.param)
    return Neck(np.array([10.0, 10.0, 10.0]), frame[2], frame[0], 4.0, 4.0, 4 * math.pi)


def own(neck: Neck) -> np.ndarray:
    return grid(np.stack([neck.axis, np.cross(neck.normal, neck.axis), neck.normal]), neck.center)


@pytest.mark.parametrize("lean", [0.0, 25.0])
def test_a_long_sac_points_where_it_leans(neck: Neck, lean: float) -> None:
    toward = np.array([math.sin(math.radians(lean)), 0, math.cos(math.radians(lean))])
    points = own(neck)
    along = np.clip(points @ toward, 0, 4.0)
    sac = (np.linalg.norm(points - along[..., None] * toward, axis=-1) <= 2) & (points[..., 2] > 0)
    length, axis = long_axis(neck, points_of(sac), SPACING)
    assert length == pytest.approx(6.0, abs=0.3 * SPACING.max())
    assert axis is not None
    assert math.degrees(math.acos(axis @ neck.normal)) == pytest.approx(lean, abs=3)


def test_a_hemisphere_points_nowhere(neck: Neck) -> None:
    points = own(neck)
    sac = (np.linalg.norm(points, axis=-1) <= 4) & (points[..., 2] > 0)
    length, axis = long_axis(neck, points_of(sac), SPACING)
    assert length == pytest.approx(4.0, abs=0.5 * SPACING.max())
    assert axis is None


def test_a_shallow_cap_points_nowhere(neck: Neck) -> None:
    """Its rim is farther from the neck's center than its top."""
    points = own(neck)
    sac = (np.linalg.norm(points - [0, 0, -2.5], axis=-1) <= 5) & (points[..., 2] > 0)
    assert long_axis(neck, points_of(sac), SPACING)[1] is None


def test_the_width_is_that_of_the_widest_section(neck: Neck) -> None:
    """An ellipsoid above the neck: its axis in the plane counts, the longer one across not."""
    points = own(neck)
    body = (((points - [0, 0, 3.5]) / [2.6, 3.4, 5.0]) ** 2).sum(axis=-1) <= 1
    ends = largest_width(neck, points_of(body & (points[..., 2] > 0)), SPACING)
    across = ends[1] - ends[0]
    assert np.linalg.norm(across) == pytest.approx(6.8, abs=0.8 * SPACING.max())
    assert across @ neck.normal == pytest.approx(0, abs=1e-6)
    middle = (np.add(*ends) / 2 - neck.center) @ neck.normal
    assert middle == pytest.approx(3.5, abs=1.5)


def test_no_sac_is_narrower_than_its_neck(neck: Neck) -> None:
    points = own(neck)
    cone = (np.hypot(points[..., 0], points[..., 1]) <= 1.8 - points[..., 2] / 2) & (
        points[..., 2] > 0
    )
    ends = largest_width(neck, points_of(cone), SPACING)
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(4.0)
