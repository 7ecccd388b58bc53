"""A small tree whose ways, widths and crossings are known."""

from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.simulation.trees.artery_tree import ArteryTree

SPACING = 0.5


def draw_tube(labels: np.ndarray, start: tuple, stop: tuple, radius: float, value: int = 1) -> None:
    """Set the voxels within ``radius`` voxels of a straight line."""
    grid = np.stack(np.indices(labels.shape), axis=-1).astype(float)
    line = np.subtract(stop, start).astype(float)
    share = np.clip((grid - start) @ line / (line @ line), 0.0, 1.0)
    distance = np.linalg.norm(grid - (start + share[..., None] * line), axis=-1)
    labels[(distance <= radius) & (labels == 0)] = value


def fork() -> np.ndarray:
    """Two arteries from below that meet in a T, a sac on the left one, a loose piece on top."""
    labels = np.zeros((64, 40, 64), np.uint8)
    draw_tube(labels, (0, 20, 12), (40, 20, 12), 4.0)
    draw_tube(labels, (0, 20, 50), (40, 20, 50), 3.0)
    draw_tube(labels, (40, 20, 12), (40, 20, 50), 2.5)
    draw_tube(labels, (40, 20, 31), (56, 20, 31), 2.0)
    draw_tube(labels, (24, 28, 12), (24, 29, 12), 4.0, value=2)
    draw_tube(labels, (62, 20, 31), (63, 20, 31), 1.5)
    return labels


@pytest.fixture(scope="session")
def tree() -> ArteryTree:
    grid = Geometry((64, 40, 64), (SPACING,) * 3, (-10.0, 5.0, 20.0))
    return ArteryTree.of(Volume(fork(), grid), "fork")
