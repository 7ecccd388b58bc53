"""A straight artery with nothing else, so that what is added can be measured."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.simulation.mimics.courses import Box
from gsema_core.simulation.mimics.tubes import tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

RADIUS_MM, SPACING = 1.6, 0.5


@pytest.fixture(scope="session")
def artery() -> ArteryTree:
    """One artery of 32 mm that runs upward through the middle of a field of 24 mm."""
    labels = np.zeros((64, 48, 48), np.uint8)
    middle = np.stack([np.linspace(0, 63, 127), np.full(127, 24.0), np.full(127, 24.0)], axis=1)
    labels[tuple(tube_voxels(middle, RADIUS_MM, SPACING, labels.shape).T)] = 1
    return ArteryTree(labels, Geometry((48, 48, 64), (SPACING,) * 3, (0.0,) * 3), "tube")


@pytest.fixture(scope="session")
def field(artery: ArteryTree) -> Box:
    return np.zeros(3, int), np.array(artery.labels.shape)


@pytest.fixture(scope="session")
def filled(artery: ArteryTree) -> np.ndarray:
    return np.ones(len(artery.voxels), bool)
