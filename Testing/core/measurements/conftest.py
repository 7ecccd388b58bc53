"""Vessels and aneurysms whose measures are known by formula, on grids of every kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.labels import ANEURYSM, VESSEL

Region = Callable[[np.ndarray], np.ndarray]
"""Tells which of (..., 3) points, in mm from the middle of the volume, lie inside."""


def _rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[one, one, two, two], [one, two, one, two]] = c, -s, s, c
    return matrix


_OBLIQUE = _rotation(2, 20) @ _rotation(0, -35) @ _rotation(1, 50)
_DIRECTIONS = {
    "plain": np.eye(3),
    "flipped": np.diag([-1.0, 1.0, -1.0]),
    "left-handed": np.diag([1.0, 1.0, -1.0]),
    "oblique": _OBLIQUE,
    "oblique, permuted": _rotation(0, 63) @ _OBLIQUE @ np.eye(3)[:, [2, 0, 1]],
}
_SPACINGS = {"cubic": (0.3, 0.3, 0.3), "anisotropic": (0.25, 0.3, 0.5)}


@pytest.fixture(
    params=[(direction, spacing) for direction in _DIRECTIONS for spacing in _SPACINGS],
    ids=lambda kind: ", ".join(kind),
)
def grid(request: pytest.FixtureRequest) -> Geometry:
    """A grid 20 mm wide."""
    direction, spacing = _DIRECTIONS[request.param[0]], _SPACINGS[request.param[1]]
    i, j, k = (round(20 / side) for side in spacing)
    return Geometry((i, j, k), spacing, (11.0, -52.0, 7.5), tuple(direction.reshape(-1)))


@pytest.fixture
def plain() -> Geometry:
    """A grid 20 mm wide, cubic and not turned."""
    return Geometry((67, 67, 67), (0.3, 0.3, 0.3))


def _ball(center: Sequence[float], radius: float) -> Region:
    return lambda points: np.linalg.norm(points - np.array(center), axis=-1) <= radius


def _ellipsoid(center: Sequence[float], axes: Sequence[float]) -> Region:
    return lambda points: (((points - np.array(center)) / axes) ** 2).sum(axis=-1) <= 1


def _tube(start: Sequence[float], end: Sequence[float], radius: float) -> Region:
    first, along = np.array(start, dtype=float), np.subtract(end, start).astype(float)

    def inside(points: np.ndarray) -> np.ndarray:
        share = np.clip((points - first) @ along / (along @ along), 0, 1)
        return np.linalg.norm(points - first - share[..., None] * along, axis=-1) <= radius

    return inside


def _half_space(normal: Sequence[float], offset: float) -> Region:
    return lambda points: points @ np.array(normal, dtype=float) <= offset


@pytest.fixture
def ball() -> Callable[..., Region]:
    return _ball


@pytest.fixture
def ellipsoid() -> Callable[..., Region]:
    return _ellipsoid


@pytest.fixture
def tube() -> Callable[..., Region]:
    """A tube with round ends between two points."""
    return _tube


@pytest.fixture
def half_space() -> Callable[..., Region]:
    return _half_space


@pytest.fixture
def draw() -> Callable[..., Volume]:
    """Draw regions into a label map, around a point a little off its middle.

    The vessels win where both lie.
    """

    def draw(geometry: Geometry, sacs: Sequence[Region], vessels: Sequence[Region] = ()) -> Volume:
        k, j, i = np.indices(geometry.shape)
        world = geometry.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3))
        points = world.reshape(*geometry.shape, 3) - _middle(geometry)
        array = np.zeros(geometry.shape, dtype=np.uint8)
        for value, regions in ((ANEURYSM, sacs), (VESSEL, vessels)):
            for region in regions:
                array[region(points)] = value
        return Volume(array, geometry)

    return draw


def _middle(geometry: Geometry) -> np.ndarray:
    return np.add(geometry.center, (0.13, -0.08, 0.05))


@pytest.fixture
def middle() -> Callable[[Geometry], np.ndarray]:
    """The point in mm (LPS) that ``draw`` draws around."""
    return _middle
