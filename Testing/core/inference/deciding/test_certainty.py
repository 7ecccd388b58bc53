from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry
from gsema_core.inference.deciding.certainty import certainty_at, drop_uncertain_aneurysms
from gsema_core.inference.shares import FULL
from gsema_core.labels import ANEURYSM, VESSEL


@pytest.fixture(params=[np.float32, np.uint16])
def probabilities(request):
    """A vessel with two sacs: the teacher is sure of the first one, and of a spot in the second."""
    array = np.zeros((3, 12, 12, 24), np.float32)
    array[VESSEL, 4:8, 4:8] = 0.9
    for start, share in ((3, 0.95), (15, 0.7)):
        sac = np.array([0.05, 0.95 - share, share])
        array[:, 4:8, 4:8, start : start + 5] = sac[:, None, None, None]
    array[:, 5:7, 5:7, 17] = np.array([0.0, 0.0, 1.0])[:, None, None]
    foreground = array[1:]
    return (
        np.rint(foreground * FULL).astype(np.uint16) if request.param is np.uint16 else foreground
    )


def without_uncertain(foreground, minimum_mean):
    drop_uncertain_aneurysms(foreground, minimum_mean)
    return foreground


def test_what_is_dropped_is_told(probabilities):
    (dropped,) = drop_uncertain_aneurysms(probabilities, 0.9)
    assert dropped.voxels == 80
    assert dropped.mean == pytest.approx(0.7 + 0.3 * 4 / 80, abs=1e-3)
    assert dropped.center_ijk == (17.0, 5.5, 5.5)
    assert drop_uncertain_aneurysms(probabilities, 0.9) == []


def classes(foreground):
    one = FULL if foreground.dtype == np.uint16 else 1
    shares = foreground.astype(np.float64) / one
    return np.argmax(np.concatenate([1 - shares.sum(0, keepdims=True), shares]), axis=0)


def test_a_sac_that_is_sure_in_a_spot_only_becomes_vessel(probabilities):
    before = classes(probabilities.copy())
    after = classes(without_uncertain(probabilities, 0.9))
    first, second = before[..., :12], before[..., 12:]
    assert np.array_equal(after[..., :12], first) and (first == ANEURYSM).any()
    assert (second == ANEURYSM).any() and not (after[..., 12:] == ANEURYSM).any()
    assert np.all(after[..., 12:][second == ANEURYSM] == VESSEL)


def test_the_background_stays_as_it_is(probabilities):
    before = probabilities.sum(0, dtype=float)
    after = without_uncertain(probabilities, 0.9).sum(0, dtype=float)
    np.testing.assert_allclose(after, before, rtol=1e-6)


@pytest.mark.parametrize("minimum_mean", [0.0, 0.5, 0.71])
def test_low_bars_keep_both(probabilities, minimum_mean):
    before = probabilities.copy()
    assert np.array_equal(without_uncertain(probabilities, minimum_mean), before)


def test_two_components_that_nearly_touch_are_judged_apart(probabilities):
    """The margin of a dropped sac must not eat its sure neighbor."""
    near = np.concatenate([probabilities[..., 3:8], probabilities[..., 8:9]], axis=-1)
    near = np.concatenate([near, probabilities[..., 15:20]], axis=-1)
    after = classes(without_uncertain(near, 0.9))
    assert (after[..., :5] == ANEURYSM).sum() == 4 * 4 * 5
    assert not (after[..., 6:] == ANEURYSM).any()


def test_nothing_there_is_fine():
    empty = np.zeros((2, 4, 4, 4), np.float32)
    assert (classes(without_uncertain(empty, 0.9)) == 0).all()


@pytest.mark.parametrize(("start", "mean"), [(3, 0.95), (15, 0.7 + 0.3 * 4 / 80)])
def test_certainty_is_the_mean_where_an_aneurysm_is_likeliest(probabilities, start, mean):
    grid = Geometry((24, 12, 12), (0.5, 0.5, 0.5), (-3.0, 2.0, 9.0))
    k, j, i = np.mgrid[3:9, 3:9, start - 1 : start + 6]  # a voxel beyond the sac on all sides
    points = grid.index_to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3) + 0.2)
    assert certainty_at(probabilities, grid, points) == pytest.approx(mean, abs=2 / FULL)
    assert certainty_at(probabilities, grid, points[:1]) is None
