from __future__ import annotations

import math

import pytest

from gsema_core.errors import UserError
from gsema_core.measurements.coils import INCH_MM, Coil, packing_density


def test_a_published_example() -> None:
    """A coil of 0.010 inch has 0.507 mm3 in each cm, so that 50 cm fill a quarter of 101 mm3."""
    coil = Coil(0.010 * INCH_MM, 500)
    assert coil.volume_mm3 == pytest.approx(25.335, abs=0.001)
    assert packing_density([coil], 4 * coil.volume_mm3) == pytest.approx(0.25)


def test_several_coils_add_up() -> None:
    coils = [Coil(0.254, 200), Coil(0.3048, 80), Coil(0.254, 40)]
    expected = math.pi / 4 * (0.254**2 * 240 + 0.3048**2 * 80) / 112.0
    assert packing_density(coils, 112.0) == pytest.approx(expected)
    assert packing_density([], 112.0) == 0
    assert packing_density([Coil(1.0, 4 / math.pi)], 1.0) == pytest.approx(1)


@pytest.mark.parametrize(
    ("diameter", "length", "told"),
    [
        (10, 100, "10 mm"),  # thousandths of an inch
        (0.010, 100, "0.01 mm"),  # inches
        (0.254, 0, "0 mm"),
        (0.254, 2000, "2000 mm"),
        (math.nan, 100, "nan"),
        (0.254, math.nan, "nan"),
        (-0.254, 100, "-0.254"),
    ],
)
def test_what_is_no_coil(diameter: float, length: float, told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        Coil(diameter, length)
    assert "check the unit" in str(error.value)


def test_more_than_there_is_room_for() -> None:
    with pytest.raises(UserError, match=r"Coils of 25\.3 mm³ do not fit into a sac of 20\.0 mm³"):
        packing_density([Coil(0.254, 500)], 20.0)
    for volume in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UserError, match="measure the aneurysm first"):
            packing_density([], volume)
