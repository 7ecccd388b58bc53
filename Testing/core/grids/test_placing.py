from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import box_geometry
from gsema_core.grids.placing import put_on_grid


@pytest.fixture
def labels(geometry: Geometry) -> Volume:
    array = np.zeros(geometry.shape, np.uint8)
    array[2:5, 3:6, 1:4] = np.random.default_rng(0).integers(1, 3, (3, 3, 3))
    return Volume(array, geometry)


def test_what_is_cut_out_comes_back(labels: Volume) -> None:
    box = (slice(2, 5), slice(3, 6), slice(1, 4))
    part = Volume(labels.array[box], box_geometry(labels.geometry, box))
    placed = put_on_grid(part, labels.geometry)
    assert placed is not None
    assert placed.geometry == labels.geometry
    np.testing.assert_array_equal(placed.array, labels.array)
    again = put_on_grid(labels, part.geometry)  # and the other way round
    assert again is not None
    np.testing.assert_array_equal(again.array, part.array)


def test_no_label_is_lost(labels: Volume) -> None:
    box = (slice(2, 5), slice(3, 6), slice(2, 4))
    assert put_on_grid(labels, box_geometry(labels.geometry, box)) is None
    far = Geometry((3, 3, 3), labels.geometry.spacing, tuple(np.add(labels.geometry.origin, 900)))
    assert put_on_grid(labels, far) is None


@pytest.mark.parametrize(
    ("shift", "scale"), [((0.12, 0, 0), 1.0), ((0, 0, 0), 1.01), ((0.02, 0, 0), 1.0)]
)
def test_other_voxels_are_not_these(labels: Volume, shift: tuple[float, ...], scale: float) -> None:
    grid = labels.geometry
    spacing = tuple(np.multiply(grid.spacing, scale))
    moved = Geometry(grid.size, spacing, tuple(np.add(grid.origin, shift)), grid.direction)
    assert put_on_grid(labels, moved) is None


def test_rounding_is_no_difference(labels: Volume) -> None:
    grid = labels.geometry
    moved = Geometry(grid.size, grid.spacing, tuple(np.add(grid.origin, 0.004)), grid.direction)
    placed = put_on_grid(labels, moved)
    assert placed is not None and placed.geometry == moved
