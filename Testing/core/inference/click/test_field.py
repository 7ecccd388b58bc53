from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gsema_core.grids.boxes import box_of
from gsema_core.inference.click.field import Surroundings, window_box, window_centers
from gsema_core.inference.windows.sliding_window import blend_windows, softmax
from gsema_core.inference.windows.window_plan import plan_windows
from gsema_core.machine import Computing

WINDOW = (16, 16, 16)
NO_CLICKS = np.empty((0, 3))
FP32 = Computing.of("cpu", "fp32")


@pytest.mark.parametrize(
    ("center", "start"),
    [
        ((20, 20, 20), (12, 12, 12)),
        ((19.5, 19.5, 19.5), (12, 12, 12)),
        ((0, -0.5, 3), (0, 0, 0)),
        ((39.5, 39, 29), (24, 24, 14)),
    ],
)
def test_the_window_is_centered_and_stays_inside(center: Any, start: Any) -> None:
    assert window_box(center, (40, 40, 30), WINDOW) == box_of(start, WINDOW)


def test_an_image_smaller_than_the_window_cuts_it_off() -> None:
    assert window_box((5, 5, 30), (10, 16, 40), WINDOW) == box_of((0, 0, 22), (10, 16, 16))


def test_the_first_windows_lie_around_all_clicks() -> None:
    one, near, far = (20.3, 20.0, 20.0), (28.3, 20.0, 14.0), (20.0, 20.0, 60.0)

    def centers(*inside: Any, outside: Any = ()) -> Any:
        points = (np.array(each, dtype=float).reshape(-1, 3) for each in (inside, outside))
        return [tuple(center) for center in window_centers(*points, WINDOW)]

    assert centers(one) == centers(one, (24.0, 16.0, 25.0)) == [one]
    assert centers(one, near) == centers(one, outside=[near]) == [(24.3, 20.0, 17.0)]
    assert centers(one, far, near) == [(24.3, 20.0, 17.0), far]
    assert centers(one, outside=[far]) == [one]


def test_each_window_gets_the_clicks_in_its_own_voxels() -> None:
    seen = []

    def predict(patch: Any, inside: Any, outside: Any) -> Any:
        seen.append((inside.tolist(), outside.tolist()))
        return np.stack([patch] * 2)

    image = np.zeros((40, 40, 40), np.float32)
    inside, outside = np.array([(20.0, 21.0, 22.5)]), np.array([(3.0, 4.0, 5.0)])
    Surroundings(image, WINDOW, predict, inside, outside).look_at((20, 20, 20))
    assert seen == [([[8.0, 9.0, 10.5]], [[-9.0, -8.0, -7.0]])]


def test_windows_are_blended_as_for_a_whole_scan(random_network: Any) -> None:
    image = np.random.default_rng(5).random((16, 24, 40), dtype=np.float32)

    def predict(patch: Any, *clicks: Any, **changes: Any) -> Any:
        plan, padded = plan_windows(patch, WINDOW, 0.5)
        plan = replace(plan, **changes)
        return blend_windows(lambda patches: softmax(random_network, patches, FP32), padded, plan)

    surroundings = Surroundings(image, WINDOW, predict, NO_CLICKS, NO_CLICKS)
    for center in ((8, 8, 10), (8, 12, 18), (8, 16, 20)):
        surroundings.look_at(center)
    assert surroundings.windows == 3
    field = surroundings.field()
    expected = predict(image, starts=((0, 0, 2), (0, 4, 10), (0, 8, 12)))
    assert field.box == box_of((0, 0, 2), (16, 24, 26))
    assert 0 < (~field.seen).sum() < field.seen.size
    seen = (slice(None), field.seen)
    inside = (slice(None), *field.box)
    np.testing.assert_allclose(field.shares[seen], expected[inside][seen], atol=1e-6)
    assert not field.shares[:, ~field.seen].any()
    np.testing.assert_array_equal(field.aneurysm, field.shares[1])
    np.testing.assert_array_equal(field.start_kji, (0, 0, 2))


def test_the_frontier_is_where_the_scan_goes_on_unseen() -> None:
    image = np.zeros((16, 20, 40), np.float32)
    surroundings = Surroundings(
        image, WINDOW, lambda image, *clicks: np.stack([image] * 2), NO_CLICKS, NO_CLICKS
    )
    surroundings.look_at((8, 0, 20))
    field = surroundings.field()
    assert field.box == box_of((0, 0, 12), WINDOW)
    frontier = surroundings.frontier(field, np.ones(WINDOW, dtype=bool))
    expected = np.zeros(WINDOW, dtype=bool)
    expected[:, -1] = expected[:, :, 0] = expected[:, :, -1] = True
    np.testing.assert_array_equal(frontier, expected)
    only = np.zeros(WINDOW, dtype=bool)
    only[3, 4, 5:] = True
    np.testing.assert_array_equal(np.argwhere(surroundings.frontier(field, only)), [(3, 4, 15)])
    surroundings.look_at((8, 19, 20))
    field = surroundings.field()
    frontier = surroundings.frontier(field, np.ones((16, 20, 16), dtype=bool))
    assert not frontier[:, :, 1:-1].any()
    assert frontier[:, :, [0, -1]].all()
