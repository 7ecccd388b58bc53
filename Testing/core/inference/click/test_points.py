from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.grids import Geometry
from gsema_core.inference.click.points import check_point, describe

GRID = Geometry((10, 20, 30), (1.0, 0.5, 2.0), (5.0, 6.0, 7.0))


@pytest.mark.parametrize(
    "point", [(5.0, 6.0, 7.0), [14, 15, 65], np.array([4.5, 5.75, 6.0]), (14.5, 15.75, 66.0)]
)
def test_points_inside_up_to_the_outermost_faces(point: Any) -> None:
    checked = check_point(point, GRID)
    assert checked == tuple(float(value) for value in point)
    assert {type(value) for value in checked} == {float}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_points_outside(axis: int, side: int) -> None:
    point = list(GRID.center)
    point[axis] += side * (GRID.size[axis] / 2 * GRID.spacing[axis] + 0.01)
    with pytest.raises(UserError, match=r"^The point R -.* mm lies outside the scan"):
        check_point(point, GRID)


@pytest.mark.parametrize(
    "point",
    [(1, 2), (1, 2, 3, 4), "abc", None, 5.0, ("x", 1, 2), (None, 1, 2), (10**400, 1, 2), [[1, 2]]],
)
def test_what_is_no_point(point: Any) -> None:
    with pytest.raises(UserError, match="must be three numbers in mm"):
        check_point(point, GRID)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite(value: float) -> None:
    with pytest.raises(UserError, match="three finite numbers"):
        check_point((5.0, value, 7.0), GRID)


def test_slicers_words() -> None:
    assert describe((12.34, -5.0, 0.06)) == "R -12.3, A 5.0, S 0.1 mm"
    assert describe((0.0, 0.04, -0.04)) == "R 0.0, A 0.0, S 0.0 mm"
