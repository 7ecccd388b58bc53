"""The scores of finished cells, put together by row and unseen center."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.records import Record
from gsema_core.evaluation.statistics import (
    bootstrap_interval,
    mean_there,
    sums_by_patient,
    with_counts,
)

METRICS = (
    "dice", "sensitivity", "precision", "jaccard", "volume_similarity", "hd95_mm", "nsd_0.5mm"
)  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """One row on the cases of one center, every case averaged over the row's seeds.

    Attributes:
        values: for each of ``METRICS`` (N,), the aneurysms' scores; NaN where undefined.
        lesions: (N, 2), missed and all aneurysms of each case.
        false_positives: (N,) findings that are none.
        volumes_ml: (N,) all aneurysms of a case.
        patients: (N,) whose scans the cases are, as numbers.
        seeds: how many cells were averaged.
    """

    values: Mapping[str, Floats]
    lesions: Floats
    false_positives: Floats
    volumes_ml: Floats
    patients: Sequence[int]
    seeds: int

    @property
    def missed_share(self) -> float:
        missed, found = self.lesions.sum(axis=0)
        return float(missed / found) if found else np.nan

    @property
    def lesion_f1(self) -> float:
        """2 found / (2 found + missed + false positives), over all aneurysms."""
        missed, there = self.lesions.sum(axis=0)
        found = 2 * (there - missed)
        whole = found + missed + self.false_positives.sum()
        return float(found / whole) if whole else np.nan

    def missed_interval(self) -> tuple[float, float]:
        return bootstrap_interval(sums_by_patient(self.lesions, self.patients))


def collect(plan: Plan, records: Mapping[Cell, Record]) -> dict[tuple[str, str], Scores]:
    """``(row, center)`` -> scores, for all rows and centers with a finished cell."""
    collected = {}
    for row in plan.rows:
        for center in plan.centers:
            found = [records[cell] for cell in plan.cells
                     if (cell.row, cell.center) == (row, center) and cell in records]  # fmt: skip
            if found:
                cases = [record["cases"] for record in found]
                collected[row, center] = _average(cases, plan.unseen_patients(center))
    return collected


def complete_centers(plan: Plan, records: Mapping[Cell, Record]) -> list[str]:
    """The centers for which every row has all its seeds: only they can be averaged fairly."""
    missing = {cell.center for cell in plan.cells if cell not in records}
    return [center for center in plan.centers if center not in missing]


def macro_interval(centers: Sequence[Scores]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of the centers' mean Dice.

    Patients are drawn within centers; where some were imaged at several, from all of them at
    once, with all their scans.
    """
    dice = [with_counts(center.values["dice"]) for center in centers]
    patients = [patient for center in centers for patient in dict.fromkeys(center.patients)]
    if len(set(patients)) == len(patients):
        return bootstrap_interval(
            *(sums_by_patient(d, each.patients) for d, each in zip(dice, centers, strict=True))
        )
    # (N, C, 2): a case has its score in the column of its center and nothing in the others.
    columns = np.zeros((sum(map(len, dice)), len(dice), 2))
    first = 0
    for column, scores in enumerate(dice):
        columns[first : first + len(scores), column] = scores
        first += len(scores)
    everybody = [patient for center in centers for patient in center.patients]
    return bootstrap_interval(sums_by_patient(columns, everybody))


def _average(seeds: Sequence[Sequence[Mapping[str, Any]]], patients: Sequence[int]) -> Scores:
    def mean(value: Callable[[Mapping[str, Any]], float | None]) -> Floats:
        """(N,) a case's value, averaged over the seeds."""
        values = [[value(case) for case in cases] for cases in seeds]
        return mean_there(np.asarray(values, dtype=np.float64))

    def metric(name: str) -> Floats:
        # Records from before precision was measured have none, which counts as undefined.
        return mean(lambda case: case["aneurysm"].get(name))

    def missed(case: Mapping[str, Any]) -> int:
        return sum(not lesion["detected"] for lesion in case["lesions"])

    volumes = [sum(lesion["volume_ml"] for lesion in case["lesions"]) for case in seeds[0]]
    return Scores(
        values={name: metric(name) for name in METRICS},
        lesions=np.stack([mean(missed), mean(lambda case: len(case["lesions"]))], axis=1),
        false_positives=mean(lambda case: case["false_positives"]),
        volumes_ml=np.array(volumes),
        patients=patients,
        seeds=len(seeds),
    )
