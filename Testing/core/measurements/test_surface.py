from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.special import ellipeinc, ellipkinc

from gsema_core.measurements.surface import _directions, sphericity, surface_area_mm2


def ellipsoid_area(axes: tuple[float, ...]) -> float:
    """By Legendre's formula."""
    c, b, a = sorted(axes)
    if c == a:
        return 4 * math.pi * a**2
    phi = math.acos(c / a)
    m = a**2 * (b**2 - c**2) / (b**2 * (a**2 - c**2))
    parts = ellipeinc(phi, m) * math.sin(phi) ** 2 + ellipkinc(phi, m) * math.cos(phi) ** 2
    return float(2 * math.pi * (c**2 + a * b / math.sin(phi) * parts))


@pytest.fixture
def digitize() -> Callable[..., np.ndarray]:
    """An ellipsoid in a random place and rotation."""
    rng = np.random.default_rng(5)

    def digitize(axes: tuple[float, ...], spacing: tuple[float, ...]) -> np.ndarray:
        sides = np.array(spacing)
        shape = np.ceil(2 * (max(axes) + 2 * sides) / sides).astype(int)
        center = (shape - 1) / 2 * sides + rng.uniform(-0.5, 0.5, 3) * sides
        turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        points = np.moveaxis(np.indices(tuple(shape)), 0, -1) * sides - center
        return ((points @ turn / np.array(axes)) ** 2).sum(axis=-1) <= 1

    return digitize


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1, 1.3, 1.6), (1, 2, 1), (3, 1, 1)])
@pytest.mark.parametrize("ratios", [(1, 1, 1), (2, 1, 1), (1, 1.6, 2.4)])
@pytest.mark.parametrize(
    ("across", "low", "high"),
    [(4.2, -0.15, 0.015), (6, -0.06, 0.02), (10, -0.03, 0.02), (20, -0.02, 0.02)],
)
def test_ellipsoids(
    digitize: Callable[..., np.ndarray],
    spacing: tuple[float, ...],
    ratios: tuple[float, ...],
    across: float,
    low: float,
    high: float,
) -> None:
    scale = across * max(spacing) / 2 / math.prod(ratios) ** (1 / 3)
    axes = tuple(scale * ratio for ratio in ratios)
    area = surface_area_mm2(digitize(axes, spacing), np.array(spacing, dtype=float))
    assert area is not None
    assert low < area / ellipsoid_area(axes) - 1 < high


def test_on_cubic_grids_it_is_the_area_of_simpleitk(digitize: Callable[..., np.ndarray]) -> None:
    mask = digitize((6, 4, 3), (0.5, 0.5, 0.5))
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing((0.5, 0.5, 0.5))
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.ComputePerimeterOn()
    shapes.Execute(image)
    assert surface_area_mm2(mask, np.full(3, 0.5)) == pytest.approx(shapes.GetPerimeter(1))


def test_in_millimeters(digitize: Callable[..., np.ndarray]) -> None:
    mask = digitize((6, 4, 3), (1, 1, 2))
    once = surface_area_mm2(mask, np.array([1.0, 1.0, 2.0]))
    thrice = surface_area_mm2(mask, np.array([3.0, 3.0, 6.0]))
    assert once is not None
    assert thrice == pytest.approx(9 * once)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 0.4, 0.5)])
def test_a_box_at_the_arrays_faces_is_closed(spacing: tuple[float, ...]) -> None:
    inside = np.ones((10, 24, 26), dtype=bool)
    around = np.pad(inside, 4)
    area = surface_area_mm2(inside, np.array(spacing))
    assert area == surface_area_mm2(around, np.array(spacing))
    a, b, c = np.array(inside.shape) * spacing
    # Faces along the grid lose 7 % to 13 directions, and a box its edges.
    assert area == pytest.approx(2 * (a * b + b * c + c * a), rel=0.12)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1, 1, 2)])
def test_what_is_too_small_has_no_area(
    digitize: Callable[..., np.ndarray], spacing: tuple[float, ...]
) -> None:
    radius = max(spacing) * 2
    sides = np.array(spacing, dtype=float)
    assert surface_area_mm2(digitize((radius * 0.9,) * 3, spacing), sides) is None
    assert surface_area_mm2(digitize((radius * 1.1,) * 3, spacing), sides) is not None


@pytest.mark.parametrize("spacing", [(0.2, 0.2, 0.2), (0.2, 0.3, 0.5), (0.3, 5.0, 0.05)])
def test_weights_share_out_all_directions(spacing: tuple[float, ...]) -> None:
    steps, lengths, weights = zip(*_directions(spacing), strict=True)
    assert sum(weights) == pytest.approx(1)
    assert len(set(steps)) == len(steps) < 175
    assert not set(steps) & {tuple(-d for d in step) for step in steps}
    np.testing.assert_allclose(lengths, np.linalg.norm(np.array(steps) * spacing, axis=1))


def test_sphericity() -> None:
    assert sphericity(4 / 3 * math.pi * 8, 4 * math.pi * 4) == pytest.approx(1)
    assert sphericity(1.0, 6.0) == pytest.approx((math.pi / 6) ** (1 / 3))  # a cube
    assert sphericity(1.0, 4.8) == 1  # less area than any body of that volume has
