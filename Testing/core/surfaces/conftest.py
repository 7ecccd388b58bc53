"""Label maps of exact shapes in any place, turn and spacing, and what their walls measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume

Inside = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Shapes:
    """Draws labels; positions are mm from the middle of the array, in LPS."""

    rng: np.random.Generator

    def direction(self) -> np.ndarray:
        vector = self.rng.standard_normal(3)
        return vector / np.linalg.norm(vector)

    def draw(
        self,
        half_mm: float,
        vessel: Inside,
        sac: Inside | None = None,
        spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
        direction: np.ndarray | None = None,
    ) -> Volume:
        """A cube of 2 ``half_mm``, whose middle is at (0, 0, 0) give or take half a voxel."""
        size = tuple(int(np.ceil(2 * half_mm / side)) for side in spacing)
        turn = np.eye(3) if direction is None else direction
        middle = (np.array(size) - 1) / 2 * np.array(spacing)
        origin = -turn @ (middle + self.rng.uniform(-0.5, 0.5, 3) * spacing)
        grid = Geometry(size, spacing, tuple(origin), tuple(turn.reshape(-1)))
        indices = np.moveaxis(np.indices(grid.shape), 0, -1)[..., ::-1].reshape(-1, 3)
        points = grid.index_to_world(indices)
        labels = vessel(points).astype(np.uint8)
        if sac is not None:
            labels[sac(points)] = 2
        return Volume(labels.reshape(grid.shape), grid)

    @staticmethod
    def tube(axis: np.ndarray, radius: float, half_mm: float = np.inf) -> Inside:
        """A straight tube through (0, 0, 0), cut flat at both ends."""

        def inside(points: np.ndarray) -> np.ndarray:
            along = points @ axis
            across = np.linalg.norm(points - along[:, None] * axis, axis=1)
            return (across <= radius) & (abs(along) <= half_mm)

        return inside

    @staticmethod
    def ball(center: np.ndarray, radius: float) -> Inside:
        return lambda points: np.linalg.norm(points - center, axis=1) <= radius

    @staticmethod
    def segment(start: np.ndarray, end: np.ndarray, radius: float) -> Inside:
        """A tube with round ends."""

        def inside(points: np.ndarray) -> np.ndarray:
            way = end - start
            share = np.clip((points - start) @ way / (way @ way), 0, 1)
            return np.linalg.norm(points - start - share[:, None] * way, axis=1) <= radius

        return inside

    @staticmethod
    def union(*insides: Inside) -> Inside:
        return lambda points: np.logical_or.reduce([inside(points) for inside in insides])


@pytest.fixture
def shapes() -> Shapes:
    return Shapes(np.random.default_rng(7))
