"""Walls on blurred bodies of known size, around which a network is off by half a voxel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.inference.deciding import original_grid, walls
from gsema_core.inference.deciding.original_grid import probabilities_to_labels
from gsema_core.inference.deciding.walls import (
    LEAST_CONTRAST,
    LEVEL,
    UNSURE,
    Wall,
    find_wall,
    sharpened,
)

FINE = Geometry((96, 96, 96), (0.25, 0.25, 0.25))
COARSE = Geometry((48, 48, 48), (0.5, 0.5, 0.5), (0.125,) * 3)
BLUR_MM = 0.6  # as wide as those of the simulated scanners
MIDDLE = (12.0, 11.9, 12.1)


def from_the_middle(grid: Geometry) -> np.ndarray:
    """The distance of each voxel from a sphere's middle, in mm."""
    k, j, i = np.indices(grid.shape)
    places = grid.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3))
    return np.linalg.norm(places - MIDDLE, axis=1).reshape(grid.shape)


def from_an_axis(grid: Geometry) -> np.ndarray:
    k, j, i = np.indices(grid.shape)
    places = grid.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3))
    return np.linalg.norm((places - MIDDLE)[:, :2], axis=1).reshape(grid.shape)


def scan_of(inside: np.ndarray) -> np.ndarray:
    """Contrast agent seen through a scanner: 0.9 on 0.1."""
    blurred = ndimage.gaussian_filter(inside.astype(np.float32), BLUR_MM / 0.25)
    return np.asarray(0.1 + 0.8 * blurred)


def on_working_grid(image: np.ndarray) -> np.ndarray:
    return np.asarray(image.reshape(48, 2, 48, 2, 48, 2).mean(axis=(1, 3, 5)))


def unsure(distance: np.ndarray, radius: float) -> np.ndarray:
    """What a network that sees the wall at a radius says of the sac on the working grid."""
    share = np.clip(0.5 - (distance - radius) / 1.0, 0, 1).astype(np.float32)
    return np.stack([np.zeros_like(share), share])


def radius_of(labels: np.ndarray) -> float:
    """Of the sphere of that volume, in mm."""
    return float(np.cbrt(0.75 / np.pi * (labels == 2).sum() * 0.25**3))


@pytest.mark.parametrize("radius", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("off_mm", [-0.3, 0.0, 0.3])
def test_the_scan_moves_a_wall_to_where_it_is(radius: float, off_mm: float) -> None:
    image = scan_of(from_the_middle(FINE) < radius)
    foreground = unsure(from_the_middle(COARSE), radius + off_mm)
    found = find_wall(foreground.sum(axis=0), on_working_grid(image), 0.5)
    plain = probabilities_to_labels(foreground, COARSE, FINE).array
    moved = probabilities_to_labels(
        foreground, COARSE, FINE, walls=(found, lambda box: image[box])
    ).array
    if off_mm:
        assert abs(radius_of(plain) - radius) > 0.25
        assert abs(radius_of(moved) - radius) < 0.85 * abs(radius_of(plain) - radius)
    else:
        assert radius_of(moved) == pytest.approx(radius, abs=0.1)


def test_a_thin_vessel_beside_a_wide_one_is_not_drawn_as_wide_as_its_blur() -> None:
    """Alone it passes for a vessel of less contrast; what the wide one has tells the difference."""
    axis = from_an_axis(FINE)
    j = np.indices(FINE.shape)[1] * 0.25
    tube = (axis < 0.6) & (j < 24)
    wide = np.zeros_like(tube)
    wide[:, :16, :16] = True  # 4 mm wide
    lumen = np.zeros(COARSE.shape, np.float32)
    lumen[from_an_axis(COARSE) < 1.2] = 1
    alone = find_wall(lumen, on_working_grid(scan_of(tube)), 0.5)
    lumen[:, :8, :8] = 1
    beside = find_wall(lumen, on_working_grid(scan_of(tube | wide)), 0.5)
    middle = (24, 24, 24)
    assert beside.level[middle] > 1.2 * alone.level[middle]
    image = scan_of(tube | wide)

    def width(found: Wall | None) -> int:
        foreground = np.stack([np.zeros_like(lumen), lumen])
        walls = (found, lambda box: image[box]) if found else None
        labels = probabilities_to_labels(foreground, COARSE, FINE, walls=walls)
        return int((labels.array[48, 30:66, 30:66] == 2).sum())

    true = int(tube[48, 30:66, 30:66].sum())
    assert true < width(beside) < width(alone) < width(None)


def test_the_shares_are_weighed() -> None:
    lumen = np.array([0.2, 0.2, 0.6, 1.0, UNSURE / 2, 0.6], np.float32)
    image = np.array([0.9, 0.1, 0.5, 0.5, 0.9, 0.9], np.float32)
    level = np.full(6, 0.5, np.float32)
    contrast = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.0], np.float32)
    # (p + 3 f) / 4; not asked where the network is sure of background, or without contrast.
    expected = [0.8, 0.05, 0.525, 0.625, UNSURE / 2, 0.6]
    np.testing.assert_allclose(sharpened(lumen, image, level, contrast), expected, rtol=1e-6)


def test_brightness_is_that_of_each_side() -> None:
    """A plane between 0.2 and 0.8, far from which both sides are known exactly."""
    image = np.full((40, 40, 40), 0.2, np.float32)
    image[:, :, 20:] = 0.8
    found = find_wall((image > 0.5).astype(np.float32), image, 0.5)
    np.testing.assert_allclose(found.contrast[20, 20, 16:24], 0.6, rtol=1e-5)
    np.testing.assert_allclose(found.level[20, 20, 16:24], 0.2 + LEVEL * 0.6, rtol=1e-5)
    assert (found.contrast[:, :, :12] == 0).all()  # no lumen near


def test_less_contrast_than_asked_for_leaves_the_networks_wall() -> None:
    """A bone around the lumen."""
    distance = from_the_middle(COARSE)
    image = np.where(distance < 3, 0.9, 0.9 - 0.9 * LEAST_CONTRAST).astype(np.float32)
    assert (find_wall((distance < 3.5).astype(np.float32), image, 0.5).contrast == 0).all()


def test_without_lumen_there_is_no_wall() -> None:
    image = np.random.default_rng(0).random((12, 12, 12), np.float32)
    found = find_wall(np.full(image.shape, 0.4, np.float32), image, 0.5)
    assert (found.contrast == 0).all()
    assert np.isfinite(found.level).all()


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    image = rng.random((40, 20, 20), np.float32)
    lumen = ndimage.gaussian_filter(rng.random(image.shape, np.float32), 1.5)
    lumen = (lumen - lumen.min()) / (lumen.max() - lumen.min())
    lumen[30:] = 0
    monkeypatch.setattr(walls, "SLAB_PLANES", 1000)
    whole = find_wall(lumen, image, 0.5)
    assert (whole.contrast > 0).any()
    monkeypatch.setattr(walls, "SLAB_PLANES", 7)
    slabs = find_wall(lumen, image, 0.5)
    np.testing.assert_allclose(slabs.contrast, whole.contrast, atol=1e-6)
    np.testing.assert_allclose(slabs.level, whole.level, atol=1e-6)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the scan makes lumen of what the network thought less likely."""
    image = scan_of(from_the_middle(FINE) < 4)
    foreground = unsure(from_the_middle(COARSE), 3.5)
    walls = (find_wall(foreground.sum(axis=0), on_working_grid(image), 0.5), lambda b: image[b])
    monkeypatch.setattr(original_grid, "TILE", 1000)
    whole = probabilities_to_labels(foreground, COARSE, FINE, walls=walls).array
    assert (whole != probabilities_to_labels(foreground, COARSE, FINE).array).any()
    monkeypatch.setattr(original_grid, "TILE", 7)
    tiles = probabilities_to_labels(foreground, COARSE, FINE, walls=walls).array
    np.testing.assert_array_equal(tiles, whole)
