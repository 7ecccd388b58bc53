from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import Aneurysm, measure_aneurysms

NECK_VALUES = ("height_mm", "neck_width_mm", "aspect_ratio", "parent_vessel_diameter_mm")
LINES = ("diameter_line_lps", "height_line_lps", "neck_line_lps")
SHAPE_VALUES = ("surface_area_mm2", "sphericity")


def measure(array: np.ndarray, geometry: Geometry) -> list[Aneurysm]:
    return measure_aneurysms(Volume(array.astype(np.uint8), geometry))


def length(line: tuple[tuple[float, ...], ...] | None) -> float:
    assert line is not None
    return float(np.linalg.norm(np.subtract(*line)))


def sphere_on_tube(radius: float, above: float, tube: float) -> tuple[float, float]:
    """Neck width along the tube and height of a sphere centered ``above`` a tube's axis."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 100_001)
    x, y = tube * np.sin(angle), tube * np.cos(angle)
    squared = radius**2 - x**2 - (y - above) ** 2
    x, y, z = x[squared >= 0], y[squared >= 0], np.sqrt(squared[squared >= 0])
    steps = np.sqrt(np.diff(x) ** 2 + np.diff(y) ** 2 + np.diff(z) ** 2)
    rim = float(np.average((y[1:] + y[:-1]) / 2, weights=steps))
    return float(2 * z.max()), above + radius - rim


@pytest.mark.parametrize(
    "axes_mm", [(1.5, 1.5, 1.5), (4.0, 4.0, 4.0), (2.0, 2.0, 4.5), (5.0, 2.5, 3.0)]
)
def test_ellipsoids(
    grid: Geometry, draw: Callable, ellipsoid: Callable, middle: Callable,
    axes_mm: tuple[float, ...],
) -> None:  # fmt: skip
    (found,) = measure_aneurysms(draw(grid, [ellipsoid((0, 0, 0), axes_mm)]))
    assert found.index == 1
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * np.prod(axes_mm) / 1000, rel=0.04)
    assert found.largest_diameter_mm == pytest.approx(2 * max(axes_mm), abs=0.5 * max(grid.spacing))
    assert length(found.diameter_line_lps) == pytest.approx(found.largest_diameter_mm)
    assert np.linalg.norm(found.centroid_lps - middle(grid)) < 0.1
    np.testing.assert_allclose(
        grid.index_to_world(found.centroid_ijk), found.centroid_lps, atol=1e-9
    )
    assert not found.cut_off
    assert [getattr(found, name) for name in NECK_VALUES] == [None] * 4


def test_lines_lie_where_the_body_does(
    grid: Geometry, draw: Callable, ellipsoid: Callable, middle: Callable
) -> None:
    (found,) = measure_aneurysms(draw(grid, [ellipsoid((0, 0, 0), (6.0, 2.0, 2.0))]))
    assert found.diameter_line_lps is not None
    ends = np.array(sorted(found.diameter_line_lps)) - middle(grid)
    np.testing.assert_allclose(ends, [[-6, 0, 0], [6, 0, 0]], atol=2 * max(grid.spacing))


def test_a_capped_sphere_on_a_wall(
    grid: Geometry, draw: Callable, ball: Callable, half_space: Callable, middle: Callable
) -> None:
    radius, above = 4.0, 2.4
    up = np.array([0.6, 0.0, 0.8])
    labels = draw(grid, [ball(above * up, radius)], [half_space(up, 0.0)])
    (found,) = measure_aneurysms(labels)
    cap = radius + above
    volume = np.pi * cap**2 * (3 * radius - cap) / 3
    area = 2 * np.pi * radius * cap + np.pi * (radius**2 - above**2)
    voxel = max(grid.spacing)
    assert found.volume_ml == pytest.approx(volume / 1000, rel=0.03)
    assert found.surface_area_mm2 == pytest.approx(area, rel=0.03)
    assert found.sphericity == pytest.approx(
        np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / area, abs=0.03
    )
    assert found.neck_width_mm == pytest.approx(6.4, abs=1.5 * voxel)  # walls meet in a groove
    assert found.height_mm == pytest.approx(6.4, abs=0.6 * voxel)
    assert found.aspect_ratio == pytest.approx(found.height_mm / found.neck_width_mm)
    assert found.height_line_lps is not None
    foot, tip = np.array(found.height_line_lps) - middle(grid)
    assert foot @ up == pytest.approx(0, abs=voxel)
    assert tip @ up == pytest.approx(cap, abs=voxel)
    assert length(found.height_line_lps) == pytest.approx(found.height_mm)
    assert found.neck_line_lps is not None
    ends = np.array(found.neck_line_lps) - middle(grid)
    assert ends @ up == pytest.approx(0, abs=voxel)
    assert np.linalg.norm(ends, axis=1) == pytest.approx(3.2, abs=voxel)


@pytest.mark.parametrize(("radius", "above", "tube_radius"), [(3.0, 3.4, 1.5), (4.0, 4.8, 2.0)])
def test_a_sphere_on_a_tube(
    grid: Geometry, draw: Callable, ball: Callable, tube: Callable, middle: Callable,
    radius: float, above: float, tube_radius: float,
) -> None:  # fmt: skip
    vessel = tube((0, -2, -20), (0, -2, 20), tube_radius)
    (found,) = measure_aneurysms(draw(grid, [ball((0, above - 2, 0), radius)], [vessel]))
    width, height = sphere_on_tube(radius, above, tube_radius)
    voxel = max(grid.spacing)
    assert found.neck_width_mm == pytest.approx(width, abs=2 * voxel)  # a groove all round
    assert found.height_mm == pytest.approx(height, abs=0.6 * voxel)
    assert found.aspect_ratio == pytest.approx(found.height_mm / found.neck_width_mm)
    assert found.parent_vessel_diameter_mm == pytest.approx(2 * tube_radius, abs=voxel)
    assert found.neck_line_lps is not None
    along = np.subtract(*found.neck_line_lps) / found.neck_width_mm
    assert abs(along[2]) > np.cos(np.radians(15))
    assert found.height_line_lps is not None
    tip = np.array(found.height_line_lps[1]) - middle(grid)
    assert tip[1] == pytest.approx(above - 2 + radius, abs=voxel)
    assert found.neck_center_lps is not None and found.neck_normal_lps is not None
    assert found.neck_normal_lps[1] > np.cos(np.radians(6))
    assert np.linalg.norm(found.neck_normal_lps) == pytest.approx(1)
    # The foot of the height and the middle of the width lie on the plane.
    for point in (found.height_line_lps[0], np.mean(found.neck_line_lps, axis=0)):
        offset = np.subtract(point, found.neck_center_lps) @ found.neck_normal_lps
        assert offset == pytest.approx(0, abs=1e-9)


@pytest.fixture
def scene(draw: Callable, ball: Callable, ellipsoid: Callable, tube: Callable) -> Volume:
    """Two aneurysms on one bent vessel, no two of whose measures are the same."""
    grid = Geometry((61, 53, 37), (0.3, 0.35, 0.5), (-4.0, 9.0, 33.0))
    vessels = [tube((-9, -2, -1), (1, 0, 0), 1.3), tube((1, 0, 0), (9, -3, 2), 1.1)]
    sacs = [ball((1.2, 2.9, 0.4), 2.7), ellipsoid((-5.1, -4.1, 0.5), (1.7, 2.2, 1.5))]
    labels: Volume = draw(grid, sacs, vessels)
    return labels


def test_two_aneurysms_on_one_vessel(scene: Volume) -> None:
    large, small = measure_aneurysms(scene)
    for found, diameter, vessel in ((large, 5.4, 2.4), (small, 4.4, 2.6)):
        assert found.largest_diameter_mm == pytest.approx(diameter, abs=0.5)
        assert found.parent_vessel_diameter_mm == pytest.approx(vessel, abs=0.5)
        assert None not in [getattr(found, name) for name in NECK_VALUES + SHAPE_VALUES + LINES]
    for found in (large, small):
        alone = np.where(scene.array == VESSEL, VESSEL, 0)
        i, j, k = (round(value) for value in found.centroid_ijk)
        box = (slice(k - 6, k + 7), slice(j - 9, j + 10), slice(i - 12, i + 13))
        alone[box] = np.maximum(alone[box], scene.array[box])
        (again,) = measure(alone, scene.geometry)
        assert replace(again, index=found.index) == found


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((1, -1), repeat=3)))
def test_the_order_and_direction_of_the_axes_change_nothing(
    scene: Volume, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    turned = reoriented(scene, order, flips)
    for found, expected in zip(measure_aneurysms(turned), measure_aneurysms(scene), strict=True):
        assert found.voxels == expected.voxels
        for name in (
            "volume_ml", "largest_diameter_mm", "centroid_lps", *NECK_VALUES, *SHAPE_VALUES
        ):  # fmt: skip
            value = getattr(expected, name)
            assert getattr(found, name) == pytest.approx(value, rel=1e-9), name
        assert set(found.missing) == set(expected.missing)
        for name, value in numbers_of(expected).items():
            if value is not None:
                assert getattr(found, name) == pytest.approx(value, rel=1e-6), name
        for name in LINES:
            ends, others = (sorted(getattr(one, name)) for one in (found, expected))
            np.testing.assert_allclose(ends, others, atol=1e-6, err_msg=name)
        for name in ("neck_center_lps", "neck_normal_lps"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-9)


@pytest.mark.parametrize("seed", [4, 21, 31, 55, 79, 111, 128, 140, 141, 161, 183, 225])
def test_equal_distances_are_equal_along_all_axes(seed: int) -> None:
    """Small noise is full of them, and of what has two answers but for rounding."""
    random = np.random.default_rng(seed)
    k, j, i = random.integers(10, 22, 3)
    rough, smooth = (
        ndimage.gaussian_filter(random.standard_normal((k, j, i)), width) for width in (1.5, 2.0)
    )
    labels = np.where(rough > np.quantile(rough, 0.7), VESSEL, 0).astype(np.uint8)
    labels[smooth > np.quantile(smooth, 0.92)] = ANEURYSM
    spacing = float(random.choice([0.1, 0.3, 0.7]))
    noise = Volume(labels, Geometry((i, j, k), (spacing,) * 3, (3.3, -7.7, 11.1)))
    check_orientations(noise, seed)


def check_orientations(volume: Volume, seed: int) -> None:
    """Stored along six other axes, all is the same."""
    expected = {place_of(one): one for one in measure_aneurysms(volume)}
    ways = [
        (order, flips)
        for order in itertools.permutations(range(3))
        for flips in itertools.product((1, -1), repeat=3)
    ]
    for way in np.random.default_rng(seed).permutation(48)[:6]:
        for found in measure_aneurysms(reoriented(volume, *ways[way])):
            other = expected[place_of(found)]
            assert found.missing == other.missing
            for name, value in numbers_of(other).items():
                # Of ways of equal cost through a sac any may be taken.
                near = min(volume.geometry.spacing) / 10 if "centerline" in name else 1e-6
                assert getattr(found, name) == (
                    None if value is None else pytest.approx(value, abs=near)
                ), name


@pytest.mark.parametrize("spacing", [0.05, 0.1, 0.3, 0.7])
@pytest.mark.parametrize("kind", ["slit", "tube", "cross"])
def test_boxes_are_the_same_along_all_axes(kind: str, spacing: float) -> None:
    labels = np.zeros((21, 21, 21), np.uint8)
    if kind == "slit":  # four voxels long and one wide: as slim as an opening may be
        labels[1, 3:7, 4], labels[2:6, 2:11, 2:11] = VESSEL, ANEURYSM
    elif kind == "tube":  # whose ends are as wide
        labels[:, 8:11, 8:11], labels[7:12, 11:16, 7:12] = VESSEL, ANEURYSM
    else:
        labels[:, 8, 8], labels[8, :, 8], labels[7:10, 9:13, 7:10] = VESSEL, VESSEL, ANEURYSM
    grid = Geometry((21, 21, 21), (spacing,) * 3, (3.3, -7.7, 11.1))
    for seed in range(3):
        check_orientations(Volume(labels, grid), seed)


def place_of(found: Aneurysm) -> tuple[float, ...]:
    return tuple(round(value, 6) + 0.0 for value in found.centroid_lps)


def reoriented(volume: Volume, order: tuple[int, ...], flips: tuple[int, ...]) -> Volume:
    """The same voxels in the same places, stored along other axes."""
    old = volume.geometry
    corner = [n - 1 if flip < 0 else 0 for n, flip in zip(old.size, flips, strict=True)]
    direction = (old.direction_matrix * flips)[:, order]
    flipped = volume.array[tuple(slice(None, None, flip) for flip in reversed(flips))]
    array = flipped.transpose(2, 1, 0).transpose(order).transpose(2, 1, 0)
    i, j, k = (old.size[axis] for axis in order)
    x, y, z = (old.spacing[axis] for axis in order)
    origin = tuple(old.index_to_world(corner))
    grid = Geometry((i, j, k), (x, y, z), origin, tuple(direction.reshape(-1)))  # type: ignore[arg-type]
    return Volume(np.ascontiguousarray(array), grid)


def test_moving_and_turning_the_grid_moves_the_lines_alone(scene: Volume) -> None:
    c, s = math.cos(0.7), math.sin(0.7)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, c, -s], [0, s, c]]
    )
    old = scene.geometry
    grid = Geometry(old.size, old.spacing, (100.0, -7.0, 3.0), tuple(turn.reshape(-1)))
    moved = measure_aneurysms(Volume(scene.array, grid))
    for found, expected in zip(moved, measure_aneurysms(scene), strict=True):
        assert numbers_of(found) == numbers_of(expected)
        assert found.missing == expected.missing
        for name in LINES:
            world = (np.array(getattr(expected, name)) - old.origin) @ turn.T + grid.origin
            np.testing.assert_allclose(getattr(found, name), world, atol=1e-9)


def test_ten_voxels(plain: Geometry) -> None:
    array = np.zeros(plain.shape)
    array[30:34, 30:34, :] = VESSEL
    array[34, 31:34, 30:33] = ANEURYSM
    array[35, 32, 31] = ANEURYSM
    (found,) = measure(array, plain)
    assert found.voxels == 10
    assert found.volume_ml == pytest.approx(10 * 0.027 / 1000)
    assert found.largest_diameter_mm == pytest.approx(2 * 0.3 * math.sqrt(2) + 0.15, abs=0.01)
    assert found.neck_width_mm == pytest.approx(0.9, abs=0.3)
    assert found.height_mm == pytest.approx(0.6, abs=0.15)
    assert found.parent_vessel_diameter_mm == pytest.approx(1.2, abs=0.3)
    # Too few voxels for a surface.
    assert found.surface_area_mm2 is None
    assert found.sphericity is None


@pytest.mark.parametrize(("voxels", "diameter"), [(1, 0.8), (2, 0.8 + 0.4), (3, 1.6 + 0.4)])
def test_single_voxels_and_rows(voxels: int, diameter: float) -> None:
    array = np.zeros((7, 5, 5))
    array[1 : 1 + voxels, 2, 3] = ANEURYSM  # along k, where the spacing is 0.8
    (found,) = measure(array, Geometry((5, 5, 7), (0.3, 0.4, 0.8)))
    assert found.voxels == voxels
    assert found.volume_ml == pytest.approx(voxels * 0.3 * 0.4 * 0.8 / 1000)
    assert found.largest_diameter_mm == pytest.approx(diameter)
    assert found.centroid_ijk == pytest.approx((3, 2, 1 + (voxels - 1) / 2))


def test_without_a_vessel_there_is_no_neck(plain: Geometry, draw: Callable, ball: Callable) -> None:
    (found,) = measure_aneurysms(draw(plain, [ball((0, 0, 0), 3)], [ball((0, 6, 0), 2)]))
    assert [getattr(found, name) for name in NECK_VALUES] == [None] * 4
    assert (found.height_line_lps, found.neck_line_lps) == (None, None)
    assert found.surface_area_mm2 == pytest.approx(4 * np.pi * 9, rel=0.02)
    assert found.sphericity == pytest.approx(1, abs=0.015)


def test_one_that_the_border_cuts_off_has_no_height_and_no_surface(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    labels = draw(plain, [ball((0, 0, 2.4), 4)], [half_space((0, 0, 1), 0)])
    (whole,) = measure_aneurysms(labels)
    last = 33 + round(5 / 0.3)  # the dome reaches 6.4 mm above the middle
    i, j, k = plain.size
    (cut,) = measure(labels.array[:last], Geometry((i, j, last), plain.spacing))
    assert cut.cut_off
    assert not whole.cut_off
    names = ("height_mm", "aspect_ratio", "height_line_lps", *SHAPE_VALUES)
    assert [getattr(cut, name) for name in names] == [None] * 5
    assert cut.neck_width_mm == pytest.approx(whole.neck_width_mm)
    assert cut.parent_vessel_diameter_mm == pytest.approx(whole.parent_vessel_diameter_mm)
    assert cut.volume_ml < whole.volume_ml
    assert k > last


@pytest.mark.parametrize("side", [slice(0, 40), slice(27, None)])
def test_a_neck_that_the_border_cuts_off_is_none(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable, side: slice
) -> None:
    labels = draw(plain, [ball((0, 0, 2.4), 4)], [half_space((0, 0, 1), 0)])
    part = labels.array[:, :, side]
    (found,) = measure(part, Geometry((part.shape[2], 67, 67), plain.spacing))
    assert found.cut_off
    assert [getattr(found, name) for name in NECK_VALUES] == [None] * 4


def test_a_volume_that_is_all_aneurysm() -> None:
    (found,) = measure(np.full((4, 5, 6), ANEURYSM), Geometry((6, 5, 4)))
    assert found.cut_off
    assert found.voxels == 120


def test_largest_first_and_vessels_left_out() -> None:
    array = np.zeros((20, 20, 20))
    array[2:4, 2:4, 2:4] = ANEURYSM
    array[10:15, 10:15, 10:15] = ANEURYSM
    array[4:10, 2:4, 2:4] = VESSEL
    found = measure(array, Geometry((20, 20, 20)))
    assert [(a.index, a.voxels) for a in found] == [(1, 125), (2, 8)]
    assert found[1].centroid_ijk == pytest.approx((2.5, 2.5, 2.5))


def test_no_aneurysm() -> None:
    assert measure(np.ones((4, 5, 6)), Geometry((6, 5, 4))) == []


def test_the_label_map_stays_as_it_is(scene: Volume) -> None:
    before = scene.array.copy()
    scene.array.setflags(write=False)
    measure_aneurysms(scene)
    np.testing.assert_array_equal(scene.array, before)


def test_ras_is_what_slicer_shows_and_the_dictionary_is_json(scene: Volume) -> None:
    found, _ = measure_aneurysms(scene)
    left, posterior, superior = found.centroid_lps
    assert found.centroid_ras == (-left, -posterior, superior)
    read = json.loads(json.dumps(found.to_dict()))
    assert read["centroid_ras"] == pytest.approx(found.centroid_ras)
    assert read["voxels"] == found.voxels
    assert read["neck_line_lps"] == [pytest.approx(end) for end in found.neck_line_lps or ()]
    assert all(isinstance(read[name], float) for name in (*NECK_VALUES, *SHAPE_VALUES))


def test_a_large_label_map_takes_less_than_half_a_second(
    draw: Callable, ball: Callable, tube: Callable
) -> None:
    grid = Geometry((256, 256, 256), (0.3, 0.3, 0.3))
    small = Geometry((100, 100, 100), (0.3, 0.3, 0.3))
    labels = draw(small, [ball((0, 7.5, 0), 6.0)], [tube((-14, 0, 0), (14, 0, 0), 2.2)])
    array = np.zeros(grid.shape, dtype=np.uint8)
    array[60:160, 100:200, 120:220] = labels.array
    start = time.process_time()
    (found,) = measure_aneurysms(Volume(array, grid))
    assert time.process_time() - start < 0.5
    assert found.neck_width_mm is not None
    assert found.parent_vessel_diameter_mm == pytest.approx(4.4, abs=0.3)


def numbers_of(found: Aneurysm) -> dict[str, object]:
    told = found.to_dict()
    return {
        name: told[name]
        for name in told
        if name.endswith(("_mm", "_mm2", "_mm3", "_ml", "_deg", "_ratio", "_factor", "_index"))
        or name in ("sphericity", "certainty")
    }


def test_whatever_is_missing_has_its_reason(
    plain: Geometry, draw: Callable, ball: Callable, tube: Callable, half_space: Callable,
    scene: Volume,
) -> None:  # fmt: skip
    vessel = tube((0, 0, -20), (0, 0, 20), 1.5)
    kinds = {
        "whole": scene,
        "no vessel": draw(plain, [ball((0, 0, 0), 3)]),
        "fusiform": draw(plain, [ball((0, 0, 0), 3)], [vessel]),
        "cut off": draw(plain, [ball((0, 8.2, 0), 3)], [half_space((0, 1, 0), 6.5)]),
        "tiny": draw(plain, [ball((0, 1.6, 0), 0.7)], [vessel]),
        "on something wide": draw(plain, [ball((0, 3, 0), 3)], [half_space((0, 1, 0), 1.5)]),
        "hemisphere": draw(plain, [ball((0, 0, 0), 4)], [half_space((0, 1, 0), 0)]),
    }
    for kind, labels in kinds.items():
        for found in measure_aneurysms(labels):
            numbers = numbers_of(found)
            assert len(numbers) > 20
            missing = {name for name, value in numbers.items() if value is None}
            assert set(found.missing) == missing, kind
            assert all(why.endswith(".") and why[0].isupper() for why in found.missing.values())
            plain_types = (float, int, bool, str, tuple, dict, type(None))
            assert {type(value) for value in found.to_dict().values()} <= set(plain_types)
            assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["missing"] == (
                found.missing
            )


def test_the_reasons_say_what_it_is(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    (alone,) = measure_aneurysms(draw(plain, [ball((0, 0, 0), 3)]))
    assert alone.missing["height_mm"] == "No neck: no vessel touches the aneurysm."
    wall = [half_space((0, 1, 0), 0)]
    (low,) = measure_aneurysms(draw(plain, [ball((0, 0, 0), 4)], wall))
    assert low.missing["aneurysm_angle_deg"].startswith("The sac reaches about as far in all")
    assert low.missing["size_ratio"].startswith("What the neck sits on is wider than 10 mm")
    assert low.non_sphericity_index == pytest.approx(0, abs=0.03)
    (small,) = measure_aneurysms(draw(plain, [ball((0, 0.4, 0), 0.7)], wall))
    assert small.missing["undulation_index"] == "The aneurysm is less than 6 voxels across."
    (tiny,) = measure_aneurysms(draw(plain, [ball((0, 0.4, 0), 0.5)], wall))
    assert tiny.missing["sphericity"] == "The aneurysm is less than 4 voxels across."
    (cut,) = measure_aneurysms(draw(plain, [ball((0, 8.2, 0), 3)], [half_space((0, 1, 0), 6.5)]))
    assert cut.missing["width_mm"] == "The border of the volume cuts the aneurysm off."
    assert small.missing["certainty"].startswith("Only the model that drew")
    sure = small.with_certainty(0.8)
    assert sure.certainty == 0.8 and "certainty" not in sure.missing
    assert small.with_certainty(None) is small


def test_ratios_are_those_of_the_rows_own_lengths(scene: Volume) -> None:
    for found in measure_aneurysms(scene):
        assert found.height_mm and found.width_mm and found.maximum_height_mm
        assert found.neck_width_mm and found.parent_vessel_diameter_mm
        assert found.bottleneck_factor == pytest.approx(found.width_mm / found.neck_width_mm)
        assert found.height_width_ratio == pytest.approx(found.height_mm / found.width_mm)
        assert found.size_ratio == pytest.approx(
            found.maximum_height_mm / found.parent_vessel_diameter_mm
        )
        assert found.width_mm >= found.neck_width_mm
        assert found.maximum_height_mm >= found.height_mm - 0.5
