"""Many cases in one table of plain values, for JSON and for teacher cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.evaluation.cases import CaseScore, Lesion, plain
from gsema_core.evaluation.size_classes import SIZE_CLASSES
from gsema_core.evaluation.statistics import Floats, bootstrap_interval, ratio, summarize

_SMALLER_IS_BETTER = {"hd95_mm"}


def summarize_cases(cases: Sequence[CaseScore]) -> dict[str, Any]:
    """Sum up the scores of cases.

    Args:
        cases: at least one.

    Returns:
        Values for JSON, None where a number would be NaN. ``aneurysm`` and ``vessel``: for each
        metric its ``Summary`` and the worst case. ``lesions``: over all aneurysms the share
        found (sensitivity) and missed, and false positives per case, with 95 % intervals from
        resampled cases. ``missed_by_size``: by ``SIZE_CLASSES``. With several centers also
        ``centers`` (each one's aneurysm scores) and ``across_centers`` (the mean of the centers'
        means, and the worst center).
    """
    lesions = [lesion for case in cases for lesion in case.lesions]
    summary: dict[str, Any] = {
        "cases": len(cases),
        "cases_without_aneurysm": sum(not case.lesions for case in cases),
        "aneurysms": len(lesions),
        "aneurysm": _class_summary(cases, "aneurysm"),
        "vessel": _class_summary(cases, "vessel"),
        "lesions": _lesion_summary(cases),
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


def _class_summary(cases: Sequence[CaseScore], label: str) -> dict[str, Any]:
    scores: list[dict[str, float]] = [getattr(case, label) for case in cases]
    summary = {}
    for metric in scores[0]:
        values = np.array([score[metric] for score in scores])
        worst = _worst(metric, values)
        summary[metric] = {
            **{name: plain(value) for name, value in summarize(values).to_dict().items()},
            "worst": None if worst is None else plain(values[worst]),
            "worst_case": None if worst is None else cases[worst].name,
        }
    return summary


def _worst(metric: str, values: Floats) -> int | None:
    """Which case is the worst; None where none has a score."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if metric in _SMALLER_IS_BETTER else np.nanargmin(values))


def _lesion_summary(cases: Sequence[CaseScore]) -> dict[str, Any]:
    counts = np.array(
        [(case.detected, case.missed, case.false_positives, len(case.lesions)) for case in cases]
    )
    ones = np.ones(len(cases), dtype=int)
    detected, missed, false_positives, lesions = counts.T
    return {
        name: _ratio_row(np.stack(pair, axis=1))
        for name, pair in {
            "sensitivity": (detected, lesions),
            "missed_share": (missed, lesions),
            "false_positives_per_case": (false_positives, ones),
        }.items()
    }


def _ratio_row(pairs: npt.NDArray[Any]) -> dict[str, Any]:
    numbers = pairs.astype(np.float64)
    low, high = bootstrap_interval(numbers, ratio)
    return {
        "count": int(pairs[:, 0].sum()),
        "of": int(pairs[:, 1].sum()),
        "value": plain(float(ratio(numbers[None])[0])),
        "interval_low": plain(low),
        "interval_high": plain(high),
    }


def _center_summary(cases: Sequence[CaseScore]) -> dict[str, Any]:
    dice = summarize([case.aneurysm["dice"] for case in cases])
    lesions = sum(len(case.lesions) for case in cases)
    missed = sum(case.missed for case in cases)
    means = {
        metric: plain(summarize([case.aneurysm[metric] for case in cases]).mean)
        for metric in cases[0].aneurysm
    }
    return {
        "cases": len(cases),
        **means,
        "dice_low": plain(dice.interval_low),
        "dice_high": plain(dice.interval_high),
        "missed_share": plain(missed / lesions) if lesions else None,
        "false_positives_per_case": plain(sum(case.false_positives for case in cases) / len(cases)),
    }


def _across_centers(centers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    worst = min(centers, key=lambda name: centers[name]["dice"])
    macro = float(np.mean([center["dice"] for center in centers.values()]))
    return {"mean_dice": plain(macro), "worst_center": worst, "worst_dice": centers[worst]["dice"]}
