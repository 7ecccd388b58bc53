from __future__ import annotations

import numpy as np

from gsema_core.surfaces.crossing_triangles import crossing_triangles


def test_only_what_crosses_is_found() -> None:
    flat = [[0.0, 0, 0], [4, 0, 0], [0, 4, 0]]
    through = [[1.0, 1, -1], [1, 1, 1], [1, 2, 2]]
    above = [[1.0, 1, 1], [2, 1, 1], [1, 2, 1]]
    beside = [[5.0, 5, -1], [5, 5, 1], [6, 5, 0]]
    points = np.array([*flat, *through, *above, *beside])
    assert crossing_triangles(points, np.arange(12).reshape(4, 3)).tolist() == [[0, 1]]


def test_neighbors_do_not_cross() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])
    assert len(crossing_triangles(points, np.array([[0, 1, 2], [1, 3, 2]]))) == 0


def test_a_surface_through_another_is_found(shapes: object) -> None:
    k, j = np.indices((9, 9)).reshape(2, -1)
    grid = np.stack([k, j, np.zeros(81)], axis=1).astype(float)
    first = (np.arange(8)[:, None] * 9 + np.arange(8)).ravel()
    faces = np.concatenate([np.stack([first, first + 9, first + 1], 1),
                            np.stack([first + 1, first + 9, first + 10], 1)])  # fmt: skip
    tilted = grid @ np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) + [1.3, 0.2, -2.1]
    both = np.vstack([grid, tilted]), np.vstack([faces, faces + 81])
    crossing = crossing_triangles(*both)
    assert len(crossing) > 10
    assert ((crossing < 128).sum(axis=1) == 1).all()  # one of each sheet
    assert len(crossing_triangles(grid, faces)) == 0
