from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gsema_core.evaluation.row_order import kendall_tau, resampled_means, tau_interval


@pytest.mark.parametrize(
    ("values", "tau"),
    [([1, 2, 3, 4], 1), ([4, 3, 2, 1], -1), ([1, 2, 4, 3], 2 / 3), ([5, 5, 5, 5], np.nan)],
)
def test_tau_of_known_orders(values, tau):
    np.testing.assert_allclose(kendall_tau(values, [10, 20, 30, 40]), tau)


def test_tau_with_ties_is_scipys():
    random = np.random.default_rng(0)
    values, reference = random.integers(0, 5, (20, 8)), random.integers(0, 5, 8)
    expected = [stats.kendalltau(one, reference).statistic for one in values]
    np.testing.assert_allclose(kendall_tau(values, reference), expected)


def test_rows_are_drawn_together():
    """Row 2 is .01 better in every patient, however patients differ: their order is sure."""
    patients = np.random.default_rng(1).random(12)
    table = np.stack([patients, patients + 0.01, patients - 0.01], axis=1)
    means, draws = resampled_means([(table, None)])
    np.testing.assert_allclose(means, table.mean(axis=0))
    assert tau_interval(draws, [2, 3, 1]) == (1, 1)
    np.testing.assert_allclose(draws.std(axis=0), patients.std() / np.sqrt(12), rtol=0.05)


def test_centers_count_alike_and_patients_of_both_are_drawn_once():
    few, many = np.full((2, 1), 0.2), np.full((50, 1), 0.8)
    means, draws = resampled_means([(few, [50, 51]), (many, range(50))])
    np.testing.assert_allclose([means[0], *draws.ravel()[:5]], 0.5)
    scores = np.random.default_rng(2).random((10, 1))
    apart = resampled_means([(scores, range(10)), (scores, range(10, 20))])[1]
    both = resampled_means([(scores, range(10)), (scores, range(10))])[1]
    assert both.std() == pytest.approx(np.sqrt(2) * apart.std(), rel=0.05)


def test_scans_of_one_patient_and_scores_that_are_none():
    table = np.array([[0.2], [np.nan], [0.4], [0.9]])
    means, draws = resampled_means([(table, [1, 1, 1, 2])])
    assert means[0] == pytest.approx(0.5)  # of three scores
    assert sorted(set(draws[:, 0].round(6))) == [0.3, 0.5, 0.9]
