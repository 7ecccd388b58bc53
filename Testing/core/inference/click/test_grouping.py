from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.boxes import box_of
from gsema_core.inference.click.click_result import ClickResult, FoundAneurysm
from gsema_core.inference.click.grouping import group_clicks
from gsema_core.inference.click.points import Clicks

GRID = Geometry((40, 8, 8), (1.0, 1.0, 1.0))


def at(i: float) -> Any:
    return (i, 4.0, 4.0)


class Line:
    """A teacher that finds, along i, the interval of the first click that lies in or beside one.

    Its intervals overlap where they touch, until it is told what is outside.
    """

    def __init__(self, *intervals: tuple[int, int]) -> None:
        self.intervals = intervals
        self.asked: list[tuple[list[float], list[float]]] = []

    def __call__(self, inside: Any, outside: Any) -> ClickResult:
        wanted, unwanted = ([point[0] for point in points] for points in (inside, outside))
        self.asked.append((wanted, unwanted))
        for first, last in self.intervals:
            if first - 2 <= wanted[0] < last + 2:
                first = max([first, *(int(n) + 1 for n in unwanted if n < wanted[0])])
                last = min([last, *(int(n) for n in unwanted if n > wanted[0])])
                return self._result(inside, outside, first, last)
        return self._result(inside, outside, 0, 0)

    def _result(self, inside: Any, outside: Any, first: int, last: int) -> ClickResult:
        found: Any = None
        if last > first:
            array = np.full((8, 8, last - first), 2, np.uint8)
            grid = Geometry((last - first, 8, 8), GRID.spacing, (float(first), 0.0, 0.0))
            box = box_of((0, 0, first), array.shape)
            found = FoundAneurysm(Volume(array, grid), box, SimpleNamespace())  # type: ignore[arg-type]
        clicks = Clicks(tuple(inside), tuple(outside))
        place = clicks.inside[0]
        return ClickResult(clicks, 1.0, found, 0.5, 1.0, place, True, 1, {"notes": []}, GRID)


def grouped(teacher: Line, inside: Any, outside: Any = ()) -> Any:
    clicks = Clicks(tuple(map(at, inside)), tuple(map(at, outside)))
    return [
        ([p[0] for p in one.clicks.inside], [p[0] for p in one.clicks.outside], one)
        for one in group_clicks(clicks, teacher)
    ]


def test_points_in_one_aneurysm_refine_it_and_others_begin_new_ones() -> None:
    results = grouped(Line((5, 12), (20, 30)), [8, 25, 10])
    assert [one[:2] for one in results] == [([8, 10], []), ([25], [])]


def test_a_point_that_an_earlier_answer_lacks_refines_it_if_its_own_answer_is_the_same() -> None:
    """As where the first outline was drawn too small."""
    teacher = Line((5, 20))
    small = teacher._result([at(8)], (), 5, 12)

    def answer(inside: Any, outside: Any) -> ClickResult:
        return small if list(inside) == [at(8)] else teacher(inside, outside)

    (result,) = group_clicks(Clicks((at(8), at(16))), answer)
    assert [point[0] for point in result.clicks.inside] == [8, 16]


def test_a_point_beside_a_known_aneurysm_changes_nothing_and_is_told() -> None:
    ((inside, _, result),) = grouped(Line((5, 12)), [8, 13])
    assert inside == [8]
    assert "lies beside the aneurysm" in result.notes[0]
    assert result.report["notes"] == list(result.notes)


def test_each_point_that_finds_nothing_has_a_result() -> None:
    results = grouped(Line((5, 12)), [30, 8, 36])
    assert [one[0] for one in results] == [[30], [8], [36]]
    assert [one[2].found is None for one in results] == [True, False, True]


@pytest.mark.parametrize(("outside", "whose"), [(11, 0), (14, 0), (17, 1), (29, 1), (35, 1)])
def test_a_point_outside_counts_for_the_nearest(outside: int, whose: int) -> None:
    results = grouped(Line((5, 12), (20, 30)), [8, 25], [outside])
    assert [one[1] for one in results] == [[[outside], []], [[], [outside]]][whose]


def test_aneurysms_that_touch_get_each_others_points_as_outside() -> None:
    teacher = Line((5, 15), (13, 25))
    results = grouped(teacher, [8, 20])
    assert [one[:2] for one in results] == [([8], [20]), ([20], [8])]
    assert teacher.asked[2:] == [([8], [20]), ([20], [8])]
    assert "shares voxels" in results[1][2].notes[0]  # this teacher does not part them
    assert results[0][2].notes == ()
