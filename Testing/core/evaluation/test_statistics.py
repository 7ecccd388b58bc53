from __future__ import annotations

import math

import numpy as np
import pytest

from gsema_core.evaluation.statistics import (
    bootstrap_interval,
    compare_rows,
    holm,
    ratio,
    summarize,
)


def test_interval_of_equal_scores_is_that_score() -> None:
    assert bootstrap_interval([0.7] * 5) == pytest.approx((0.7, 0.7))


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.arange(2000.0)
    half = 1.96 * values.std() / math.sqrt(len(values))
    low, high = bootstrap_interval(values)
    assert (low, high) == pytest.approx((999.5 - half, 999.5 + half), abs=0.05 * half)


def test_interval_narrows_with_the_level() -> None:
    values = np.arange(30.0)
    low, high = bootstrap_interval(values)
    inner_low, inner_high = bootstrap_interval(values, level=0.5)
    assert low < inner_low < values.mean() < inner_high < high


def test_interval_of_two_scores() -> None:
    # The three means 0, 1/2 and 1 come up with 1/4, 1/2 and 1/4.
    assert bootstrap_interval([0.0, 1.0]) == (0.0, 1.0)
    assert bootstrap_interval([0.0, 1.0], level=0.4) == (0.5, 0.5)


def test_interval_depends_on_the_seed_alone() -> None:
    values = np.random.default_rng(0).random(20)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_no_interval_from_fewer_than_two(values: list[float]) -> None:
    assert np.isnan(bootstrap_interval(values)).all()


def test_ratio_pools_the_cases() -> None:
    samples = np.array([[[1, 1], [0, 3]], [[0, 0], [0, 0]]], dtype=float)
    np.testing.assert_array_equal(ratio(samples), [0.25, np.nan])


def test_interval_of_a_ratio_leaves_out_samples_without_one() -> None:
    # A sample of the first case only has nothing to miss; every other one misses half.
    assert bootstrap_interval([[0.0, 0.0], [1.0, 2.0]], ratio) == (0.5, 0.5)
    assert np.isnan(bootstrap_interval([[0.0, 0.0], [0.0, 0.0]], ratio)).all()


def test_summary() -> None:
    summary = summarize([4.0, math.nan, 1.0, 3.0, 2.0])
    assert (summary.count, summary.mean, summary.median) == (4, 2.5, 2.5)
    assert (summary.q1, summary.q3) == (1.75, 3.25)
    assert 1.0 <= summary.interval_low < 2.5 < summary.interval_high <= 4.0


def test_summary_of_nothing() -> None:
    summary = summarize([math.nan])
    assert summary.count == 0
    assert math.isnan(summary.mean) and math.isnan(summary.q3)


def test_holm_agrees_with_r() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_exact_wilcoxon() -> None:
    row = [0.1, 0.2, 0.3, 0.4, 0.5]
    compared = compare_rows(row, {"zeros": [0.0] * 5, "same": row})
    # All five differences have one sign: 2 of 2^5 sign patterns are as extreme.
    assert compared["zeros"].p == pytest.approx(2 / 32)
    assert compared["zeros"].p_holm == pytest.approx(4 / 32)
    assert compared["zeros"].mean_difference == pytest.approx(0.3)
    assert (compared["same"].p, compared["same"].p_holm) == (1.0, 1.0)


def test_comparison_leaves_out_cases_that_one_row_lacks() -> None:
    row = [0.1, 0.2, 0.3, 0.4, 0.5, math.nan, 0.9]
    other = [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, math.nan]
    compared = compare_rows(row, {"other": other})["other"]
    assert (compared.pairs, compared.p) == (5, pytest.approx(2 / 32))


def test_comparison_needs_the_same_cases() -> None:
    with pytest.raises(ValueError, match="'short' has 1 cases, not 2"):
        compare_rows([1.0, 2.0], {"short": [1.0]})
