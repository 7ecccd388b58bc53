from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.grids import Geometry, Volume, working_geometry
from gsema_core.inference.deciding import original_grid
from gsema_core.inference.deciding.original_grid import (
    probabilities_to_labels,
    probability_to_original,
)
from gsema_core.inference.shares import FULL

Distance = Callable[[Geometry], np.ndarray]
SPACINGS = (0.4, 0.8)


def by_simpleitk(probability: np.ndarray, working: Geometry, original: Geometry) -> np.ndarray:
    image = Volume(probability, working).to_image()
    return sitk.GetArrayFromImage(
        sitk.Resample(
            image, original.size, sitk.Transform(), sitk.sitkLinear,
            original.origin, original.spacing, original.direction, 0.0,
        )
    )  # fmt: skip


@pytest.fixture
def blobs(geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Smooth probabilities of two classes with much background, on a working grid of 0.8 mm."""
    working = working_geometry(geometry, 0.8)
    rng = np.random.default_rng(0)
    coarse = rng.dirichlet((3, 1, 1), (4, 4, 4)).astype(np.float32)
    grid = Geometry((4, 4, 4))
    spacing = tuple(3 / n for n in working.size)
    fine = Geometry(working.size, spacing)
    return np.stack([by_simpleitk(coarse[..., c], grid, fine) for c in (1, 2)]), working


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_sphere_comes_back_in_place(
    geometry: Geometry, spacing: float, sphere_distance: Distance
) -> None:
    labels = Volume((sphere_distance(geometry) < 0).astype(np.uint8), geometry)
    working = working_geometry(geometry, spacing)
    # What a perfect network would say: the share of each working voxel that is inside.
    inside = np.clip(0.5 - sphere_distance(working) / spacing, 0, 1)
    result = probabilities_to_labels(np.stack([inside, 0 * inside]), working, geometry)
    assert result.geometry == geometry
    assert result.array.dtype == np.uint8
    centers = [np.argwhere(v.array == 1).mean(axis=0)[::-1] for v in (labels, result)]
    offset_mm = np.linalg.norm(np.subtract(*geometry.index_to_world(centers)))
    assert offset_mm < 0.05
    assert result.array.sum() == pytest.approx(labels.array.sum(), rel=0.03)
    wrong = result.array != labels.array
    assert np.abs(sphere_distance(geometry)[wrong]).max(initial=0) < 0.5 * min(geometry.spacing)


def test_a_whole_interpolation_gives_the_same(
    geometry: Geometry, blobs: tuple[np.ndarray, Geometry]
) -> None:
    """Tiles that are left out, lines instead of volumes: nothing of it shows."""
    foreground, working = blobs
    vessel, aneurysm = (by_simpleitk(channel, working, geometry) for channel in foreground)
    labels = probabilities_to_labels(foreground, working, geometry).array
    expected = np.where(vessel + aneurysm > 0.5, np.where(aneurysm > vessel, 2, 1), 0)
    near = (abs(vessel + aneurysm - 0.5) < 1e-5) | (abs(vessel - aneurysm) < 1e-5)
    assert ((labels == expected) | near).all()
    assert near.mean() < 1e-3
    assert min((labels == label).sum() for label in (1, 2)) > 50
    back = probability_to_original(foreground[1], working, geometry)
    np.testing.assert_allclose(back.array, aneurysm, atol=1e-6)


@pytest.mark.parametrize("threshold", [None, 0.2])
def test_tiles_change_nothing(
    geometry: Geometry,
    blobs: tuple[np.ndarray, Geometry],
    monkeypatch: pytest.MonkeyPatch,
    threshold: float | None,
) -> None:
    monkeypatch.setattr(original_grid, "TILE", 1000)
    whole = probabilities_to_labels(*blobs, geometry, threshold).array
    monkeypatch.setattr(original_grid, "TILE", 7)
    np.testing.assert_array_equal(probabilities_to_labels(*blobs, geometry, threshold).array, whole)


def test_tiles_without_foreground_are_not_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Geometry((128, 64, 64), (0.4,) * 3)
    working = working_geometry(original, 0.8)
    foreground = np.zeros((2, *working.shape), np.float32)
    foreground[0, 4:8, 4:8, 4:8] = 0.9
    worked_on = []
    interpolated = original_grid._interpolated

    def spy(channel: np.ndarray, lines: list[original_grid.Line]) -> np.ndarray:
        worked_on.append(interpolated(channel, lines))
        return worked_on[-1]

    monkeypatch.setattr(original_grid, "_interpolated", spy)
    labels = probabilities_to_labels(foreground, working, original)
    assert labels.array.sum() == pytest.approx(8**3, rel=0.3)
    assert [tile.size for tile in worked_on] == [32**3] * 2  # one tile of 16, two classes


def test_sixteen_bits_say_the_same(geometry: Geometry, blobs: tuple[np.ndarray, Geometry]) -> None:
    foreground, working = blobs
    counts = (foreground * FULL).astype(np.uint16)
    labels = [probabilities_to_labels(array, working, geometry) for array in (foreground, counts)]
    assert (labels[0].array != labels[1].array).mean() < 1e-3
    back = [probability_to_original(array[1], working, geometry) for array in (foreground, counts)]
    np.testing.assert_allclose(back[1].array, back[0].array, atol=2e-5)


def test_outside_of_the_working_grid_is_background() -> None:
    working = Geometry((10, 10, 10))
    original = Geometry((30, 30, 30), origin=(-10.0, -10.0, -10.0))
    probabilities = np.zeros((2, 10, 10, 10), dtype=np.uint16)
    probabilities[1] = FULL
    labels = probabilities_to_labels(probabilities, working, original).array
    assert (labels[10:20, 10:20, 10:20] == 2).all()
    assert np.count_nonzero(labels) == 1000
    assert probability_to_original(probabilities[1], working, original).array.sum() == 1000


def test_the_outermost_voxels_are_not_lost() -> None:
    """A fine grid's outer centers lie beyond the coarse grid's, though in the same box."""
    original = Geometry((16, 16, 16), (0.25, 0.25, 0.25))
    working = working_geometry(original, 1.0)
    ones = np.zeros((2, *working.shape))
    ones[0] = 1
    assert (probabilities_to_labels(ones, working, original).array == 1).all()


def test_a_threshold_leaves_the_other_classes_to_themselves() -> None:
    """An aneurysm not likely enough is what else is likelier, even where it is the likeliest."""
    grid = Geometry((3, 1, 1))
    foreground = np.array([[[[0.2, 0.25, 0.1]]], [[[0.7, 0.45, 0.7]]]], dtype=np.float32)

    def labels(threshold: float | None) -> list[int]:
        return probabilities_to_labels(foreground, grid, grid, threshold).array.ravel().tolist()

    assert labels(None) == [2, 2, 2]
    assert labels(0.7) == [2, 0, 2]
    assert labels(0.8) == [1, 0, 0]
    assert labels(0.4) == [2, 2, 2]


def test_two_classes_that_share_a_voxel_leave_no_gap_between_them() -> None:
    """At a neck neither class outweighs the background, but both together do."""
    grid = Geometry((3, 1, 1))
    probabilities = np.array([[0, 1, 0], [0.4, 0.25, 0.35], [0, 0, 1]]).T.reshape(3, 1, 1, 3)[1:]
    labels = probabilities_to_labels(probabilities, grid, grid).array
    assert labels.ravel().tolist() == [1, 2, 2]
