from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gsema_core.evaluation.statistics import (
    Floats,
    bootstrap_interval,
    compare_rows,
    holm,
    means_by_patient,
    ratio,
    summarize,
    sums_by_patient,
    with_counts,
)


def of_means(values: list[float] | Floats, seed: int = 0) -> tuple[float, float]:
    """The interval of the mean of scores that are each of another patient."""
    return bootstrap_interval(with_counts(values), seed=seed)


def test_interval_of_equal_scores_is_that_score() -> None:
    assert of_means([0.7] * 5) == pytest.approx((0.7, 0.7))


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.arange(2000.0)
    half = 1.96 * values.std() / math.sqrt(len(values))
    low, high = of_means(values)
    assert (low, high) == pytest.approx((999.5 - half, 999.5 + half), abs=0.05 * half)


def test_interval_of_two_scores() -> None:
    # The three means 0, 1/2 and 1 come up with 1/4, 1/2 and 1/4.
    assert of_means([0.0, 1.0]) == (0.0, 1.0)


def test_interval_depends_on_the_seed_alone() -> None:
    values = np.random.default_rng(0).random(20)
    assert of_means(values) == of_means(values)
    assert of_means(values) != of_means(values, seed=1)


def test_interval_does_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(20)
    whole = of_means(values)
    monkeypatch.setattr("gsema_core.evaluation.statistics.BLOCK_DRAWS", 700)
    assert of_means(values) == whole


@pytest.mark.parametrize("values", [[], [0.5]])
def test_no_interval_from_fewer_than_two(values: list[float]) -> None:
    assert np.isnan(of_means(values)).all()
    assert np.isnan(bootstrap_interval(with_counts([0.1, 0.9]), with_counts(values))).all()


def test_ratio() -> None:
    np.testing.assert_array_equal(ratio(np.array([[1.0, 4.0], [0.0, 0.0]])), [0.25, np.nan])


@pytest.mark.filterwarnings("error")
def test_interval_of_a_ratio_leaves_out_samples_without_one() -> None:
    # A sample of the first patient only has nothing to miss; every other one misses half.
    assert bootstrap_interval([[0.0, 0.0], [1.0, 2.0]]) == (0.5, 0.5)
    assert np.isnan(bootstrap_interval([[0.0, 0.0], [0.0, 0.0]])).all()


def test_strata_are_drawn_apart_and_count_alike() -> None:
    """The centers of 50 and of 2 are each what they are, whoever is drawn."""
    many, few = with_counts([0.8] * 50), with_counts([0.2, 0.2])
    assert bootstrap_interval(many, few) == pytest.approx((0.5, 0.5))
    both = np.stack([np.repeat(with_counts([0.8]), 2, axis=0), few], axis=1)
    assert bootstrap_interval(both) == pytest.approx((0.5, 0.5))


def test_sums_and_means_by_patient() -> None:
    patients = ["b", "a", "b", "c"]
    np.testing.assert_array_equal(sums_by_patient([1, 2, 3, 4], patients), [4, 2, 4])
    means = means_by_patient([1.0, 2.0, math.nan, math.nan], patients)
    np.testing.assert_array_equal(means, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(sums_by_patient([[1, 2], [3, 4]]), [[1, 2], [3, 4]])


def test_summary() -> None:
    summary = summarize([4.0, math.nan, 1.0, 3.0, 2.0])
    assert (summary.count, summary.mean, summary.median) == (4, 2.5, 2.5)
    assert (summary.q1, summary.q3) == (1.75, 3.25)
    assert 1.0 <= summary.interval_low < 2.5 < summary.interval_high <= 4.0
    # A score that is none takes no part in the drawing either.
    assert summary == summarize([4.0, 1.0, 3.0, 2.0])


def test_summary_of_nothing() -> None:
    summary = summarize([math.nan])
    assert summary.count == 0
    assert math.isnan(summary.mean) and math.isnan(summary.q3)


def test_interval_is_that_of_the_patients_means() -> None:
    """Two scans a patient: what is drawn is the patients, each with both."""
    values, patients = np.random.default_rng(0).random(12), [n // 2 for n in range(12)]
    clustered = summarize(values, patients)
    assert clustered.mean == pytest.approx(values.mean())
    means = values.reshape(6, 2).mean(axis=1)
    interval = clustered.interval_low, clustered.interval_high
    assert interval == pytest.approx(of_means(means))


def test_scans_that_repeat_a_patient_make_nothing_surer() -> None:
    """The fault that this prevents: each patient's scan four times halves the interval."""
    values = list(np.random.default_rng(0).random(6))
    once, four = summarize(values), summarize(np.repeat(values, 4), [n // 4 for n in range(24)])
    assert (four.interval_low, four.interval_high) == pytest.approx(
        (once.interval_low, once.interval_high)
    )
    apart = summarize(np.repeat(values, 4))
    assert apart.interval_high - apart.interval_low < 0.7 * (once.interval_high - once.interval_low)


def test_names_of_patients_do_not_matter() -> None:
    values, patients = np.random.default_rng(0).random(12), list("abcdefabcdef")
    renamed = [{"a": "z", "b": "y"}.get(name, name) for name in patients]
    assert summarize(values, patients) == summarize(values, renamed)
    row, other = list(values), list(values[::-1])
    compared = compare_rows(row, {"other": other}, patients)
    assert compared == compare_rows(row, {"other": other}, renamed)


def test_holm_agrees_with_r() -> None:
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_counts_only_tests_that_were_made() -> None:
    assert holm([math.nan, 0.02, 0.01]) == pytest.approx([math.nan, 0.02, 0.02], nan_ok=True)


def test_exact_wilcoxon() -> None:
    row = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    compared = compare_rows(row, {"zeros": [0.0] * 6, "same": row})
    # All six differences have one sign: 2 of 2^6 sign patterns are as extreme.
    assert compared["zeros"].p == pytest.approx(2 / 64)
    assert compared["zeros"].p_holm == pytest.approx(4 / 64)
    assert compared["zeros"].mean_difference == pytest.approx(0.35)
    assert compared["zeros"].rank_biserial == 1.0
    assert (compared["same"].p, compared["same"].p_holm) == (1.0, 1.0)
    assert compared["same"].rank_biserial == 0.0


def test_ranks_may_favor_another_row_than_the_mean() -> None:
    # Ranks 1 to 11 for the row and 12 against it: (66 - 12) / 78.
    compared = compare_rows([n / 100 for n in range(1, 12)] + [-1.0], {"zeros": [0.0] * 12})
    assert compared["zeros"].rank_biserial == pytest.approx(54 / 78)
    assert compared["zeros"].mean_difference < 0


@pytest.mark.parametrize("count", [6, 13])
def test_tied_differences_are_tested_exactly(count: int) -> None:
    """Whatever SciPy's version: all of one sign are 2 of 2^n, though all have one rank."""
    compared = compare_rows([0.6] * count, {"start": [0.5] * count})
    assert compared["start"].p == pytest.approx(2 / 2**count)


def test_many_tied_differences_are_tested_by_their_normal_approximation() -> None:
    differences = [0.1] * 12 + [-0.1] * 5 + [0.2] * 3
    expected = stats.wilcoxon(differences, method="approx").pvalue
    (compared,) = compare_rows(differences, {"zeros": [0.0] * 20}).values()
    assert compared.p == pytest.approx(expected)


def test_rounding_of_sums_breaks_no_tie() -> None:
    """0.3 - 0.2 is not 0.2 - 0.1 to the last bit, but has its rank."""
    row, other = [0.3, 0.2, 0.1, 0.2, 0.3, 0.5], [0.2, 0.1, 0.2, 0.3, 0.4, 0.4]
    assert 0.3 - 0.2 != 0.2 - 0.1
    (compared,) = compare_rows(row, {"other": other}).values()
    assert (compared.rank_biserial, compared.p) == (0.0, 1.0)


def test_fewer_than_six_patients_are_not_tested() -> None:
    row = [0.1, 0.2, 0.3, 0.4, 0.5]
    compared = compare_rows(row * 2, {"zeros": [0.0] * 10}, [*range(5)] * 2)["zeros"]
    assert compared.patients == 5 and compared.rank_biserial == 1.0
    assert math.isnan(compared.p) and math.isnan(compared.p_holm)


def test_repeated_scans_make_no_difference_surer() -> None:
    """Six patients: p is 2 / 2^6, once each or with four scans each."""
    row = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    once = compare_rows(row, {"zeros": [0.0] * 6})
    four = compare_rows(row * 4, {"zeros": [0.0] * 24}, [*range(6)] * 4)
    assert four["zeros"].p == once["zeros"].p == pytest.approx(2 / 64)
    assert four["zeros"].mean_difference == pytest.approx(once["zeros"].mean_difference)
    assert compare_rows(row * 4, {"zeros": [0.0] * 24})["zeros"].p < 0.00005


def test_comparison_leaves_out_cases_that_one_row_lacks() -> None:
    row = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, math.nan, 0.9]
    other = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, math.nan]
    compared = compare_rows(row, {"other": other})["other"]
    assert (compared.patients, compared.p) == (6, pytest.approx(2 / 64))


def test_comparison_needs_the_same_cases() -> None:
    with pytest.raises(ValueError, match="'short' has 1 cases, not 2"):
        compare_rows([1.0, 2.0], {"short": [1.0]})
