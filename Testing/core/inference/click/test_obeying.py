from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gsema_core.grids.components import connected_components
from gsema_core.inference.click.obeying import obey


def voxels(*points: Any) -> Any:
    return np.array(points, dtype=int).reshape(-1, 3)


def two_blocks() -> Any:
    mask = np.zeros((12, 12, 30), dtype=bool)
    mask[4:8, 4:8, 2:8] = mask[4:8, 4:8, 20:24] = True
    return mask


def test_an_answer_that_obeys_stays_as_it_is() -> None:
    mask = two_blocks()
    mask[..., 15:] = False
    result, notes = obey(mask, voxels((5, 5, 5)), voxels((5, 5, 20), (50, 0, 0)))
    np.testing.assert_array_equal(result, mask)
    assert notes == ()


def test_only_the_clicked_piece_stays_and_without_a_click_the_largest() -> None:
    assert obey(two_blocks(), voxels((5, 5, 21)), voxels())[0].sum() == 4 * 4 * 4
    assert obey(two_blocks(), voxels(), voxels())[0].sum() == 4 * 4 * 6


def test_two_clicked_pieces_are_joined_by_the_shortest_way() -> None:
    result, notes = obey(two_blocks(), voxels((5, 5, 5), (5, 5, 21)), voxels())
    assert connected_components(result)[1] == 1
    assert result.sum() == two_blocks().sum() + 12
    assert notes == ("12 voxel(s) were added to hold all points marked as aneurysm.",)


def test_a_way_leads_around_unwanted_voxels() -> None:
    mask = two_blocks()
    mask[..., 15:] = False
    wall = voxels(*np.argwhere(np.ones((9, 12)))[:, :2].repeat(1, axis=0) @ [[1, 0, 0], [0, 1, 0]])
    wall[:, 2] = 10
    result, _ = obey(mask, voxels((5, 5, 13)), wall)
    assert result[5, 5, 13]
    assert not result[tuple(wall.T)].any()
    assert connected_components(result)[1] == 1


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_clicked_is_obeyed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((10, 11, 12)) < 0.2
    places = rng.permutation(mask.size)[:9]
    points = np.stack(np.unravel_index(places, mask.shape), axis=1)
    result, notes = obey(mask, points[:4], points[4:])
    assert result[tuple(points[:4].T)].all()
    assert not result[tuple(points[4:].T)].any()
    assert connected_components(result)[1] == 1
    assert (len(notes) == 0) == bool((result <= mask).all() and not mask[tuple(points[4:].T)].any())
