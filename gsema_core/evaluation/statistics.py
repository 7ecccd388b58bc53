"""What samples of scores say: their spread, how sure a mean is, and which row is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Takes (R, N, ...), R samples of N cases each, and gives (R,), one value a sample."""

LEVEL = 0.95
RESAMPLES = 10_000
"""Leaves the limits of an interval a standard error of about 1 % of its width (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, ask for at least 1,000)."""
BLOCK_DRAWS = 1_000_000
"""Cases drawn at a time: 8 MB a column however many cases there are."""


@dataclass(frozen=True)
class Summary:
    """A sample of scores in a few numbers; NaN where there is nothing to say.

    Attributes:
        count: scores that are numbers; the others take no part.
        mean: their mean.
        interval_low, interval_high: 95 % bootstrap interval of the mean; from two scores on.
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

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """One row of scores against another on the same cases.

    Attributes:
        pairs: cases in which both rows have a score.
        mean_difference: first minus second row, over those cases.
        p: two-sided Wilcoxon signed-rank test.
        p_holm: the same, corrected by Holm for the number of rows compared.
    """

    pairs: int
    mean_difference: float
    p: float
    p_holm: float


def summarize(values: npt.ArrayLike, seed: int = 0) -> Summary:
    """Describe the scores of a number of cases.

    Args:
        values: (N,) scores; NaN is no score.
        seed: of the bootstrap.
    """
    scores = _scores(values)
    if not len(scores):
        return Summary(0, *[np.nan] * 6)
    low, high = bootstrap_interval(scores, seed=seed)
    q1, median, q3 = (float(q) for q in np.percentile(scores, (25, 50, 75)))
    return Summary(len(scores), float(scores.mean()), low, high, median, q1, q3)


def mean(samples: Floats) -> Floats:
    """The mean over the cases; a ``Statistic``."""
    return np.asarray(samples.mean(axis=1))


def ratio(samples: Floats) -> Floats:
    """Sum of the first column over sum of the second; a ``Statistic`` for (R, N, 2).

    NaN in a sample whose second column sums to 0.
    """
    part, whole = np.moveaxis(samples.sum(axis=1), -1, 0)
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0))


def bootstrap_interval(
    values: npt.ArrayLike,
    statistic: Statistic = mean,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval: how far the statistic would move with other cases.

    Args:
        values: (N, ...), one entry a case. Cases are resampled, so entries that depend on each
            other (seeds, or several scans of a patient) belong averaged into one.
        statistic: of (R, N, ...) samples.
        level: share of the resampled statistics in the interval.
        resamples: how many samples are drawn.
        seed: the same seed gives the same interval.

    Returns:
        Both limits; NaN for fewer than two cases, which say nothing about others.
    """
    cases = np.asarray(values, dtype=np.float64)
    if len(cases) < 2:
        return np.nan, np.nan
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_DRAWS // len(cases))
    statistics = _scores(
        np.concatenate(
            [
                statistic(cases[generator.integers(0, len(cases), (count, len(cases)))])
                for count in np.diff([*range(0, resamples, block), resamples])
            ]
        )
    )
    if not len(statistics):
        return np.nan, np.nan
    tail = 50 * (1 - level)
    low, high = np.percentile(statistics, (tail, 100 - tail))
    return float(low), float(high)


def compare_rows(
    row: Sequence[float], others: Mapping[str, Sequence[float]]
) -> dict[str, Comparison]:
    """Compare one row of scores with others: paired Wilcoxon signed-rank tests with Holm.

    Cases that score the same in both rows are dropped, as Wilcoxon did; where all do, p is 1.

    Args:
        row: (N,) scores, one a case.
        others: names and scores of the same cases in the same order; NaN is no score.

    Raises:
        ValueError: a row has another number of cases.
    """
    differences = {name: _scores(_difference(name, row, other)) for name, other in others.items()}
    p_values = [_wilcoxon(difference) for difference in differences.values()]
    return {
        name: Comparison(
            len(difference), float(difference.mean()) if len(difference) else np.nan, p, corrected
        )
        for (name, difference), p, corrected in zip(
            differences.items(), p_values, holm(p_values), strict=True
        )
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm, Scand. J. Statist. 6:65-70, 1979).

    Returns:
        The corrected values in the given order: the smallest times n, the next times n - 1 and
        so on, never falling and never above 1.
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(p) for p in corrected]


def _scores(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]


def _difference(name: str, row: Sequence[float], other: Sequence[float]) -> Floats:
    if len(row) != len(other):
        raise ValueError(f"The row {name!r} has {len(other)} cases, not {len(row)}.")
    return np.asarray(row, dtype=np.float64) - np.asarray(other, dtype=np.float64)


def _wilcoxon(differences: Floats) -> float:
    from scipy import stats

    if not differences.any():  # SciPy's answer to this has changed between versions
        return 1.0
    result: Any = stats.wilcoxon(differences, zero_method="wilcox", alternative="two-sided")
    return float(result.pvalue)
