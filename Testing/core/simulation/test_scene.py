"""What lies in the beam: the contrast agent, the head, and the labels on other grids."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.scene import build_scene, gantry_geometry, labels_on
from gsema_core.simulation.smooth_fields import smooth_field

STRAIGHT = Rotation.identity()


@pytest.fixture
def artery_with_sac() -> Volume:
    """A straight artery of 2 mm radius through the volume, a sac of 5 mm on its far end."""
    geometry = Geometry((40, 40, 40), (0.8,) * 3, (-15.6,) * 3)
    k, j, i = (axis * 0.8 - 15.6 for axis in np.indices(geometry.shape))
    labels = (np.hypot(i, j) <= 2.0).astype(np.uint8)
    labels[i**2 + (j - 6.0) ** 2 + (k - 10.0) ** 2 <= 5.0**2] = 2
    return Volume(labels, geometry)


def test_contrast_fades_from_the_artery_that_feeds_not_from_a_sac(artery_with_sac, clean):
    """The sac is wider and as near to a face, but contrast is injected into arteries."""
    protocol = clean(contrast_fade_mm=20.0)
    grid = gantry_geometry(artery_with_sac.geometry, 0.8, STRAIGHT)
    scene = build_scene(artery_with_sac, grid, protocol, np.random.default_rng(1))
    labels = labels_on(artery_with_sac, grid).array
    assert scene.contrast[labels == 1].max() > scene.contrast[labels == 2].max()
    assert scene.contrast.max() == pytest.approx(protocol.contrast_hu, rel=0.02)
    assert scene.contrast[labels == 2].max() < 0.9 * protocol.contrast_hu


def test_mixing_varies_the_contrast_slowly(artery_with_sac, clean):
    grid = gantry_geometry(artery_with_sac.geometry, 0.8, STRAIGHT)
    lumen = labels_on(artery_with_sac, grid).array > 0
    core = ndimage.binary_erosion(lumen)  # free of the wall's partial volume
    spread = []
    for mixing in (0.0, 0.2):
        protocol = clean(contrast_mixing=mixing)
        scene = build_scene(artery_with_sac, grid, protocol, np.random.default_rng(1))
        values = scene.contrast[core]
        spread.append(values.std() / values.mean())
    assert spread[0] < 0.05
    assert 0.1 < spread[1] < 0.4


def test_bone_leaves_room_for_arteries(artery_with_sac, quick):
    grid = gantry_geometry(artery_with_sac.geometry, 0.8, STRAIGHT)
    scene = build_scene(artery_with_sac, grid, quick("A"), np.random.default_rng(1))
    lumen = labels_on(artery_with_sac, grid).array > 0
    assert np.abs(scene.texture[lumen]).max() < 100
    assert scene.texture.max() > 500
    assert scene.texture.min() < -500


def test_gantry_turns_around_the_long_axis_and_covers_the_label_map():
    source = Geometry((30, 40, 50), (0.5, 0.6, 0.7), (3.0, 4.0, 5.0))
    grid = gantry_geometry(source, 0.5, STRAIGHT)
    assert np.allclose(grid.direction_matrix[:, 1], (0, 0, 1))
    assert np.isclose(np.linalg.det(grid.direction_matrix), 1.0)
    assert np.allclose(grid.center, source.center)
    assert grid.size == (30, 70, 48)  # left, superior, anterior


def test_labels_keep_volume_and_values_on_a_turned_grid(sphere):
    labels = sphere()
    grid = gantry_geometry(labels.geometry, 0.5, Rotation.from_euler("xyz", (9, -7, 12), True))
    turned = labels_on(labels, grid)
    assert set(np.unique(turned.array)) == {0, 1, 2}
    for value in (1, 2):
        before = (labels.array == value).sum() * labels.geometry.voxel_volume_mm3
        after = (turned.array == value).sum() * grid.voxel_volume_mm3
        assert after == pytest.approx(before, rel=0.06)


def test_smooth_field_is_smooth_and_standard():
    field = smooth_field((40, 50, 60), 4.0, np.random.default_rng(0))
    assert field.shape == (40, 50, 60)
    assert field.std() == pytest.approx(1.0, abs=0.35)
    assert np.abs(np.diff(field, axis=0)).mean() < 0.35 * field.std()


def test_an_explicit_filling_is_the_contrast_of_the_lumen(sphere, clean) -> None:
    """Twice the filling is twice the contrast, up to the wall, and none is none."""
    labels = sphere()
    below = np.arange(labels.geometry.shape[0])[:, None, None] < 20
    filling = np.where(labels.array > 0, np.where(below, 0.0, 0.5), 0.0).astype(np.float32)

    def contrast(share):
        given = Volume(filling * np.float32(share), labels.geometry)
        scene = build_scene(labels, labels.geometry, clean(), np.random.default_rng(0), given)
        return scene.contrast

    once = contrast(1.0)
    assert np.allclose(contrast(2.0), 2 * once, rtol=1e-5)
    lumen = labels.array > 0
    assert once[lumen & ~below].max() == pytest.approx(0.5 * clean().contrast_hu, rel=0.01)
    assert once[:18].max() < 1e-3
