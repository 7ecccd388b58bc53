"""Exact sacs: spheres cut by planes, on tubes, ellipsoids, and one with a bleb.

The bounds are those that Testing/benchmarks/sac_shapes.py measured
(docs/explanation/measurements.md).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import Neck, NoNeck, find_neck
from gsema_core.measurements.shape_indices import (
    LEAST_ACROSS,
    ShapeIndices,
    dome_area_mm2,
    non_sphericity_index,
    opening_of,
    shape_indices,
    undulation_index,
)

START = np.array([3, 0, 7])
TURNS = [np.eye(3), np.array([[0.6, 0.8, 0], [-0.48, 0.36, 0.8], [0.64, -0.48, 0.6]])]
SPACINGS = [np.ones(3) * 0.5, np.array([0.5, 0.35, 0.3])]


@pytest.fixture(params=[(t, s) for t in range(2) for s in range(2)], ids=str)
def frame(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Points (k, j, i, 3) in mm, turned, of a grid 24 mm wide; and its spacing."""
    turn, spacing = TURNS[request.param[0]], SPACINGS[request.param[1]]
    counts = np.ceil(24 / spacing).astype(int)
    indices = np.stack(np.indices(tuple(counts)), axis=-1) - (counts - 1) / 2 + [0.2, -0.3, 0.1]
    return indices * spacing @ turn.T, spacing


def neck_of(sac: np.ndarray, vessel: np.ndarray, spacing: np.ndarray) -> Neck:
    neck = find_neck(faces_between(sac, vessel, spacing, START), tuple(np.add(sac.shape, 20)))
    assert not isinstance(neck, NoNeck)
    return neck


def measured(sac: np.ndarray, vessel: np.ndarray, spacing: np.ndarray) -> ShapeIndices:
    found = shape_indices(sac, vessel, neck_of(sac, vessel, spacing), spacing, START)
    assert found is not None
    return found


def nsi(volume: float, area: float) -> float:
    return 1 - (18 * math.pi) ** (1 / 3) * volume ** (2 / 3) / area


def length(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points, axis=-1))


@pytest.mark.parametrize("cut", [-3.0, -1.0, 0.0, 1.5])
def test_a_sphere_cut_by_a_plane(frame: tuple[np.ndarray, np.ndarray], cut: float) -> None:
    points, spacing = frame
    radius = 4.0
    sac = (length(points) <= radius) & (points[..., 2] > cut)
    vessel = (points[..., 2] <= cut) & (points[..., 2] > cut - 2)
    height = radius - cut
    volume = math.pi * height**2 * (3 * radius - height) / 3
    area = 2 * math.pi * radius * height
    neck = neck_of(sac, vessel, spacing)
    dome = dome_area_mm2(sac, opening_of(vessel, neck, spacing, START), neck, spacing)
    assert dome == pytest.approx(area, rel=0.05)
    found = measured(sac, vessel, spacing)
    assert found.undulation == pytest.approx(0, abs=1e-9)
    assert found.non_sphericity == pytest.approx(nsi(volume, area), abs=0.03)
    assert found.ellipticity == pytest.approx(found.non_sphericity, abs=1e-9)  # it is its own hull


def test_a_sphere_on_a_tube_is_not_dented_by_the_tube(
    frame: tuple[np.ndarray, np.ndarray],
) -> None:
    points, spacing = frame
    radius, tube, above = 4.0, 2.5, 4.5
    on_tube = np.hypot(points[..., 1], points[..., 2] + above) <= tube
    sac = (length(points) <= radius) & ~on_tube
    found = measured(sac, on_tube, spacing)
    assert found.undulation < 0.01
    sphere = np.random.default_rng(0).normal(size=(100_000, 3))
    sphere *= radius / length(sphere)[:, None]
    free = 1 - np.mean(np.hypot(sphere[:, 1], sphere[:, 2] + above) <= tube)
    volume = np.count_nonzero(sac) * np.prod(spacing)
    assert found.non_sphericity == pytest.approx(
        nsi(float(volume), 4 * math.pi * radius**2 * free), abs=0.03
    )


def test_an_ellipsoid_on_its_side(frame: tuple[np.ndarray, np.ndarray]) -> None:
    """Half of one: no dents, and the same indices for the sac and its hull."""
    points, spacing = frame
    axes = np.array([5.5, 3.5, 4.0])
    inside = ((points / axes) ** 2).sum(axis=-1) <= 1
    sac, vessel = inside & (points[..., 2] > 0), (points[..., 2] <= 0) & (points[..., 2] > -2)
    volume = 2 / 3 * math.pi * float(np.prod(axes))
    p = 1.6075  # Thomsen's formula, within 1.1 %
    a, b, c = axes**p
    area = 2 * math.pi * ((a * b + a * c + b * c) / 3) ** (1 / p)
    found = measured(sac, vessel, spacing)
    assert found.undulation == pytest.approx(0, abs=1e-9)
    assert found.non_sphericity == pytest.approx(nsi(volume, area), abs=0.035)
    assert found.ellipticity == pytest.approx(found.non_sphericity, abs=1e-9)


def test_a_bleb_is_undulation(frame: tuple[np.ndarray, np.ndarray]) -> None:
    """A sphere of 3.6 mm with one of 1.8 mm on its top; the hull is both and a cone between."""
    points, spacing = frame
    big, small, apart, cut = 3.6, 1.8, 4.4, -2.0
    top = points - [0, 0, apart]
    sac = ((length(points) <= big) | (length(top) <= small)) & (points[..., 2] > cut)
    vessel = (points[..., 2] <= cut) & (points[..., 2] > cut - 2)
    cone = (big - small) / apart  # the sine of half its angle
    z = np.linspace(cut, apart + small, 100_001)
    circles = np.maximum(big**2 - z**2, small**2 - (z - apart) ** 2).clip(0)
    line = (big - z * cone) ** 2 / (1 - cone**2)
    between = (z > big * cone) & (z < apart + small * cone)
    volume, hull = (
        math.pi * float(np.trapezoid(r2, z)) for r2 in (circles, np.where(between, line, circles))
    )
    found = measured(sac, vessel, spacing)
    expected = 1 - volume / hull
    assert expected > 0.05
    assert found.undulation == pytest.approx(expected, abs=0.03)
    assert found.undulation > 0.02
    assert found.ellipticity < found.non_sphericity  # the hull has no dent


def test_a_vessel_that_touches_elsewhere_is_no_opening(
    frame: tuple[np.ndarray, np.ndarray],
) -> None:
    points, spacing = frame
    sac = (length(points) <= 4) & (points[..., 2] > -2)
    vessel = (points[..., 2] <= -2) & (points[..., 2] > -4)
    kissing = (length(points - [0, 0, 6]) <= 2.6) & ~sac
    alone = measured(sac, vessel, spacing)
    neck = neck_of(sac, vessel, spacing)
    beside = shape_indices(sac, vessel | kissing, neck, spacing, START)
    assert beside is not None
    assert beside == alone


def test_too_few_voxels_have_no_indices() -> None:
    spacing = np.ones(3) * 0.5
    points = (np.stack(np.indices((30, 30, 30)), axis=-1) - 14.6) * spacing
    for across, is_there in ((LEAST_ACROSS - 0.6, False), (LEAST_ACROSS + 0.8, True)):
        radius = across * 0.5 / 2 * (32 / 27) ** (1 / 3)  # half of its height above the cut
        sac = (length(points) <= radius) & (points[..., 2] > -radius / 2)
        vessel = (points[..., 2] <= -radius / 2) & (points[..., 2] > -radius / 2 - 2)
        found = shape_indices(sac, vessel, neck_of(sac, vessel, spacing), spacing, START)
        assert (found is not None) == is_there


def test_the_formulas() -> None:
    """A hemisphere has 0, a sphere on a point 1 - 2^(-1/3)."""
    assert non_sphericity_index(2 / 3 * math.pi, 2 * math.pi) == pytest.approx(0, abs=1e-12)
    assert non_sphericity_index(4 / 3 * math.pi, 4 * math.pi) == pytest.approx(1 - 2 ** (-1 / 3))
    assert undulation_index(3.0, 4.0) == pytest.approx(0.25)
    # Only the errors of voxels give less than nothing.
    assert non_sphericity_index(2.2, 6.0) == 0
    assert undulation_index(1.0, 0.999) == 0
