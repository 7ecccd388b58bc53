"""Sacs on a fork of tubes: where they go, how large they are, and what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.sacs import SacPlan, transplant
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
