"""Whether a new teacher is better than the one it started from, on the same cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gsema_core.datasets.datalist import Case
from gsema_core.evaluation.cases import CaseScore, plain
from gsema_core.evaluation.score_summary import missed_by_size
from gsema_core.evaluation.statistics import compare_rows

Verdict = Literal["better", "worse", "same"]

FEWEST_TO_TEST = 6
"""Patients from which on the two-sided signed-rank test can fall below 5 %: 2 / 2^6 = 3 %."""

LEVEL = 0.05
"""Of the test, as everywhere in medicine."""

MARGIN = 0.01
"""Difference of the mean Dice that counts where there are too few patients to test. Our choice."""

METRICS = (
    "aneurysm_dice", "sensitivity", "missed", "false_positives", "surface_distance_mm",
    "aneurysms", "vessel_dice",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Both teachers on one list of cases.

    Attributes:
        numbers: of the cases, in the list that they come from.
        cases: the cases; several of one patient count as one in the test.
        start, new: the scores of each teacher.
    """

    numbers: Sequence[int]
    cases: Sequence[Case]
    start: Sequence[CaseScore]
    new: Sequence[CaseScore]

    @property
    def patients(self) -> list[str]:
        return [case.patient for case in self.cases]


def compare_teachers(held_out: Compared, replay: Compared | None = None) -> dict[str, Any]:
    """Compare two teachers case by case and in sum.

    The verdict is on the aneurysm Dice: from ``FEWEST_TO_TEST`` patients on that of a paired
    Wilcoxon signed-rank test at 5 %, with fewer the difference of the means beyond ``MARGIN``.

    Args:
        held_out: cases that neither teacher was trained on.
        replay: cases of the kind that the first teacher was trained on, to see what was
            forgotten.

    Returns:
        Values for JSON: ``cases`` (number, center, and ``METRICS`` of ``start`` and ``new``),
        ``summary`` (of both), ``verdict``, ``verdict_text``, ``p_value`` (None without a test),
        ``warnings`` (plain sentences) and ``replay`` (cases and summary, or None). Nothing in it
        names a patient. ``surface_distance_mm`` is the HD95 and None where only one of reference
        and result has an aneurysm: that case counts as missed or false.
    """
    cases, summary = _rows(held_out), _summary(held_out)
    difference = summary["new"]["aneurysm_dice"] - summary["start"]["aneurysm_dice"]
    count = len(set(held_out.patients))
    p_value = _test(held_out) if count >= FEWEST_TO_TEST else None
    verdict = _verdict(difference, p_value)
    warnings = [
        *_about_the_number(count),
        *_about_their_use([case.use for case in held_out.cases]),
        *_about_the_change(verdict, summary),
    ]
    report: dict[str, Any] = {
        "cases": cases,
        "summary": summary,
        "verdict": verdict,
        "verdict_text": _in_words(verdict, summary, p_value),
        "p_value": None if p_value is None else plain(p_value),
        "warnings": warnings,
        "replay": None,
    }
    if replay is not None:
        report["replay"] = {"cases": _rows(replay), "summary": _summary(replay)}
        warnings += _about_forgetting(report["replay"]["summary"])
    return report


def _rows(compared: Compared) -> list[dict[str, Any]]:
    return [
        {"case": number, "center": start.center, "start": _metrics(start), "new": _metrics(new)}
        for number, start, new in zip(compared.numbers, compared.start, compared.new, strict=True)
    ]


def _metrics(score: CaseScore) -> dict[str, Any]:
    values = (
        score.aneurysm["dice"], score.aneurysm["sensitivity"], score.missed,
        score.false_positives, _surface_distance(score), len(score.lesions), score.vessel["dice"],
    )  # fmt: skip
    return {name: plain(value) for name, value in zip(METRICS, values, strict=True)}


def _surface_distance(score: CaseScore) -> float:
    """HD95 in mm; NaN where only one of reference and result has an aneurysm.

    Exactly then the volume similarity is 0.
    """
    return score.aneurysm["hd95_mm"] if score.aneurysm["volume_similarity"] else math.nan


def _summary(compared: Compared) -> dict[str, dict[str, Any]]:
    pairs = list(zip(compared.start, compared.new, strict=True))
    both = [pair for pair in pairs if not any(math.isnan(_surface_distance(s)) for s in pair)]
    return {
        name: _summed(scores, [pair[index] for pair in both])
        for index, (name, scores) in enumerate((("start", compared.start), ("new", compared.new)))
    }


def _summed(scores: Sequence[CaseScore], with_distance: Sequence[CaseScore]) -> dict[str, Any]:
    return {
        "cases": len(scores),
        "aneurysms": sum(len(score.lesions) for score in scores),
        "aneurysm_dice": _mean([score.aneurysm["dice"] for score in scores]),
        "sensitivity": _mean([score.aneurysm["sensitivity"] for score in scores]),
        "missed": sum(score.missed for score in scores),
        "missed_by_size": missed_by_size(scores),
        "false_positives_per_case": _mean([score.false_positives for score in scores]),
        "surface_distance_mm": _mean([_surface_distance(score) for score in with_distance]),
        "vessel_dice": _mean([score.vessel["dice"] for score in scores]),
    }


def _mean(values: Sequence[float]) -> float | int | None:
    numbers = [value for value in values if not math.isnan(value)]
    return plain(float(np.mean(numbers))) if numbers else None


def _test(compared: Compared) -> float:
    """Wilcoxon's p for the aneurysm Dice, a patient's cases averaged."""
    start, new = (
        _by_patient(compared.patients, [score.aneurysm["dice"] for score in scores])
        for scores in (compared.start, compared.new)
    )
    return compare_rows(new, {"start": start})["start"].p


def _by_patient(patients: Sequence[str], values: Sequence[float]) -> list[float]:
    of_patient: dict[str, list[float]] = {}
    for patient, value in zip(patients, values, strict=True):
        of_patient.setdefault(patient, []).append(value)
    return [float(np.mean(some)) for some in of_patient.values()]


def _verdict(difference: float, p_value: float | None) -> Verdict:
    """``difference`` is that of the mean aneurysm Dice, new minus start."""
    counts = abs(difference) >= MARGIN if p_value is None else p_value < LEVEL
    if not counts or not difference:
        return "same"
    return "better" if difference > 0 else "worse"


def _in_words(verdict: Verdict, summary: dict[str, Any], p_value: float | None) -> str:
    change = _change(summary, "aneurysm_dice")
    test = "" if p_value is None else f", paired Wilcoxon test p = {p_value:.2g}"
    cases = f"{summary['new']['cases']} held-out case{'s' * (summary['new']['cases'] != 1)}"
    if verdict == "same":
        return f"The new teacher is about as good as its start on {cases} ({change}{test})."
    return f"The new teacher is {verdict} than its start on {cases} ({change}{test})."


def _change(summary: dict[str, Any], metric: str) -> str:
    start, new = (summary[which][metric] for which in ("start", "new"))
    return (
        f"mean {metric.replace('_', ' ').replace('dice', 'Dice')} {new:.3f} instead of {start:.3f}"
    )


def _about_the_number(patients: int) -> list[str]:
    if patients >= FEWEST_TO_TEST:
        return []
    return [
        f"Only {patients} patient{'s were' if patients != 1 else ' was'} held out: the difference "
        f"may be chance. Hold out {FEWEST_TO_TEST} or more for a test."
    ]


def _about_their_use(uses: Sequence[str]) -> list[str]:
    trained = sum(use in ("training", "validation") for use in uses)
    undecided = sum(not use for use in uses)
    if trained:
        return [
            f"{trained} of the {len(uses)} cases are marked for training or validation: on them "
            "the new teacher's scores are too good."
        ]
    if undecided:
        return [
            f"{undecided} of the {len(uses)} cases are not marked for testing: if the new teacher "
            "was trained on them, its scores are too good."
        ]
    return []


def _about_the_change(verdict: Verdict, summary: dict[str, Any]) -> list[str]:
    start, new = summary["start"], summary["new"]
    warnings = []
    if not new["aneurysms"]:
        warnings.append(
            "No held-out case has an aneurysm: the scores say nothing about finding one."
        )
    if verdict == "worse":
        warnings.append("The new teacher got worse: keep the one that it started from.")
    if new["missed"] > start["missed"]:
        warnings.append(
            f"The new teacher misses {new['missed']} of {new['aneurysms']} aneurysms, its start "
            f"{start['missed']}."
        )
    if new["false_positives_per_case"] > start["false_positives_per_case"]:
        warnings.append(
            f"The new teacher finds {new['false_positives_per_case']:.2g} false aneurysms a case, "
            f"its start {start['false_positives_per_case']:.2g}."
        )
    return warnings


def _about_forgetting(summary: dict[str, Any]) -> list[str]:
    if summary["start"]["aneurysm_dice"] - summary["new"]["aneurysm_dice"] < MARGIN:
        return []
    return [
        f"The new teacher has forgotten part of what its start knew: on the "
        f"{summary['new']['cases']} cases of the other kind, {_change(summary, 'aneurysm_dice')}."
    ]
