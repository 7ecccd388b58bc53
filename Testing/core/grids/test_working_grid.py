from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import (
    Geometry,
    Volume,
    labels_to_working,
    to_working,
    working_geometry,
    working_grid,
)
from gsema_core.inference.deciding.original_grid import probability_to_original
from gsema_core.labels import IGNORE

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


def test_fine_noise_does_not_alias_into_the_coarse_grid() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (64, 64, 64))
    fine = Volume(noise, Geometry((64, 64, 64), (0.2, 0.2, 0.2)))
    coarse = to_working(fine, 0.8)
    # Averaging 4^3 voxels would leave 1/8; nearest neighbors would leave 1.
    assert coarse.array.std() < 0.2


def test_slabs_change_nothing(geometry: Geometry, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Volume(np.random.default_rng(0).normal(0, 1, geometry.shape), geometry)
    whole = to_working(noise, 0.8)
    monkeypatch.setattr(working_grid, "SLAB_VOXELS", 7000)
    np.testing.assert_array_equal(to_working(noise, 0.8).array, whole.array)


def test_what_is_ignored_is_a_class_of_its_own() -> None:
    """Half of the voxels in each pair: ignored where it fills at least half and the most."""
    array = np.zeros((4, 4, 4), np.uint8)
    array[:, :, 0:2], array[:, :, 2] = IGNORE, 1
    working = labels_to_working(Volume(array, Geometry((4, 4, 4), (0.4, 0.4, 0.4))), 0.8).array
    assert working.dtype == np.uint8 and set(np.unique(working)) <= {0, 1, IGNORE}
    assert (working[:, :, 0] == IGNORE).all() and (working[:, :, 1] != IGNORE).all()
