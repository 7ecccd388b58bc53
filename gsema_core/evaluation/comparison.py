"""Whether a new teacher is better than the one it started from, on the same cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gsema_core.datasets.datalist import Case
from gsema_core.evaluation.cases import CaseScore, plain
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.evaluation.score_summary import missed_by_size
from gsema_core.evaluation.statistics import (
    FEWEST_TO_TEST,
    Comparison,
    compare_rows,
    means_by_patient,
)

Verdict = Literal["better", "worse", "same"]

LEVEL = 0.05
"""Of the test, as everywhere in medicine."""

MARGIN = 0.01
"""Difference of the mean Dice that counts where there are too few patients to test. Our choice."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Both teachers on one list of cases.

    Attributes:
        numbers: the numbers of the cases in their list.
        cases: the cases; several of one patient count as one.
        start: the scores of the first teacher.
        new: the scores of the new one.
    """

    numbers: Sequence[int]
    cases: Sequence[Case]
    start: Sequence[CaseScore]
    new: Sequence[CaseScore]

    @property
    def patients(self) -> list[int]:
        """Each case's patient as a number."""
        return patient_numbers(self.cases)


def compare_teachers(held_out: Compared, replay: Compared | None = None) -> dict[str, Any]:
    """Compare two teachers case by case and in sum.

    The verdict is about the aneurysm Dice; each patient's cases are averaged first. From
    ``FEWEST_TO_TEST`` patients on, a paired Wilcoxon signed-rank test at 5 % decides. With fewer
    patients, the means must differ by more than ``MARGIN``. The verdict is "same" if the means
    and the signed ranks favor different teachers: a few large losses against many small gains,
    or the other way round.

    Args:
        held_out: cases that neither teacher was trained on.
        replay: cases of the kind that the first teacher was trained on, to see what was
            forgotten.

    Returns:
        Values for JSON: ``cases`` (number, patient's number, center, and the metrics of ``start``
        and ``new``), ``summary`` (of both; means are over patients), ``verdict``,
        ``verdict_text``, ``p_value`` (None without a test), ``warnings`` (plain sentences) and
        ``replay`` (cases and summary, or None). Nothing in it names a patient.
        ``surface_distance_mm`` is the HD95 and None where only one of reference and result has an
        aneurysm: that case counts as missed or false. Its mean is over the
        ``surface_distance_cases`` in which it is a number with both teachers.
    """
    cases, summary = _rows(held_out), _summary(held_out)
    test = _test(held_out)
    verdict = _verdict(test)
    warnings = [
        *_about_the_cases(test.patients, [case.use for case in held_out.cases]),
        *_about_the_change(test, verdict, summary),
    ]
    report: dict[str, Any] = {
        "cases": cases,
        "summary": summary,
        "verdict": verdict,
        "verdict_text": _in_words(verdict, summary, test.p),
        "p_value": None if math.isnan(test.p) else float(f"{test.p:.3g}"),
        "warnings": warnings,
        "replay": None,
    }
    if replay is not None:
        report["replay"] = {"cases": _rows(replay), "summary": _summary(replay)}
        warnings += _about_forgetting(report["replay"]["summary"])
    return report


def _rows(compared: Compared) -> list[dict[str, Any]]:
    return [
        {
            "case": number,
            "patient": patient,
            "center": start.center,
            "start": _metrics(start),
            "new": _metrics(new),
        }
        for number, patient, start, new in zip(
            compared.numbers, compared.patients, compared.start, compared.new, strict=True
        )
    ]


def _metrics(score: CaseScore) -> dict[str, Any]:
    return {
        "aneurysm_dice": plain(score.aneurysm["dice"]),
        "sensitivity": plain(score.aneurysm["sensitivity"]),
        "precision": plain(score.aneurysm["precision"]),
        "missed": score.missed,
        "false_positives": score.false_positives,
        "lesion_f1": plain(score.lesion_counts.f1),
        "surface_distance_mm": plain(_surface_distance(score)),
        "aneurysms": len(score.lesions),
        "vessel_dice": plain(score.vessel["dice"]),
    }


def _surface_distance(score: CaseScore) -> float:
    """HD95 in mm; NaN where only one of reference and result has an aneurysm.

    Exactly then the volume similarity is 0.
    """
    return score.aneurysm["hd95_mm"] if score.aneurysm["volume_similarity"] else math.nan


def _summary(compared: Compared) -> dict[str, dict[str, Any]]:
    distances = np.array(
        [[_surface_distance(score) for score in some] for some in (compared.start, compared.new)]
    )
    distances[:, np.isnan(distances).any(axis=0)] = math.nan  # only where both have one
    return {
        "start": _summed(compared.start, distances[0], compared.patients),
        "new": _summed(compared.new, distances[1], compared.patients),
    }


def _summed(
    scores: Sequence[CaseScore], distances: Floats, patients: Sequence[int]
) -> dict[str, Any]:
    def mean(values: Sequence[float] | Floats) -> float | int | None:
        means = means_by_patient(values, patients)
        return plain(float(np.nanmean(means))) if not np.isnan(means).all() else None

    return {
        "cases": len(scores),
        "patients": len(set(patients)),
        "aneurysms": sum(len(score.lesions) for score in scores),
        "aneurysm_dice": mean([score.aneurysm["dice"] for score in scores]),
        "sensitivity": mean([score.aneurysm["sensitivity"] for score in scores]),
        "precision": mean([score.aneurysm["precision"] for score in scores]),
        "missed": sum(score.missed for score in scores),
        "missed_by_size": missed_by_size(scores),
        "false_positives_per_case": plain(
            sum(score.false_positives for score in scores) / len(scores)
        ),
        "lesion_f1": mean([score.lesion_counts.f1 for score in scores]),
        "surface_distance_mm": mean(distances),
        "surface_distance_cases": int((~np.isnan(distances)).sum()),
        "vessel_dice": mean([score.vessel["dice"] for score in scores]),
    }


def _test(compared: Compared) -> Comparison:
    """The new teacher's aneurysm Dice against that of its start."""
    start, new = (
        [score.aneurysm["dice"] for score in scores] for scores in (compared.start, compared.new)
    )
    return compare_rows(new, {"start": start}, compared.patients)["start"]


def _verdict(test: Comparison) -> Verdict:
    if not _counts(test) or test.mean_difference * test.rank_biserial <= 0:
        return "same"
    return "better" if test.rank_biserial > 0 else "worse"


def _counts(test: Comparison) -> bool:
    """Whether the difference is more than chance may be."""
    if math.isnan(test.p):
        return abs(test.mean_difference) >= MARGIN
    return test.p < LEVEL


def _in_words(verdict: Verdict, summary: dict[str, Any], p: float) -> str:
    change = _change(summary)
    test = "" if math.isnan(p) else f", paired Wilcoxon test p = {p:.2g}"
    new = summary["new"]
    cases = f"{new['cases']} held-out case{'s' * (new['cases'] != 1)}"
    if new["patients"] != new["cases"]:
        cases += f" of {new['patients']} patient{'s' * (new['patients'] != 1)}"
    words = "about as good as" if verdict == "same" else f"{verdict} than"
    return f"The new model is {words} its start on {cases} ({change}{test})."


def _change(summary: dict[str, Any]) -> str:
    start, new = (summary[which]["aneurysm_dice"] for which in ("start", "new"))
    return f"mean aneurysm Dice {new:.3f} instead of {start:.3f}"


def _about_the_cases(patients: int, uses: Sequence[str]) -> Iterator[str]:
    if patients < FEWEST_TO_TEST:
        yield (
            f"Only {patients} patient{'s were' if patients != 1 else ' was'} held out: the "
            f"difference may be chance. Hold out {FEWEST_TO_TEST} or more for a test."
        )
    trained = sum(use in ("training", "validation") for use in uses)
    undecided = sum(not use for use in uses)
    if trained:
        yield (
            f"{trained} of the {len(uses)} cases are marked for training or validation: on them "
            "the new model's scores are too good."
        )
    elif undecided:
        yield (
            f"{undecided} of the {len(uses)} cases are not marked for testing: if the new model "
            "was trained on them, its scores are too good."
        )


def _about_the_change(test: Comparison, verdict: Verdict, summary: dict[str, Any]) -> Iterator[str]:
    start, new = summary["start"], summary["new"]
    if _counts(test) and test.mean_difference * test.rank_biserial < 0:
        few, many = ("losses", "gains") if test.rank_biserial > 0 else ("gains", "losses")
        yield (
            f"Mean and ranks disagree: a few large {few} outweigh the {many} in the mean, but not "
            f"in the ranks ({_change(summary)}). Look at these cases before you "
            "decide."
        )
    if not new["aneurysms"]:
        yield "No held-out case has an aneurysm: the scores say nothing about finding one."
    if verdict == "worse":
        yield "The new model got worse: keep the one that it started from."
    if new["missed"] > start["missed"]:
        yield (
            f"The new model misses {new['missed']} of {new['aneurysms']} aneurysms, its start "
            f"{start['missed']}."
        )
    if new["false_positives_per_case"] > start["false_positives_per_case"]:
        yield (
            f"The new model finds {new['false_positives_per_case']:.2g} false aneurysms a case, "
            f"its start {start['false_positives_per_case']:.2g}."
        )


def _about_forgetting(summary: dict[str, Any]) -> Iterator[str]:
    if summary["start"]["aneurysm_dice"] - summary["new"]["aneurysm_dice"] >= MARGIN:
        yield (
            f"The new model has forgotten part of what its start knew: on the "
            f"{summary['new']['cases']} cases of the other kind, {_change(summary)}."
        )
