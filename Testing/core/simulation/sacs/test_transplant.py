"""Sacs on a fork of tubes: where they go, how large they are, and what is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from gsema_core.files import write_labels
from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.sacs import SacLibrary, SacPlan, draw_plan, transplant
from gsema_core.simulation.sacs.fusiform import Widened, widen
from gsema_core.simulation.sacs.sac_placing import Placed, is_cap, place_sac
from gsema_core.simulation.sacs.sac_plan import PLACES, SIZES_MM
from gsema_core.simulation.sacs.sac_shape import parametric_shape
from gsema_core.simulation.sacs.sac_sites import SacSite
from gsema_core.simulation.trees.artery_tree import ArteryTree

SPACING = 0.5
SHAPE = (64, 64, 64)


def tube(labels: np.ndarray, start: tuple, stop: tuple, radius: float) -> None:
    grid = np.stack(np.indices(labels.shape), axis=-1).astype(float)
    line = np.subtract(stop, start).astype(float)
    share = np.clip((grid - start) @ line / (line @ line), 0.0, 1.0)
    distance = np.linalg.norm(grid - (start + share[..., None] * line), axis=-1)
    labels[distance <= radius] = 1


@pytest.fixture(scope="module")
def fork() -> ArteryTree:
    """A trunk from below, in the middle of a cube of 32 mm, that divides into a T."""
    labels = np.zeros(SHAPE, np.uint8)
    tube(labels, (0, 32, 32), (34, 32, 32), 4.0)
    tube(labels, (34, 32, 4), (34, 32, 60), 3.0)
    return ArteryTree.of(Volume(labels, Geometry(SHAPE, (SPACING,) * 3)), "fork")


def put(tree: ArteryTree, plan: SacPlan, seed: int = 0, box=((0, 0, 0), SHAPE)):
    labels = tree.labels.copy()
    refused: Counter[str] = Counter()
    corners = np.array(box[0]), np.array(box[1])
    filled = np.ones(len(tree.voxels), bool)
    rng = np.random.default_rng(seed)
    return labels, transplant(tree, labels, corners, filled, None, rng, plan, refused), refused


@pytest.mark.parametrize("size", [2.0, 4.5, 8.0])
@pytest.mark.parametrize("place", ["bifurcation", "side"])
def test_a_sac_of_the_size_and_at_the_place_that_was_planned(fork, place, size):
    labels, record, refused = put(fork, SacPlan(place, size, False, True, False))
    assert record is not None, refused
    assert record["place"] == place
    assert record["diameter_mm"] == pytest.approx(size, rel=0.3)
    changed = labels != fork.labels
    assert (labels[changed] == 2).all() and not fork.labels[changed].any()
    assert record["volume_mm3"] == pytest.approx(changed.sum() * SPACING**3, abs=0.1)
    apart = np.linalg.norm(np.array(record["point_kji"]) - (34, 32, 32)) * SPACING
    assert (apart < 4.0) == (place == "bifurcation")


def test_the_neck_continues_the_wall_and_the_mouth_is_open(fork):
    labels, record, refused = put(fork, SacPlan("side", 6.0, True, True, False))
    assert record is not None, refused
    mouth = ndimage.binary_dilation(labels == 2) & (labels == 1)
    assert mouth.sum() * SPACING**2 > 0.4 * np.pi * (record["neck_mm"] / 2) ** 2
    away = np.linalg.norm(np.argwhere(mouth) - record["point_kji"], axis=1) * SPACING
    assert away.max() < record["neck_mm"] / 2 + record["vessel_radius_mm"] + 1.0


def test_nothing_leaves_the_box_and_nothing_is_changed_where_nothing_fits(fork):
    plan = SacPlan("side", 8.0, False, True, False)
    labels, record, refused = put(fork, plan, box=((2, 26, 26), (30, 38, 38)))
    assert record is None and refused["no site left"] == 1
    assert np.array_equal(labels, fork.labels)
    labels, record, _ = put(fork, plan, box=((0, 0, 0), (34, 64, 64)))
    assert record is not None
    assert np.argwhere(labels == 2)[:, 0].max() < 34 - 2.0 / SPACING


def test_a_sac_keeps_away_from_other_lumen(fork):
    """A plate of lumen 5 mm from the wall leaves no room for a sac of 8 mm."""
    axis = np.array([0.0, 1.0, 0.0])
    site = SacSite(
        int(fork.number_at((16, 32, 32))), np.array([16, 32, 32.0]), 2.0, axis, 2.1, "side"
    )
    shape = parametric_shape(8.0, (0.4, 0.5), np.random.default_rng(3))
    box = np.zeros(3, int), np.array(SHAPE)
    told = []
    for plate in (False, True):
        labels = fork.labels.copy()
        if plate:
            labels[:, 46] = 1
        told.append(place_sac(fork, labels, box, site, shape, 8.0, np.random.default_rng(0)))
    assert isinstance(told[0], Placed)
    assert told[1] == "touches lumen away from its neck"


def test_caps_are_told_from_sacs():
    voxels = np.zeros((1, 3), int)
    hemisphere = Placed(voxels, 6.0, 6.0, 56.5, 3.1)
    assert not is_cap(hemisphere, 6.0)
    assert is_cap(replace(hemisphere, height_mm=2.9), 6.0)
    assert is_cap(replace(hemisphere, volume_mm3=20.0), 6.0)
    assert is_cap(Placed(voxels, 2.2, 2.0, 2.5, 1.5), 2.2)
    assert not is_cap(Placed(voxels, 1.5, 1.0, 1.2, 1.2), 1.5)


def test_a_fusiform_piece_lies_beyond_the_normal_radius(fork):
    labels, record, refused = put(fork, SacPlan("fusiform", 7.0, False, True, False), seed=3)
    assert record is not None, refused
    sac = np.argwhere(labels == 2)
    assert not fork.labels[tuple(sac.T)].any()
    assert np.array_equal(labels > 0, (labels == 2) | (fork.labels > 0))
    assert record["diameter_mm"] > 1.5 * 2 * record["vessel_radius_mm"]
    extent = (sac.max(axis=0) - sac.min(axis=0) + 1) * SPACING
    assert extent.max() <= max(7.0 + 2.0, record["diameter_mm"] + 1.0)


def test_a_fusiform_piece_is_longer_than_the_artery_is_wide(fork):
    box = np.zeros(3, int), np.array(SHAPE)
    voxel = int(fork.number_at((14, 32, 32)))
    rng = np.random.default_rng(0)
    assert widen(fork, fork.labels, box, voxel, 4.0, rng) == "as wide as long"
    assert isinstance(widen(fork, fork.labels, box, voxel, 8.0, rng), Widened)


def test_where_an_artery_is_too_narrow_it_is_widened_to_its_normal_radius_first(fork):
    aside = np.hypot(*(np.indices(SHAPE)[1:] - 32))
    labels = fork.labels.copy()
    labels[12:17][aside[12:17] > 2] = 0
    box = np.zeros(3, int), np.array(SHAPE)
    voxel = int(fork.number_at((14, 32, 32)))
    widened = widen(fork, labels, box, voxel, 8.0, np.random.default_rng(0))
    assert isinstance(widened, Widened) and len(widened.vessel)
    assert aside[tuple(widened.vessel.T)].max() < 4.6
    assert aside[tuple(widened.sac.T)].min() > 3.5  # a trunk of 4 voxels' radius


def test_plans_hold_the_shares_of_places_and_sizes():
    rng = np.random.default_rng(0)
    plans = [draw_plan(rng) for _ in range(4000)]
    for place, share in PLACES.items():
        assert np.mean([plan.place == place for plan in plans]) == pytest.approx(share, abs=0.03)
    sacs = [plan.diameter_mm for plan in plans if plan.place != "fusiform"]
    assert min(sacs) >= 1.5 and max(sacs) <= 25.0
    for (low, high), share in SIZES_MM.items():
        assert np.mean([low <= size < high for size in sacs]) == pytest.approx(share, abs=0.03)


def test_the_same_seed_puts_the_same_sac(fork):
    plan = SacPlan("bifurcation", 5.0, True, True, False)
    first, second, other = (put(fork, plan, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_a_library_gives_other_patients_sacs_alone(fork, tmp_path):
    labels = fork.labels.copy()
    grid = np.stack(np.indices(SHAPE), axis=-1)
    ball = np.linalg.norm(grid - (16, 32, 43), axis=-1) <= 8
    labels[ball & (labels == 0)] = 2
    write_labels(Volume(labels, fork.geometry), tmp_path / "donor.nrrd")
    library = SacLibrary((("donor", tmp_path / "donor.nrrd"), ("fork", tmp_path / "missing.nrrd")))
    rng = np.random.default_rng(0)
    shape = library.draw("fork", rng)
    assert shape is not None and shape.name == "donor 1/1"
    assert shape.diameter_mm == pytest.approx(16 * SPACING, abs=0.6)
    # The ball's middle lies 11 voxels from the tube's, whose wall is at 4.
    assert shape.height_mm == pytest.approx((11 + 8 - 4) * SPACING, abs=0.7)
    along = shape.signed_mm(np.linspace(0, 9, 91)[:, None] * (1.0, 0.0, 0.0))
    # The middle; the smoothing takes a voxel off the tip of a cone.
    assert along.min() == pytest.approx(-7 * SPACING, abs=0.3)
    assert np.argmax(along > 0) / 10 == pytest.approx(shape.height_mm, abs=0.3)
    changed = fork.labels.copy()
    box = np.zeros(3, int), np.array(SHAPE)
    filled = np.ones(len(fork.voxels), bool)
    plan = SacPlan("bifurcation", 6.0, False, False, True)
    record = transplant(fork, changed, box, filled, library, rng, plan)
    assert record is not None and record["shape"] == "donor 1/1 with a bleb"
