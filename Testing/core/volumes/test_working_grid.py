from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.volumes import (
    Geometry,
    Volume,
    labels_to_working,
    probabilities_to_labels,
    probability_to_original,
    to_working,
    working_geometry,
    working_grid,
)

Distance = Callable[[Geometry], np.ndarray]
SPACINGS = (0.4, 0.8)


def corners(geometry: Geometry) -> np.ndarray:
    signs = np.array(np.meshgrid(*[(0, 1)] * 3)).reshape(3, -1).T
    return geometry.index_to_world(signs * np.array(geometry.size) - 0.5)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_grid_is_upright_cubic_and_covers_the_box(geometry: Geometry, spacing: float) -> None:
    grid = working_geometry(geometry, spacing)
    assert grid.spacing == (spacing,) * 3
    assert (np.diag(grid.direction_matrix) > 0.8).all()  # the test's rotations stay below 37 deg
    np.testing.assert_allclose(grid.center, geometry.center, atol=1e-9)
    inside = grid.world_to_index(corners(geometry))
    overhang = np.stack([-0.5 - inside.min(axis=0), inside.max(axis=0) - np.array(grid.size) + 0.5])
    assert (overhang < 1e-2).all()  # nothing cut off
    assert (overhang > -0.5 - 1e-6).all()  # and less than one voxel added


def test_axes_keep_the_scans_rotation(geometry: Geometry) -> None:
    grid = working_geometry(geometry, 0.5)
    products = np.abs(grid.direction_matrix.T @ geometry.direction_matrix)
    np.testing.assert_allclose(np.sort(products, axis=0)[-1], 1.0, atol=1e-9)


def test_rounding_adds_no_voxel() -> None:
    grid = working_geometry(Geometry((256, 256, 256), (0.1, 0.1, 0.1)), 0.4)
    assert grid.size == (64, 64, 64)


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_spacing_is_refused(spacing: float) -> None:
    with pytest.raises(UserError, match="must be a positive number"):
        working_geometry(Geometry((5, 5, 5)), spacing)


def test_a_grid_beyond_memory_is_refused() -> None:
    with pytest.raises(UserError, match="coarser spacing"):
        working_geometry(Geometry((512, 512, 512)), 0.01)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_ramp_keeps_its_value_everywhere(
    geometry: Geometry, spacing: float, world: Callable[[Geometry], np.ndarray]
) -> None:
    """Linear interpolation and a symmetric blur leave a linear function as it is; any swapped,
    flipped or shifted axis would not."""
    slopes = np.array([1.0, 2.5, -4.0])
    ramp = Volume(world(geometry) @ slopes, geometry)
    working = to_working(ramp, spacing)
    assert working.array.dtype == np.float32
    margin = (slice(6, -6),) * 3  # the blur's reach from the edge, where the ramp ends
    expected = world(working.geometry) @ slopes
    np.testing.assert_allclose(working.array[margin], expected[margin], atol=2e-2)
    back = probability_to_original(expected, working.geometry, geometry)
    assert back.array.dtype == np.float32
    np.testing.assert_allclose(back.array[margin], ramp.array[margin], atol=1e-3)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_sphere_comes_back_in_place(
    geometry: Geometry, spacing: float, sphere_distance: Distance
) -> None:
    labels = Volume((sphere_distance(geometry) < 0).astype(np.uint8), geometry)
    working = working_geometry(geometry, spacing)
    # What a perfect network would say: the share of each working voxel that is inside.
    inside = np.clip(0.5 - sphere_distance(working) / spacing, 0, 1)
    result = probabilities_to_labels(np.stack([1 - inside, inside, 0 * inside]), working, geometry)
    assert result.geometry == geometry
    assert result.array.dtype == np.uint8
    centers = [np.argwhere(v.array == 1).mean(axis=0)[::-1] for v in (labels, result)]
    offset_mm = np.linalg.norm(np.subtract(*geometry.index_to_world(centers)))
    assert offset_mm < 0.05
    assert result.array.sum() == pytest.approx(labels.array.sum(), rel=0.03)
    wrong = result.array != labels.array
    assert np.abs(sphere_distance(geometry)[wrong]).max(initial=0) < 0.5 * min(geometry.spacing)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_labels_reach_the_working_grid_in_place(
    geometry: Geometry, spacing: float, sphere_distance: Distance
) -> None:
    """A shell (aneurysm, 2) around a core (vessel, 1), at most half a voxel off."""
    distance = sphere_distance(geometry)
    labels = Volume(
        np.select([distance < -1.6, distance < 0], [1, 2], 0).astype(np.uint8), geometry
    )
    working = labels_to_working(labels, spacing)
    assert working.array.dtype == np.uint8
    truth = sphere_distance(working.geometry)
    tolerance = 0.5 * max(spacing, *geometry.spacing) + 0.1
    assert (working.array[truth > tolerance] == 0).all()
    assert (working.array[(truth < -tolerance) & (truth > -1.6 + tolerance)] == 2).all()
    assert (working.array[truth < -1.6 - tolerance] == 1).all()


def test_labels_keep_their_volume_on_the_working_grid() -> None:
    """On average over places: single ones jump with the lattice."""
    geometry = Geometry((60, 60, 60), (0.4, 0.4, 0.4))
    k, j, i = np.indices(geometry.shape)
    generator = np.random.default_rng(0)
    ratios = []
    for _ in range(8):
        x, y, z = generator.uniform(28, 31, 3)
        squared = (i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2
        # Two halves of a sphere: their common boundary must not eat into the whole.
        labels = Volume((squared < 15**2) * np.where(i < x, 1, 2).astype(np.uint8), geometry)
        working = labels_to_working(labels, 0.8)
        ratios.append((working.array > 0).sum() * 8 / (labels.array > 0).sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)


def test_labels_of_the_same_grid_stay_as_they_are() -> None:
    geometry = Geometry((12, 13, 14), (0.4, 0.4, 0.4), (5.0, 6.0, 7.0))
    labels = Volume(np.random.default_rng(0).integers(0, 3, geometry.shape, np.uint8), geometry)
    np.testing.assert_array_equal(labels_to_working(labels, 0.4).array, labels.array)


def test_outside_of_the_working_grid_is_background() -> None:
    working = Geometry((10, 10, 10))
    original = Geometry((30, 30, 30), origin=(-10.0, -10.0, -10.0))
    probabilities = np.zeros((3, 10, 10, 10), dtype=np.float16)
    probabilities[2] = 1
    labels = probabilities_to_labels(probabilities, working, original).array
    assert (labels[10:20, 10:20, 10:20] == 2).all()
    assert np.count_nonzero(labels) == 1000
    assert probability_to_original(probabilities[2], working, original).array.sum() == 1000


def test_the_outermost_voxels_are_not_lost() -> None:
    """A fine grid's outer centers lie beyond the coarse grid's, though in the same box."""
    original = Geometry((16, 16, 16), (0.25, 0.25, 0.25))
    working = working_geometry(original, 1.0)
    ones = np.zeros((3, *working.shape))
    ones[1] = 1
    assert (probabilities_to_labels(ones, working, original).array == 1).all()


def test_slabs_change_nothing(geometry: Geometry, monkeypatch: pytest.MonkeyPatch) -> None:
    working = working_geometry(geometry, 0.8)
    probabilities = np.random.default_rng(0).dirichlet((1, 1, 1), working.shape)
    probabilities = np.moveaxis(probabilities, -1, 0)
    whole = probabilities_to_labels(probabilities, working, geometry)
    one = probability_to_original(probabilities[2], working, geometry)
    i, j, _ = geometry.size
    monkeypatch.setattr(working_grid, "SLAB_VOXELS", 7 * i * j)
    np.testing.assert_array_equal(
        probabilities_to_labels(probabilities, working, geometry).array, whole.array
    )
    np.testing.assert_allclose(
        probability_to_original(probabilities[2], working, geometry).array, one.array, atol=1e-6
    )


def test_no_slab_is_larger_than_allowed(
    geometry: Geometry, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    resample = working_grid._resample

    def spy(image: object, target: Geometry, outside: float = 0.0) -> np.ndarray:
        sizes.append(int(np.prod(target.size)))
        return resample(image, target, outside)

    monkeypatch.setattr(working_grid, "_resample", spy)
    monkeypatch.setattr(working_grid, "SLAB_VOXELS", 20_000)
    working = working_geometry(geometry, 0.8)
    probabilities_to_labels(np.zeros((3, *working.shape)), working, geometry)
    assert max(sizes) <= 20_000
    assert sum(sizes) == 3 * np.prod(geometry.size)


def test_fine_noise_does_not_alias_into_the_coarse_grid() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (64, 64, 64))
    fine = Volume(noise, Geometry((64, 64, 64), (0.2, 0.2, 0.2)))
    coarse = to_working(fine, 0.8)
    # Averaging 4^3 voxels would leave 1/8; nearest neighbors would leave 1.
    assert coarse.array.std() < 0.2


def test_two_classes_that_share_a_voxel_leave_no_gap_between_them() -> None:
    """At a neck neither class outweighs the background, but both together do."""
    grid = Geometry((3, 1, 1))
    probabilities = np.array([[0, 1, 0], [0.4, 0.25, 0.35], [0, 0, 1]]).T.reshape(3, 1, 1, 3)
    labels = probabilities_to_labels(probabilities, grid, grid).array
    assert labels.ravel().tolist() == [1, 2, 2]
