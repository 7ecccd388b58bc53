"""A comparison of two teachers as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gsema_core.text_tables import markdown_table, shown

_ROWS = {
    "aneurysm_dice": "aneurysm Dice, mean",
    "sensitivity": "sensitivity, mean",
    "precision": "precision, mean",
    "missed": "missed aneurysms",
    "false_positives_per_case": "false aneurysms a case",
    "lesion_f1": "F1 of aneurysms found, mean",
    "surface_distance_mm": "surface distance (HD95, mm), mean of {surface_distance_cases} cases",
    "vessel_dice": "vessel Dice, mean",
}
_COLUMNS = {
    "aneurysm_dice": "Dice",
    "missed": "missed",
    "false_positives": "false",
    "surface_distance_mm": "HD95 (mm)",
}


def comparison_page(report: Mapping[str, Any]) -> str:
    """The report of ``gsema teacher compare`` as Markdown."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"**{report['verdict_text']}**"
    if report["warnings"]:
        yield "\n".join(f"- {warning}" for warning in report["warnings"])
    teachers = [f"{which}: {one['name']} ({one['sha256'][:12]})" for which, one in
                report["teachers"].items()]  # fmt: skip
    yield f"Teachers, with the beginning of their files' SHA-256: {', '.join(teachers)}."
    yield "Means are over patients, each one's cases averaged before."
    yield _summary_table(report["summary"])
    yield _case_table(report["cases"])
    if report["replay"] is not None:
        yield "Cases of the kind that the start was trained on:"
        yield _summary_table(report["replay"]["summary"])
        yield _case_table(report["replay"]["cases"])


def _summary_table(summary: Mapping[str, Mapping[str, Any]]) -> str:
    start, new = summary["start"], summary["new"]
    count = f"cases: {new['cases']}, patients: {new['patients']}, aneurysms: {new['aneurysms']}"
    rows = [
        {count: title.format(**new), "start": shown(start[name]), "new": shown(new[name])}
        for name, title in _ROWS.items()
    ]
    rows += [
        {
            count: f"missed of {new['missed_by_size'][size]['aneurysms']} that are {size}",
            "start": str(start["missed_by_size"][size]["missed"]),
            "new": str(new["missed_by_size"][size]["missed"]),
        }
        for size in new["missed_by_size"]
        if new["missed_by_size"][size]["aneurysms"]
    ]
    return markdown_table(rows)


def _case_table(cases: Sequence[Mapping[str, Any]]) -> str:
    return markdown_table(
        [
            {
                "case": case["case"],
                "patient": case["patient"],
                "center": case["center"],
                "aneurysms": case["new"]["aneurysms"],
                **{
                    f"{title}, {which}": case[which][name]
                    for name, title in _COLUMNS.items()
                    for which in ("start", "new")
                },
            }
            for case in cases
        ]
    )
