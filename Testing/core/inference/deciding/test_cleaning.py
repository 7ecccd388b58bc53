from __future__ import annotations

import numpy as np
import pytest

from gsema_core.grids import Geometry, Volume
from gsema_core.inference.deciding.cleaning import postprocess

# 0.5 mm voxels: 8 voxels are 1 mm3.
GRID = Geometry((24, 24, 24), (0.5, 0.5, 0.5))


def labels(*boxes: tuple[tuple[slice, slice, slice], int]) -> Volume:
    array = np.zeros(GRID.shape, np.uint8)
    for box, value in boxes:
        array[box] = value
    return Volume(array, GRID)


def cube(start: int, size: int, *, at: tuple[int, int] = (0, 0)) -> tuple[slice, slice, slice]:
    (y, x) = at
    return slice(start, start + size), slice(y, y + size), slice(x, x + size)


def cleaned(volume: Volume, aneurysm_mm3: float = 1.0, vessel_mm3: float = 1.0) -> np.ndarray:
    result = postprocess(volume, minimum_aneurysm_mm3=aneurysm_mm3, minimum_vessel_mm3=vessel_mm3)
    assert result.geometry is volume.geometry
    assert result.array.dtype == np.uint8
    return result.array


VESSEL = ((slice(2, 22), slice(4, 8), slice(4, 8)), 1)


def test_a_clean_label_map_stays_as_it_is() -> None:
    volume = labels(VESSEL, (cube(8, 4, at=(8, 4)), 2))
    np.testing.assert_array_equal(cleaned(volume), volume.array)


def test_an_aneurysm_without_vessel_becomes_background() -> None:
    volume = labels(VESSEL, (cube(14, 6, at=(14, 14)), 2))
    np.testing.assert_array_equal(cleaned(volume), labels(VESSEL).array)


def test_touching_at_a_corner_is_enough() -> None:
    volume = labels(VESSEL, (cube(22, 2, at=(8, 8)), 2))
    assert (cleaned(volume) == 2).sum() == 8


@pytest.mark.parametrize(("minimum_mm3", "kept"), [(1.0, True), (1.01, False), (0.0, True)])
def test_a_small_aneurysm_becomes_vessel(minimum_mm3: float, kept: bool) -> None:
    box = cube(8, 2, at=(8, 4))  # 8 voxels: 1 mm3
    result = cleaned(labels(VESSEL, (box, 2)), aneurysm_mm3=minimum_mm3)
    assert (result[box] == (2 if kept else 1)).all()


@pytest.mark.parametrize(("minimum_mm3", "kept"), [(1.0, True), (1.01, False), (0.0, True)])
def test_a_vessel_speck_becomes_background(minimum_mm3: float, kept: bool) -> None:
    box = cube(14, 2, at=(14, 14))
    result = cleaned(labels(VESSEL, (box, 1)), vessel_mm3=minimum_mm3)
    assert (result[box] == (1 if kept else 0)).all()
    assert (result[VESSEL[0]] == 1).all()


def test_a_short_vessel_with_an_aneurysm_is_kept() -> None:
    volume = labels((cube(10, 2, at=(8, 8)), 1), (cube(12, 3, at=(8, 8)), 2))
    np.testing.assert_array_equal(cleaned(volume, vessel_mm3=100.0), volume.array)


def test_two_specks_do_not_hold_on_to_each_other() -> None:
    volume = labels(VESSEL, (cube(14, 1, at=(14, 14)), 1), (cube(15, 1, at=(14, 14)), 2))
    np.testing.assert_array_equal(cleaned(volume), labels(VESSEL).array)


def test_sizes_are_in_mm3_not_in_voxels() -> None:
    box = cube(8, 2, at=(8, 4))
    coarse = Volume(labels(VESSEL, (box, 2)).array, Geometry(GRID.size, (1.0, 1.0, 1.0)))
    assert (cleaned(coarse, aneurysm_mm3=8.0)[box] == 2).all()
    assert (cleaned(coarse, aneurysm_mm3=8.1)[box] == 1).all()


def test_nothing_there() -> None:
    assert not cleaned(labels()).any()


def test_the_input_is_left_alone() -> None:
    volume = labels((cube(14, 1, at=(14, 14)), 1))
    cleaned(volume)
    assert volume.array.sum() == 1


@pytest.mark.parametrize(("gap_voxels", "kept"), [(1, True), (5, True), (6, False)])
def test_a_sac_beside_a_vessel_is_kept_though_its_neck_was_not_drawn(
    gap_voxels: int, kept: bool
) -> None:
    """The vessel's last center to the sac's first: a gap of 5 voxels is 3 mm."""
    sac = (slice(8, 12), slice(8 + gap_voxels, 12 + gap_voxels), slice(4, 8))
    assert (cleaned(labels(VESSEL, (sac, 2))) == 2).any() == kept


def test_the_reach_is_in_millimeters_along_every_axis() -> None:
    array = np.zeros((24, 24, 24), np.uint8)
    array[2:4] = 1
    array[7:10, 8:12, 8:12] = 2  # four steps from the last vessel slice: 2 or 4 mm
    for thickness, kept in ((0.5, True), (1.0, False)):
        volume = Volume(array, Geometry((24, 24, 24), (0.5, 0.5, thickness)))
        assert (cleaned(volume) == 2).any() == kept
