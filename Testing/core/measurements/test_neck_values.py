from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.measurements import measure_aneurysms


def test_dome_and_centerline_of_a_cap(
    grid: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    radius, above = 4.0, 2.4
    up = np.array([0.6, 0.0, 0.8])
    (found,) = measure_aneurysms(draw(grid, [ball(above * up, radius)], [half_space(up, 0.0)]))
    assert found.dome_area_mm2 == pytest.approx(2 * np.pi * radius * (radius + above), rel=0.04)
    assert found.surface_area_mm2 is not None
    assert found.dome_area_mm2 < found.surface_area_mm2
    assert found.sac_centerline_length_mm == pytest.approx(6.4, abs=0.5 * max(grid.spacing))


def test_what_the_border_cuts_off_has_neither(
    plain: Geometry, draw: Callable, ball: Callable, half_space: Callable
) -> None:
    labels = draw(plain, [ball((0, 0, 2.4), 4.0)], [half_space((0, 0, 1), 0.0)])
    (found,) = measure_aneurysms(
        Volume(labels.array[:50].copy(), Geometry((67, 67, 50), (0.3,) * 3))
    )
    assert found.cut_off
    assert found.neck_width_mm is not None
    for name in ("dome_area_mm2", "sac_centerline_length_mm"):
        assert getattr(found, name) is None
        assert "cuts the aneurysm off" in found.missing[name]


def test_without_a_vessel_there_is_neither(plain: Geometry, draw: Callable, ball: Callable) -> None:
    (found,) = measure_aneurysms(draw(plain, [ball((0, 0, 0), 4.0)]))
    for name in ("dome_area_mm2", "sac_centerline_length_mm", "parent_vessel_diameter_mm"):
        assert getattr(found, name) is None
        assert found.missing[name] == "No neck: no vessel touches the aneurysm."
