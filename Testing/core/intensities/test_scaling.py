from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from gsema_core.errors import UserError
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.scaling import scale_between


def apply(rule: IntensityRule, array: npt.ArrayLike) -> npt.NDArray[np.float32]:
    return scale_between(array, *rule.bounds(array))


def test_percentiles_become_0_and_1() -> None:
    values = np.arange(1001, dtype=np.int16)
    scaled = apply(IntensityRule(10, 90), values)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[[0, 100, 500, 900, 1000]], [0, 0, 0.5, 1, 1], atol=1e-6)


def test_brightness_and_contrast_of_the_scanner_do_not_matter() -> None:
    values = np.random.default_rng(0).gamma(2.0, 100.0, (9, 9, 9))
    np.testing.assert_allclose(
        apply(IntensityRule(), values), apply(IntensityRule(), values * 7.5 - 1000), atol=1e-4
    )


def test_the_input_is_left_alone() -> None:
    values = np.linspace(-5, 5, 50, dtype=np.float32)
    apply(IntensityRule(), values)
    assert values[0] == -5


def test_a_few_bright_voxels_in_an_empty_volume_still_count() -> None:
    values = np.zeros((40, 40, 40), dtype=np.uint8)
    values[0, 0, :5] = 200  # far less than 0.1 % of the voxels
    assert apply(IntensityRule(), values)[0, 0, :6].tolist() == [1, 1, 1, 1, 1, 0]


def test_what_becomes_0_and_1_is_told() -> None:
    array = np.arange(1001.0)
    assert IntensityRule(10, 90).bounds(array) == (100.0, 900.0)
    assert IntensityRule(10, 90).bounds(np.where(array == 7, 5.0, 3.0)) == (3.0, 5.0)


def test_a_constant_volume_becomes_zeros() -> None:
    assert not apply(IntensityRule(), np.full((3, 3, 3), 7)).any()


def test_dictionary_round_trip() -> None:
    rule = IntensityRule(2.0, 98.5)
    assert IntensityRule.from_dict(rule.to_dict()) == rule


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"low": 1},
        {"low": 1, "high": 99, "more": 0},
        {"low": "1", "high": 99},
        {"low": True, "high": 99},
        {"low": float("nan"), "high": 99},
        {"low": 99, "high": 1},
        {"low": -1, "high": 99},
        {"low": 0, "high": 101},
    ],
)
def test_a_wrong_dictionary_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(UserError, match="intensity"):
        IntensityRule.from_dict(values)
