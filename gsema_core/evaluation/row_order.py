"""In which order rows of scores come, and how sure that order is with other patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gsema_core.evaluation.statistics import (
    RESAMPLES,
    TIE_DECIMALS,
    Floats,
    Patients,
    ratio,
    sums_by_patient,
    with_counts,
)


def kendall_tau(values: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """Kendall's tau-b of (..., K) values with (K,) of a reference: 1 for the same order, -1 for
    the opposite one; equal values of either count as no order. NaN where one has no order at all.

    SciPy's takes one pair of rankings at a time: seconds for ten thousand.

    Example:
        >>> float(kendall_tau([1.0, 2.0, 4.0], [10.0, 30.0, 20.0]))  # 2 pairs alike, 1 turned
        0.3333333333333333
    """
    above = np.triu_indices(len(np.asarray(reference)), 1)

    def signs(of: npt.ArrayLike) -> Floats:
        each = np.asarray(of, dtype=np.float64)
        differences = np.round(each[..., above[0]] - each[..., above[1]], TIE_DECIMALS)
        return np.asarray(np.sign(differences))

    mine, its = signs(values), signs(reference)
    whole = np.sqrt((mine**2).sum(axis=-1) * (its**2).sum())
    return ratio(np.stack([(mine * its).sum(axis=-1), whole], axis=-1))


def resampled_means(
    centers: Sequence[tuple[npt.ArrayLike, Patients]], seed: int = 0
) -> tuple[Floats, Floats]:
    """The rows' means over centers, and what they would be with other patients.

    Patients are drawn within centers, each with all scans and in all rows at once; where some
    were imaged at several centers, from all of them at once.

    Args:
        centers: for each, the scores (N, K) of its scans in K rows, NaN being none, and the
            patient of each scan.
        seed: the same seed draws the same patients.

    Returns:
        (K,) means of the centers' means, and (``RESAMPLES``, K) of as many draws.
    """
    tables = [with_counts(scores) for scores, _ in centers]
    people = [range(len(t)) if p is None else p for t, (_, p) in zip(tables, centers, strict=True)]
    everybody = [one for some in people for one in dict.fromkeys(some)]
    if len(set(everybody)) == len(everybody):
        strata = [sums_by_patient(t, p)[:, None] for t, p in zip(tables, people, strict=True)]
    else:  # (N, C, K, 2): a scan has its scores in the column of its center
        wide = np.zeros((sum(map(len, tables)), len(tables), *tables[0].shape[1:]))
        first = 0
        for column, table in enumerate(tables):
            wide[first : first + len(table), column] = table
            first += len(table)
        strata = [sums_by_patient(wide, [one for some in people for one in some])]
    random = np.random.default_rng(seed)
    means = np.concatenate([ratio(each.sum(axis=0)) for each in strata]).mean(axis=0)
    drawn = []
    for each in strata:
        times = random.multinomial(len(each), [1 / len(each)] * len(each), size=RESAMPLES)
        drawn.append(ratio(np.tensordot(times, each, axes=1)))
    return means, np.concatenate(drawn, axis=1).mean(axis=1)


def tau_interval(draws: Floats, reference: npt.ArrayLike) -> tuple[float, float]:
    """95 % percentile interval of `kendall_tau` over the draws (R, K) of `resampled_means`."""
    taus = kendall_tau(draws, reference)
    taus = taus[~np.isnan(taus)]
    if not len(taus):
        return np.nan, np.nan
    low, high = np.percentile(taus, (2.5, 97.5))
    return float(low), float(high)
