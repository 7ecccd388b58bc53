from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.grids.boxes import (
    bounding_box,
    box_geometry,
    box_of,
    common_box,
    covering_box,
    grown,
    moved,
)

BOX = box_of((2, 3, 4), (5, 6, 7))


def test_a_box_knows_where_it_lies(oblique: Geometry) -> None:
    part = box_geometry(oblique, BOX)
    assert part.shape == (5, 6, 7) == np.zeros(oblique.shape)[BOX].shape
    np.testing.assert_allclose(part.index_to_world((1, 2, 3)), oblique.index_to_world((5, 5, 5)))
    assert part.spacing == oblique.spacing


def test_moving_growing_and_joining() -> None:
    assert moved(BOX, (1, -2, 3)) == box_of((3, 1, 7), (5, 6, 7))
    limit = box_of((1, 0, 0), (7, 20, 12))
    assert grown(BOX, (2, 1, 9), limit) == box_of((1, 2, 0), (7, 8, 12))
    other = box_of((0, 9, 5), (1, 2, 1))
    assert common_box([BOX, other]) == box_of((0, 3, 4), (7, 8, 7))
    assert common_box([BOX]) == BOX


def test_the_box_around_a_mask() -> None:
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2, 3, 4] = mask[5, 3, 8] = True
    assert bounding_box(mask) == box_of((2, 3, 4), (4, 1, 5))


@pytest.mark.parametrize("spacing", [0.3, 0.5, 1.9])
def test_the_covering_box_has_just_the_voxels_inside(oblique: Geometry, spacing: float) -> None:
    source = box_geometry(oblique, BOX)
    size = (40, 41, 42)
    turned = oblique.direction_matrix[:, [2, 0, 1]] * [1, -1, 1]
    target = Geometry(size, (spacing,) * 3, source.center, tuple(turned.reshape(-1)))
    shifted = target.index_to_world(-np.array(size) / 2 + 0.0137)  # no center on a face
    target = Geometry(size, (spacing,) * 3, tuple(shifted), target.direction)  # type: ignore[arg-type]
    k, j, i = np.indices(target.shape).reshape(3, -1)
    places = source.world_to_index(target.index_to_world(np.stack([i, j, k], axis=1)))
    inside = ((places >= -0.5) & (places <= np.array(source.size) - 0.5)).all(axis=1)
    found: Any = covering_box(source, target)
    assert found == bounding_box(inside.reshape(target.shape))


def test_no_voxel_of_the_target_inside() -> None:
    grid = Geometry((10, 10, 10))
    assert covering_box(Geometry((3, 3, 3), origin=(20.0, 0.0, 0.0)), grid) is None
    between = Geometry((1, 1, 1), (0.2, 0.2, 0.2), (4.5, 4.0, 4.0))
    assert covering_box(between, grid) is None
    assert covering_box(grid, grid) == box_of((0, 0, 0), (10, 10, 10))
