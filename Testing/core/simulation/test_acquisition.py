"""Where things come back, what they look like, and that a seed decides everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.simulation import CENTERS, acquire, acquisition, make_phantom
from gsema_core.simulation.acquisition import orient
from gsema_core.simulation.centers import ORIENTATIONS
from gsema_core.simulation.scanner.storing import quantize

TILTED = (0.96, -0.28, 0.0, 0.28, 0.96, 0.0, 0.0, 0.0, 1.0)


def bright_center(image: Volume) -> np.ndarray:
    """World position of the middle of what is brighter than half the maximum."""
    bright = image.array > 0.5 * np.percentile(image.array, 99.9)
    return image.geometry.index_to_world(np.argwhere(bright)[:, ::-1]).mean(axis=0)


def label_center(labels: Volume) -> np.ndarray:
    return labels.geometry.index_to_world(np.argwhere(labels.array > 0)[:, ::-1]).mean(axis=0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_sphere_comes_back_at_its_place_in_every_orientation(
    orientation, sphere, sphere_center, clean
):
    protocol = clean(orientation=orientation, tilt_deg=10.0)
    image, labels = acquire(sphere(), protocol, seed=1, model="light")
    half_voxel = protocol.spacing_mm / 2
    assert np.linalg.norm(bright_center(image) - sphere_center) < half_voxel
    assert np.linalg.norm(label_center(labels) - sphere_center) < half_voxel


@pytest.mark.parametrize("orientation", ["LPS", "PSL"])
def test_cone_beam_keeps_the_place_too(orientation, sphere, sphere_center, clean, needs_rtk):
    needs_rtk()
    protocol = clean(orientation=orientation, tilt_deg=10.0)
    image, labels = acquire(sphere(), protocol, seed=1, model="cone_beam")
    assert np.linalg.norm(bright_center(image) - sphere_center) < protocol.spacing_mm / 2
    # Attenuation survives projection and reconstruction: the sphere has its enhancement.
    inside = image.array[labels.array > 0]
    assert np.percentile(inside, 90) == pytest.approx(protocol.contrast_hu, rel=0.15)


def test_oblique_anisotropic_label_map_keeps_its_world(sphere, sphere_center, clean):
    geometry = Geometry((56, 40, 30), (0.6, 0.8, 1.1), (-16.0, -20.0, -15.0), TILTED)
    protocol = clean()
    image, labels = acquire(sphere(geometry), protocol, seed=1, model="light")
    assert np.linalg.norm(bright_center(image) - sphere_center) < protocol.spacing_mm / 2
    volume = (labels.array > 0).sum() * labels.geometry.voxel_volume_mm3
    assert volume == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.08)


def test_all_48_orientations_move_no_voxel(sphere, sphere_center):
    labels = sphere()
    axes = ("LR", "PA", "SI")
    codes = [
        "".join(pick)
        for order in itertools.permutations(axes)
        for pick in itertools.product(*order)
    ]
    assert len(codes) == 48
    for code in codes:
        turned = orient(labels, code)
        assert np.allclose(label_center(turned), label_center(labels), atol=1e-6), code
    directions = {orient(labels, code).geometry.direction for code in codes}
    assert len(directions) == 48


@pytest.mark.parametrize("name", CENTERS)
def test_vessels_outshine_the_background_on_the_labels_grid(name, sphere, quick):
    image, labels = acquire(sphere(), quick(name), seed=2, model="light")
    assert image.geometry == labels.geometry
    assert set(np.unique(labels.array)) == {0, 1, 2}
    lumen, rest = image.array[labels.array > 0], image.array[labels.array == 0]
    assert lumen.mean() > rest.mean() + 3 * rest.std()
    assert np.median(lumen) > np.percentile(rest, 99)


@pytest.mark.parametrize("name", ["B", "C"])
def test_cone_beam_contrast(name, sphere, quick, needs_rtk):
    needs_rtk()
    image, labels = acquire(sphere(), quick(name), seed=2, model="cone_beam")
    assert image.geometry == labels.geometry
    lumen, rest = image.array[labels.array > 0], image.array[labels.array == 0]
    assert np.median(lumen) > np.percentile(rest, 97)


@pytest.mark.parametrize("model", ["light", "cone_beam"])
def test_seed_decides(model, sphere, quick, needs_rtk):
    if model == "cone_beam":
        needs_rtk()
    protocol = quick("D")
    first, _ = acquire(sphere(), protocol, seed=5, model=model)
    again, _ = acquire(sphere(), protocol, seed=5, model=model)
    other, _ = acquire(sphere(), protocol, seed=6, model=model)
    assert np.array_equal(first.array, again.array)
    assert first.geometry == again.geometry
    assert not np.array_equal(first.array, other.array)


def test_head_is_there_unless_subtracted(quick):
    labels = make_phantom(1, size_mm=32.0, spacing_mm=0.8)
    changes = {"storage": "hounsfield", "window_hu": (-1000.0, 4000.0)}
    plain, labels_plain = acquire(labels, quick("A", **changes), seed=1, model="light")
    subtracted, labels_subtracted = acquire(labels, quick("B", **changes), seed=1, model="light")
    tissue = plain.array[labels_plain.array == 0]
    empty = subtracted.array[labels_subtracted.array == 0]
    assert (tissue > 500).mean() > 0.05  # bone
    assert abs(np.median(empty)) < 30


@pytest.mark.parametrize(
    ("storage", "kind", "top"),
    [("hounsfield", np.int16, 3000), ("unsigned12", np.uint16, 4095), ("window8", np.uint8, 255)],
)
def test_storage(storage, kind, top, quick):
    protocol = quick("A", storage=storage, window_hu=(-500.0, 3000.0))
    stored = quantize(np.array([-2000.0, -500.0, 3000.0, 9000.0], np.float32), protocol)
    assert stored.dtype == kind
    assert stored[0] == stored[1]
    assert stored[2] == stored[3] == top


def test_cone_beam_without_rtk_says_what_to_do(monkeypatch, sphere, quick):
    monkeypatch.setattr(acquisition, "has_rtk", lambda: False)
    with pytest.raises(UserError, match="itk-rtk"):
        acquire(sphere(), quick(), seed=1, model="cone_beam")
    assert acquisition.resolve_model("auto") == "light"
