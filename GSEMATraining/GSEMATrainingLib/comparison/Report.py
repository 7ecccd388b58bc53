"""The report of a comparison, as ``gsema teacher compare`` writes it, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _


@dataclass(frozen=True)
class Measure:
    """A column of the report.

    Attributes:
        key: in a case's scores.
        sumKey: in the summary's.
        title: for people.
        decimals: of its numbers.
    """

    key: str
    sumKey: str
    title: str
    decimals: int


def measures() -> list[Measure]:
    """The columns, in their order."""
    return [
        Measure("aneurysm_dice", "aneurysm_dice", _("Aneurysm Dice"), 2),
        Measure("sensitivity", "sensitivity", _("Sensitivity"), 2),
        Measure("precision", "precision", _("Precision"), 2),
        Measure("missed", "missed", _("Missed"), 0),
        Measure("false_positives", "false_positives_per_case", _("False positives"), 0),
        Measure("lesion_f1", "lesion_f1", _("F1 of aneurysms"), 2),
        Measure("surface_distance_mm", "surface_distance_mm", _("Surface distance (mm)"), 1),
        Measure("vessel_dice", "vessel_dice", _("Vessel Dice"), 2),
    ]


def headings() -> list[str]:
    return [_("Case"), _("Center"), *(one.title for one in measures())]


def rows(report: Mapping[str, Any]) -> list[list[str]]:
    """The table's texts: a row a case, then all cases, then the replayed phantoms."""
    lines = []
    for case in report.get("cases", []):
        cells = [_change(case, one.key, one.decimals) for one in measures()]
        lines.append([str(case.get("case", "")), str(case.get("center") or ""), *cells])
    if report.get("summary"):
        lines.append([_("All"), "", *_summary(report["summary"])])
    replay = report.get("replay")
    if isinstance(replay, Mapping) and replay.get("summary"):
        lines.append([_("Phantoms"), _("replay"), *_summary(replay["summary"])])
    return lines


def verdictText(report: Mapping[str, Any], use: str = "test") -> str:
    """Better, worse or the same, with the test's p-value and every warning.

    Args:
        report: as it was written.
        use: what the cases were kept for.
    """
    count = len(report.get("cases", []))
    verdicts = {
        "better": _("The new model is better on {count} {use} cases"),
        "worse": _("The new model is WORSE on {count} {use} cases: do not use it"),
        "same": _("There is no clear difference on {count} {use} cases"),
    }
    text = verdicts.get(str(report.get("verdict")), _("{count} {use} cases were compared"))
    text = text.format(count=count, use=use)
    p = report.get("p_value")
    if isinstance(p, (int, float)):
        text += _(" (paired Wilcoxon test, p = {p:.2g})").format(p=p)
    lines = [text + "."]
    if use == "validation":
        lines.append(
            _("These cases chose the new model, which flatters it: keep some for a test next time.")
        )
    lines += [str(warning) for warning in report.get("warnings", [])]
    return "\n".join(lines)


def _summary(summary: Mapping[str, Any]) -> list[str]:
    return [
        # Missed ones are a sum, all others means, which need a decimal more.
        _change(summary, one.sumKey, one.decimals + (one.sumKey != one.key))
        for one in measures()
    ]


def _change(scores: Mapping[str, Any], key: str, decimals: int) -> str:
    """Before → after."""
    texts = []
    for teacher in ("start", "new"):
        value = (scores.get(teacher) or {}).get(key)
        isNumber = isinstance(value, (int, float))
        texts.append(f"{value:.{decimals}f}" if isNumber else "–")
    return " → ".join(texts)
