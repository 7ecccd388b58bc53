"""Fields of view of many sizes, anywhere on a tree."""

from __future__ import annotations

import numpy as np

from gsema_core.simulation.trees.field_of_view import draw_field


def test_a_field_holds_what_it_is_drawn_around(tree):
    # Even beyond the arteries' extent, within which a field stays otherwise.
    low, high = np.array([124, 26, 10]), np.array([128, 32, 15])
    for seed in range(30):
        view = draw_field(tree, low, high, np.random.default_rng(seed))
        grid = view.geometry(tree)
        first, last = (
            grid.world_to_index(tree.geometry.index_to_world(corner[::-1]))
            for corner in (low, high - 1)
        )
        assert (first > 0).all() and (last < np.array(grid.size) - 1).all()


def test_sizes_and_voxels_stay_within_those_of_scanners(tree):
    views = [
        draw_field(tree, np.full(3, 20), np.full(3, 21), np.random.default_rng(seed))
        for seed in range(300)
    ]
    sizes, spacings = np.array([v.size_mm for v in views]), np.array([v.spacing_mm for v in views])
    assert 40.0 <= sizes.min() < 45.0 and 120.0 < sizes.max() <= 130.0
    assert 0.15 <= spacings.min() < 0.2 and spacings.max() == 0.6
    assert (sizes.prod(axis=1) / spacings**3).max() < 2.01e7


def test_the_box_is_the_part_of_the_field_on_the_tree(tree):
    view = draw_field(tree, np.full(3, 20), np.full(3, 21), np.random.default_rng(0))
    low, high = view.box(tree)
    assert (low >= 0).all() and (high <= tree.labels.shape).all() and (low < high).all()
