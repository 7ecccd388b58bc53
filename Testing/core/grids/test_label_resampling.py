from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.label_resampling import labels_on_grid

GRID = Geometry((12, 14, 16), (0.5, 0.6, 0.8), (3.0, -4.0, 5.0))


def boxes(grid: Geometry = GRID) -> Volume:
    array = np.zeros(grid.shape, np.uint8)
    array[4:8, 3:9, 2:7] = 1
    array[8:12, 3:9, 2:7] = 2
    return Volume(array, grid)


def test_the_same_grid_changes_nothing() -> None:
    assert np.array_equal(labels_on_grid(boxes(), GRID).array, boxes().array)


def test_axes_in_another_order_and_sense_lose_nothing() -> None:
    """The same voxels, stored with i and k exchanged and j reversed."""
    direction = (0, 0, 1, 0, -1, 0, 1, 0, 0)
    size, spacing = GRID.size[::-1], GRID.spacing[::-1]
    origin = tuple(GRID.index_to_world((0, GRID.size[1] - 1, 0)))
    turned = Geometry(size, spacing, origin, direction)
    result = labels_on_grid(boxes(), turned)
    assert np.array_equal(result.array, boxes().array.transpose(2, 1, 0)[:, ::-1])


def test_finer_and_back() -> None:
    """Layers, as linear shares round the edges of boxes."""
    layers = np.zeros(GRID.shape, np.uint8)
    layers[4:8], layers[8:12] = 1, 2
    fine = Geometry(
        tuple(3 * n for n in GRID.size),
        tuple(step / 3 for step in GRID.spacing),
        tuple(GRID.index_to_world((-1 / 3,) * 3)),
    )
    finer = labels_on_grid(Volume(layers, GRID), fine)
    assert np.array_equal(finer.array, layers.repeat(3, 0).repeat(3, 1).repeat(3, 2))
    assert np.array_equal(labels_on_grid(finer, GRID).array, layers)


def test_a_ball_keeps_its_volume_on_a_turned_grid() -> None:
    places = np.mgrid[:30, :30, :30]
    ball = (np.linalg.norm(places - 14.5, axis=0) <= 8).astype(np.uint8)
    source = Geometry((30, 30, 30))
    angle = np.deg2rad(30)
    turn = (np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1)
    target = Geometry((50, 50, 50), (0.8, 0.8, 0.8), direction=turn)
    middle = np.subtract(source.center, target.center)
    target = dataclasses.replace(target, origin=tuple(middle))
    result = labels_on_grid(Volume(ball, source), target)
    volume = np.count_nonzero(result.array) * target.voxel_volume_mm3
    assert volume == pytest.approx(ball.sum(), rel=0.02)


def test_beyond_the_box_all_is_background() -> None:
    full = Volume(np.full((2, 2, 2), 2, np.uint8), Geometry((2, 2, 2)))
    larger = Geometry((6, 2, 2), origin=(-2.0, 0.0, 0.0))
    assert labels_on_grid(full, larger).array[0, 0].tolist() == [0, 0, 2, 2, 0, 0]
