"""What samples of scores say: their spread, how sure a mean is, and which row is better.

Scans of one patient are alike: patients are drawn and tested, never scans.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Patients = Sequence[Hashable] | None
"""Whose scan each score is; None where every scan is of another patient."""

RESAMPLES = 10_000
"""Leaves the limits of an interval a standard error of about 1 % of its width (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, ask for at least 1,000)."""
BLOCK_DRAWS = 1_000_000
"""Patients drawn at a time: 8 MB a column however many there are."""

FEWEST_TO_TEST = 6
"""Patients from which on the two-sided signed-rank test can fall below 5 %: 2 / 2^6 = 3 %."""

TIE_DECIMALS = 9
"""Differences alike to so many decimals share a rank. Scores are written with 4; what lies beyond
9 is the rounding of sums. Ours."""


@dataclass(frozen=True)
class Summary:
    """A sample of scores in a few numbers; NaN where there is nothing to say.

    Attributes:
        count: scores that are numbers; the others take no part.
        mean: their mean.
        interval_low, interval_high: 95 % bootstrap interval of the mean; from two patients on.
        median: their median.
        q1, q3: quartiles, interpolated linearly; their difference is the IQR.
    """

    count: int
    mean: float
    interval_low: float
    interval_high: float
    median: float
    q1: float
    q3: float


@dataclass(frozen=True)
class Comparison:
    """One row of scores against another, on the patients that both have.

    Attributes:
        patients: those with a scan that has a score in both rows.
        mean_difference: first minus second row, each patient's scans averaged before.
        rank_biserial: which row the signed ranks favor: their sum over the sum of all ranks, from
            -1 (the second in every patient) to 1 (the first). With outliers its sign may be
            another than that of ``mean_difference``.
        p: two-sided Wilcoxon signed-rank test; NaN for fewer than ``FEWEST_TO_TEST`` patients.
        p_holm: the same, corrected by Holm for the number of rows compared.
    """

    patients: int
    mean_difference: float
    rank_biserial: float
    p: float
    p_holm: float


def summarize(values: npt.ArrayLike, patients: Patients = None) -> Summary:
    """Describe the scores of a number of scans.

    Args:
        values: (N,) scores; NaN is no score.
        patients: (N,) the patient of each scan.
    """
    scores = np.asarray(values, dtype=np.float64)
    there = scores[~np.isnan(scores)]
    if not len(there):
        return Summary(0, *[np.nan] * 6)
    sums = sums_by_patient(with_counts(scores), patients)
    low, high = bootstrap_interval(sums[sums[:, 1] > 0])
    q1, median, q3 = (float(q) for q in np.percentile(there, (25, 50, 75)))
    return Summary(len(there), float(there.mean()), low, high, median, q1, q3)


def with_counts(values: npt.ArrayLike) -> Floats:
    """(...) scores as (..., 2) score and 1, NaN as 0 and 0: what to sum for a mean."""
    scores = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(scores)
    return np.stack([np.where(there, scores, 0.0), there.astype(np.float64)], axis=-1)


def sums_by_patient(values: npt.ArrayLike, patients: Patients = None) -> Floats:
    """Sum over each patient's scans.

    Args:
        values: (N, ...) one entry a scan.
        patients: (N,) the patient of each scan.

    Returns:
        (P, ...) in the order of the patients' first scans, so that their names do not matter.
    """
    scans = np.asarray(values, dtype=np.float64)
    whose = list(range(len(scans)) if patients is None else patients)
    places = {patient: place for place, patient in enumerate(dict.fromkeys(whose))}
    sums = np.zeros((len(places), *scans.shape[1:]))
    np.add.at(sums, [places[patient] for patient in whose], scans)
    return sums


def means_by_patient(values: npt.ArrayLike, patients: Patients = None) -> Floats:
    """(P,) means of each patient's (N,) scores; NaN for patients without one."""
    return ratio(sums_by_patient(with_counts(values), patients))


def ratio(sums: Floats) -> Floats:
    """(..., 2) part and whole -> (...) part / whole; NaN where the whole is 0."""
    part, whole = sums[..., 0], sums[..., 1]
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0))


def mean_there(values: npt.ArrayLike) -> Floats:
    """(N, ...) scores -> (...) their means over the first axis; NaN is no score."""
    return ratio(with_counts(values).sum(axis=0))


def bootstrap_interval(*strata: npt.ArrayLike, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a mean, or of another ratio of sums.

    It says how far the number would move with other patients. They are drawn within each stratum,
    with all their scans (``scipy.stats.bootstrap``).

    Args:
        strata: (P, 2) or (P, K, 2) part and whole of each patient, for K ratios; a mean's are
            the sum and the number of a patient's scores (``sums_by_patient``). Of several ratios
            or strata (centers) the interval is that of their mean.
        seed: the same seed gives the same interval.

    Returns:
        Both limits; NaN where a stratum has fewer than two patients, who say nothing about others.
    """
    from scipy import stats

    patients = [np.asarray(each, dtype=np.float64) for each in strata]
    if min(map(len, patients)) < 2:
        return np.nan, np.nan
    patients = [each.reshape(len(each), -1, 2) for each in patients]

    def mean_ratio(*drawn: npt.NDArray[Any], axis: int) -> Floats:
        """(R, P) numbers of patients for each stratum -> (R,)."""
        sums = [
            of[numbers.astype(int)].sum(axis=-3)
            for of, numbers in zip(patients, drawn, strict=True)
        ]
        return np.asarray(ratio(np.concatenate(sums, axis=-2)).mean(axis=-1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # of draws without any whole
        result: Any = stats.bootstrap(
            [np.arange(len(each)) for each in patients],
            mean_ratio,
            n_resamples=RESAMPLES,
            batch=max(1, BLOCK_DRAWS // max(map(len, patients))),
            vectorized=True,
            method="percentile",
            random_state=np.random.default_rng(seed),
        )
    ratios = result.bootstrap_distribution
    ratios = ratios[~np.isnan(ratios)]
    if not len(ratios):
        return np.nan, np.nan
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)


def compare_rows(
    row: Sequence[float], others: Mapping[str, Sequence[float]], patients: Patients = None
) -> dict[str, Comparison]:
    """Compare one row of scores with others: paired Wilcoxon signed-rank tests with Holm.

    Each patient's differences are averaged first. Patients with the same score in both rows are
    dropped, as Wilcoxon did; if that is all of them, p is 1.

    Args:
        row: (N,) scores, one a scan.
        others: names and scores of the same scans in the same order; NaN is no score.
        patients: (N,) the patient of each scan.

    Raises:
        ValueError: a row has another number of scans.
    """
    compared = {
        name: _compare(_differences(name, row, other, patients)) for name, other in others.items()
    }
    corrected = holm([p for *_, p in compared.values()])
    return {
        name: Comparison(*values, p_holm)
        for (name, values), p_holm in zip(compared.items(), corrected, strict=True)
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm, Scand. J. Statist. 6:65-70, 1979).

    SciPy has no Holm: its ``false_discovery_control`` bounds another error, the share of false
    ones among the differences found.

    Returns:
        The corrected values in the given order: the smallest times n, the next times n - 1 and
        so on, never falling and never above 1. NaN is no test: it stays and does not count.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN is sorted to the end
    stepped = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]


def _differences(
    name: str, row: Sequence[float], other: Sequence[float], patients: Patients
) -> Floats:
    """(P,) each patient's mean difference; patients without any are left out."""
    if len(row) != len(other):
        raise ValueError(f"The row {name!r} has {len(other)} cases, not {len(row)}.")
    difference = np.asarray(row, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    means = means_by_patient(difference, patients)
    return means[~np.isnan(means)]


def _compare(differences: Floats) -> tuple[int, float, float, float]:
    """``Comparison`` without Holm's p."""
    from scipy import stats

    patients = len(differences)
    if not patients:
        return 0, np.nan, np.nan, np.nan
    moved = np.round(differences, TIE_DECIMALS)
    moved = moved[moved != 0]
    ranks = stats.rankdata(np.abs(moved))
    favored = float(np.sign(moved) @ ranks / ranks.sum()) if len(moved) else 0.0
    p = _signed_rank_p(moved, ranks) if patients >= FEWEST_TO_TEST else np.nan
    return patients, float(differences.mean()), favored, p


def _signed_rank_p(differences: Floats, ranks: Floats) -> float:
    """Two-sided Wilcoxon test: exact, but for the normal approximation beyond 13 with ties.

    What ``scipy.stats.wilcoxon`` makes of ties differs between SciPy 1.13 and 1.17; this does not.
    """
    from scipy import stats

    if not len(differences):
        return 1.0
    result: Any
    if len(set(ranks)) == len(ranks):
        result = stats.wilcoxon(differences)
    elif 2 ** len(ranks) <= RESAMPLES:  # every pattern of signs
        signed = np.sign(differences) * ranks
        result = stats.permutation_test(
            (signed,), np.sum, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES
        )
    else:
        result = stats.wilcoxon(differences, method="approx")
    return float(result.pvalue)
