"""Many cases in one table of plain values, for JSON and for teacher cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gsema_core.evaluation.cases import CaseScore, Lesion, plain
from gsema_core.evaluation.patients import OVER_CASES, OVER_PATIENTS, known_patients
from gsema_core.evaluation.size_classes import SIZE_CLASSES
from gsema_core.evaluation.statistics import (
    Floats,
    Patients,
    bootstrap_interval,
    mean_there,
    ratio,
    summarize,
    sums_by_patient,
)

_SMALLER_IS_BETTER = {"hd95_mm"}


def summarize_cases(cases: Sequence[CaseScore]) -> dict[str, Any]:
    """Sum up the scores of cases.

    Args:
        cases: at least one.

    Returns:
        Values for JSON, None where a number would be NaN. ``patients``: how many there are, None
        where not all are known. ``intervals_over``: what the 95 % intervals resample, in words:
        patients, or cases. ``surface_distances``: what they are between, and the voxels' spacing.
        ``aneurysm`` and ``vessel``: for each metric its ``Summary`` and the
        worst case. ``lesions``: over all aneurysms the share found (sensitivity) and missed, the
        F1 (2 found / (2 found + missed + false positives), sums over all cases) and false
        positives per case, with intervals. ``missed_by_size``: by ``SIZE_CLASSES``. With
        several centers also ``centers`` (each one's aneurysm scores) and ``across_centers`` (the
        mean of the centers' means, and the worst center).
    """
    lesions = [lesion for case in cases for lesion in case.lesions]
    patients = known_patients(cases)
    summary: dict[str, Any] = {
        "cases": len(cases),
        "patients": None if patients is None else len(set(patients)),
        "intervals_over": OVER_CASES if patients is None else OVER_PATIENTS,
        "surface_distances": _about_distances(cases),
        "cases_without_aneurysm": sum(not case.lesions for case in cases),
        "aneurysms": len(lesions),
        "aneurysm": _class_summary(cases, "aneurysm", patients),
        "vessel": _class_summary(cases, "vessel", patients),
        "lesions": _lesion_summary(cases, patients),
        "missed_by_size": missed_by_size(cases),
    }
    centers = sorted({case.center for case in cases})
    if len(centers) > 1:
        of_centers = {
            center: [case for case in cases if case.center == center] for center in centers
        }
        summary["centers"] = {name: _center_summary(some) for name, some in of_centers.items()}
        summary["across_centers"] = _across_centers(summary["centers"])
    return summary


def _about_distances(cases: Sequence[CaseScore]) -> str:
    known = [case.spacing_mm for case in cases if case.spacing_mm]
    what = "in mm, between the centers of surface voxels, not between smooth surfaces"
    if not known:
        return what
    ends = [(min(steps), max(steps)) for steps in zip(*known, strict=True)]
    steps = [f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}" for low, high in ends]
    return f"{what}; voxel spacing {' x '.join(steps)} mm"


def missed_by_size(cases: Sequence[CaseScore]) -> dict[str, dict[str, int]]:
    """How many aneurysms of each of ``SIZE_CLASSES`` there are, and how many were missed."""
    lesions = [lesion for case in cases for lesion in case.lesions]
    return {
        name: _missed([one for one in lesions if low <= one.largest_diameter_mm < high])
        for name, (low, high) in SIZE_CLASSES.items()
    }


def _missed(lesions: Sequence[Lesion]) -> dict[str, int]:
    missed = sum(not lesion.detected for lesion in lesions)
    return {"aneurysms": len(lesions), "missed": missed}


def _class_summary(cases: Sequence[CaseScore], label: str, patients: Patients) -> dict[str, Any]:
    scores: list[dict[str, float]] = [getattr(case, label) for case in cases]
    summary = {}
    for metric in scores[0]:
        values = np.array([score[metric] for score in scores])
        worst = _worst(metric, values)
        summary[metric] = {
            **{name: plain(value) for name, value in asdict(summarize(values, patients)).items()},
            "worst": None if worst is None else plain(values[worst]),
            "worst_case": None if worst is None else cases[worst].name,
        }
    return summary


def _worst(metric: str, values: Floats) -> int | None:
    """Which case is the worst; None where none has a score."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if metric in _SMALLER_IS_BETTER else np.nanargmin(values))


def _lesion_summary(cases: Sequence[CaseScore], patients: Patients) -> dict[str, Any]:
    pairs = {
        "sensitivity": [(case.detected, len(case.lesions)) for case in cases],
        "missed_share": [(case.missed, len(case.lesions)) for case in cases],
        "f1": [case.lesion_counts.f1_parts for case in cases],
        "false_positives_per_case": [(case.false_positives, 1) for case in cases],
    }
    return {name: _ratio_row(sums_by_patient(values, patients)) for name, values in pairs.items()}


def _ratio_row(sums: Floats) -> dict[str, Any]:
    """(P, 2) part and whole of each patient."""
    total = sums.sum(axis=0)
    low, high = bootstrap_interval(sums)
    return {
        "count": int(total[0]),
        "of": int(total[1]),
        "value": plain(float(ratio(total))),
        "interval_low": plain(low),
        "interval_high": plain(high),
    }


def _center_summary(cases: Sequence[CaseScore]) -> dict[str, Any]:
    patients = known_patients(cases)
    dice = summarize([case.aneurysm["dice"] for case in cases], patients)
    lesions = sum(len(case.lesions) for case in cases)
    missed = sum(case.missed for case in cases)
    means = {
        metric: plain(float(mean_there([case.aneurysm[metric] for case in cases])))
        for metric in cases[0].aneurysm
    }
    found = np.sum([case.lesion_counts.f1_parts for case in cases], axis=0)
    return {
        "cases": len(cases),
        "patients": None if patients is None else len(set(patients)),
        **means,
        "dice_low": plain(dice.interval_low),
        "dice_high": plain(dice.interval_high),
        "missed_share": plain(missed / lesions) if lesions else None,
        "lesion_f1": plain(float(ratio(found))) if found.any() else None,
        "false_positives_per_case": plain(sum(case.false_positives for case in cases) / len(cases)),
    }


def _across_centers(centers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    worst = min(centers, key=lambda name: centers[name]["dice"])
    macro = float(np.mean([center["dice"] for center in centers.values()]))
    return {"mean_dice": plain(macro), "worst_center": worst, "worst_dice": centers[worst]["dice"]}
