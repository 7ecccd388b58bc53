from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import Neck, NoNeck, find_neck, height

Fit = Callable[[Volume], Neck | NoNeck]


@pytest.fixture
def fit() -> Fit:
    """Fit the neck of a label map with one aneurysm."""

    def fit(labels: Volume) -> Neck | NoNeck:
        spacing = np.array(labels.geometry.spacing[::-1])
        sac, vessel = labels.array == ANEURYSM, labels.array == VESSEL
        faces = faces_between(sac, vessel, spacing, np.zeros(3, dtype=int))
        return find_neck(faces, labels.array.shape)

    return fit


def direction_lps(neck: Neck, geometry: Geometry) -> np.ndarray:
    return neck.plane_lps(geometry)[1]


def no_neck(found: Neck | NoNeck, words: str) -> bool:
    return isinstance(found, NoNeck) and words in found.reason


def height_of(neck: Neck, labels: Volume) -> float:
    spacing = np.array(labels.geometry.spacing[::-1])
    found = height(neck, np.argwhere(labels.array == ANEURYSM) * spacing, spacing)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.2])
def test_a_round_neck(grid: Geometry, draw: Callable[..., Volume], fit: Fit, slope: float) -> None:
    # A hyperboloid's waist, 6 mm wide: as smooth as lumens are.
    up, aside = np.array([0.6, 0.0, 0.8]), np.array([0.8, 0.0, -0.6])

    def part(points: np.ndarray, sign: int) -> np.ndarray:
        along = points @ up
        across = np.hypot(points @ aside, points[..., 1])
        inside = across**2 <= 9 + (slope * along) ** 2
        return inside & (sign * along > 0) & (np.abs(along) < 3)

    neck = fit(draw(grid, [lambda points: part(points, 1)], [lambda points: part(points, -1)]))
    assert isinstance(neck, Neck)
    voxel = max(grid.spacing)
    assert neck.equivalent_diameter_mm == pytest.approx(6, abs=0.3 * voxel)
    assert neck.area_mm2 == pytest.approx(9 * np.pi, rel=0.03)
    assert neck.perimeter_mm == pytest.approx(6 * np.pi, rel=0.03)
    # Of one circle's diameters in voxels one is the longest and one the shortest.
    assert neck.width_mm == pytest.approx(6, abs=0.6 * voxel)
    assert neck.breadth_mm == pytest.approx(6, abs=0.6 * voxel)
    assert direction_lps(neck, grid) @ up > np.cos(np.radians(4))


# The neck's diameter over the sphere's: 0.5, 0.8, 1; then walls meet at 30, 53 and 90 degrees.
# Where their groove is narrower than a voxel, the labels touch: the neck comes out too wide.
@pytest.mark.parametrize(("above", "tolerance"), [(3.46, 2.5), (2.4, 1.5), (0.0, 1.0)])
def test_a_sphere_on_a_wall(
    grid: Geometry,
    draw: Callable[..., Volume],
    ball: Callable,
    half_space: Callable,
    middle: Callable,
    fit: Fit,
    above: float,
    tolerance: float,
) -> None:
    up = np.array([0.6, 0.0, 0.8])
    labels = draw(grid, [ball(above * up, 4.0)], [half_space(up, 0.0)])
    neck = fit(labels)
    assert isinstance(neck, Neck)
    voxel = max(grid.spacing)
    width = 2 * np.sqrt(16 - above**2)
    assert neck.width_mm == pytest.approx(width, abs=tolerance * voxel)
    assert neck.breadth_mm == pytest.approx(width, abs=tolerance * voxel)
    assert neck.equivalent_diameter_mm == pytest.approx(width, abs=tolerance * voxel)
    assert neck.perimeter_mm == pytest.approx(np.pi * width, abs=np.pi * tolerance * voxel)
    off = neck.plane_lps(grid)[0] - middle(grid)  # the drawn neck's center
    assert off @ up == pytest.approx(0, abs=0.6 * voxel)
    np.testing.assert_allclose(off, 0, atol=voxel)
    assert height_of(neck, labels) == pytest.approx(above + 4, abs=0.6 * voxel)
    assert direction_lps(neck, grid) @ up > np.cos(np.radians(5))
    assert neck.normal @ neck.axis == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(neck.ends[1] - neck.ends[0]) == pytest.approx(neck.width_mm)
    np.testing.assert_allclose(np.mean(neck.ends, axis=0), neck.center)


def test_the_opening_of_a_thin_sheet_has_two_diameters(plain: Geometry, fit: Fit) -> None:
    # An elliptic cylinder, 8 by 4 mm, that stands on a slab.
    k, j, i = np.indices(plain.shape) * 0.3
    array = np.where(k < 8, VESSEL, 0)
    array[((j - 10) ** 2 / 4 + (i - 10) ** 2 / 16 <= 1) & (k >= 8)] = ANEURYSM
    neck = fit(Volume(array.astype(np.uint8), plain))
    assert isinstance(neck, Neck)
    assert neck.width_mm == pytest.approx(8, abs=0.1)
    assert neck.breadth_mm == pytest.approx(4, abs=0.1)
    assert neck.area_mm2 == pytest.approx(np.pi / 4 * 8 * 4, rel=0.03)
    assert neck.perimeter_mm == pytest.approx(19.377, rel=0.02)  # of that ellipse, by quadrature
    assert abs(neck.axis @ (0, 0, 1)) == pytest.approx(1, abs=1e-3)
    assert abs(neck.normal @ (1, 0, 0)) == pytest.approx(1)


@pytest.mark.parametrize("bulge", [-1.5, 0.0, 1.5])
def test_a_cut_that_bulges_within_the_lumen_changes_nothing(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, half_space: Callable,
    fit: Fit, bulge: float,
) -> None:  # fmt: skip
    up = np.array([0.0, 0.6, 0.8])
    labels = draw(plain, [ball(3 * up, 5.0)], [half_space(up, 0.0)])
    # The neck is 8 mm wide; within 3 mm of its middle the cut moves by up to the bulge.
    k, j, i = np.indices(plain.shape)
    points = plain.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3))
    points = points.reshape(*plain.shape, 3) - np.add(plain.center, (0.13, -0.08, 0.05))
    above = points @ up
    aside = np.linalg.norm(points - above[..., None] * up, axis=-1)
    cut = bulge * np.clip(1 - (aside / 3) ** 2, 0, None)
    near = (aside < 3) & (np.abs(above) < 2)
    labels.array[near & (above > cut)] = ANEURYSM
    labels.array[near & (above <= cut)] = VESSEL
    neck = fit(labels)
    assert isinstance(neck, Neck)
    assert direction_lps(neck, plain) @ up > np.cos(np.radians(2))
    assert neck.width_mm == pytest.approx(8, abs=0.3)
    assert height_of(neck, labels) == pytest.approx(8, abs=0.2)


def test_without_contact_there_is_no_neck(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, half_space: Callable, fit: Fit
) -> None:
    assert no_neck(fit(draw(plain, [ball((0, 0, 0), 3)])), "no vessel touches")
    apart = draw(plain, [ball((0, 0, 3.7), 3)], [half_space((0, 0, 1), 0)])
    assert no_neck(fit(apart), "no vessel touches")


def test_a_contact_at_a_corner_is_none(plain: Geometry, fit: Fit) -> None:
    array = np.zeros(plain.shape, dtype=np.uint8)
    array[20:30, 20:30, 20:30] = ANEURYSM
    array[30:40, 30:40, 30:40] = VESSEL
    assert no_neck(fit(Volume(array, plain)), "no vessel touches")


def test_a_fusiform_one_has_two_openings_and_no_neck(
    plain: Geometry, draw: Callable[..., Volume], ellipsoid: Callable, fit: Fit
) -> None:
    sac = ellipsoid((0, 0, 0), (3, 3, 4.5))

    def vessel(points: np.ndarray, below: float, above: float) -> np.ndarray:
        thin = np.hypot(points[..., 0], points[..., 1]) <= 1.2
        return thin & ((points[..., 2] < below) | (points[..., 2] > above))

    through = draw(plain, [sac], [lambda points: vessel(points, -3.9, 3.9)])
    assert no_neck(fit(through), "two openings")
    ending = draw(plain, [sac], [lambda points: vessel(points, -3.9, 9)])
    assert isinstance(fit(ending), Neck)


def test_a_small_second_contact_does_not_matter(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, half_space: Callable,
    tube: Callable, fit: Fit,
) -> None:  # fmt: skip
    alone = draw(plain, [ball((0, 0, 2.4), 4)], [half_space((0, 0, 1), 0)])
    vessels = [half_space((0, 0, 1), 0), tube((4.5, -9, 4), (4.5, 9, 4), 1)]
    one, other = fit(alone), fit(draw(plain, [ball((0, 0, 2.4), 4)], vessels))
    assert isinstance(one, Neck)
    assert isinstance(other, Neck)
    assert other.width_mm == pytest.approx(one.width_mm)
    np.testing.assert_allclose(other.normal, one.normal)


def test_a_vessel_along_the_sac_is_no_opening(
    plain: Geometry, draw: Callable[..., Volume], ellipsoid: Callable, tube: Callable, fit: Fit
) -> None:
    labels = draw(plain, [ellipsoid((3.0, 0, 0), (2.5, 2.5, 8))], [tube((0, 0, -9), (0, 0, 9), 1)])
    assert no_neck(fit(labels), "runs along")


def test_a_vessel_inside_the_sac_is_no_opening(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, tube: Callable, fit: Fit
) -> None:
    # One that ends within: of its wall in the sac nothing but the end has a direction.
    for vessel in (tube((0, 0, -9), (0, 0, 9), 1.5), tube((0, 0, -9), (0, 0, 3), 1.5),
                   ball((0, 0, 0), 2)):  # fmt: skip
        labels = draw(plain, [ball((0, 0, 0), 5)], [vessel])
        assert no_neck(fit(labels), "reaches into")


def test_the_smallest_neck(plain: Geometry, fit: Fit) -> None:
    array = np.zeros(plain.shape, dtype=np.uint8)
    array[:30] = VESSEL
    array[30, 30, 30] = ANEURYSM
    labels = Volume(array, plain)
    neck = fit(labels)
    assert isinstance(neck, Neck)
    assert neck.width_mm == pytest.approx(4 * np.sqrt(0.09 / 12))
    assert neck.area_mm2 == pytest.approx(0.09)
    assert height_of(neck, labels) == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_dividing_the_voxels_changes_nothing(
    plain: Geometry, draw: Callable[..., Volume], ball: Callable, tube: Callable, axis: int
) -> None:
    labels = draw(plain, [ball((0.5, 4.4, 0), 4.0)], [tube((-20, 1, 2), (20, -1, -3), 2.0)])
    spacing = np.full(3, 0.3)
    divided, fine = np.repeat(labels.array, 3, axis=axis), spacing.copy()
    fine[axis] /= 3
    found = [
        find_neck(
            faces_between(array == ANEURYSM, array == VESSEL, sides, np.zeros(3, dtype=int)),
            array.shape,
        )
        for array, sides in ((labels.array, spacing), (divided, fine))
    ]
    one, other = found
    assert isinstance(one, Neck)
    assert isinstance(other, Neck)
    shift = np.where(np.arange(3) == axis, 0.1, 0.0)  # of the first voxel's center
    np.testing.assert_allclose(other.center, one.center + shift, atol=1e-9)
    np.testing.assert_allclose(other.normal, one.normal, atol=1e-9)
    # What the rim lacks is the less, the finer the faces across the divided axis are shifted.
    share = one.normal[axis] ** 2
    finer = 2 / np.pi * share * np.sqrt(1 - share) * (0.3 - 0.1)
    assert other.width_mm == pytest.approx(one.width_mm - finer, abs=1e-9)


def test_nothing_above_the_plane_has_no_height() -> None:
    neck = Neck(np.zeros(3), np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), 2.0, 2.0, np.pi)
    below = np.array([[0.0, 0, -1], [1, 1, -0.5]])
    assert height(neck, below, np.ones(3)) is None
    found = height(neck, -below, np.ones(3))
    assert found is not None
    assert found[0] == pytest.approx(1.35)
    np.testing.assert_allclose(found[1], [0, 0, 1.35])
