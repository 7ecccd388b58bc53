"""The scores of cases as LaTeX tables, for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gsema_core.evaluation.cases import CaseScore
from gsema_core.evaluation.score_tables import SHARES, TITLES
from gsema_core.text_tables import Row, latex_table

_OF_A_CASE = ("dice", "sensitivity", "precision", "jaccard", "hd95_mm", "nsd_0.5mm")
_OF_A_CENTER = ("dice", "sensitivity", "precision", "hd95_mm", "missed_share", "lesion_f1",
                "false_positives_per_case")  # fmt: skip


def latex_page(
    summary: Mapping[str, Any],
    cases: Sequence[CaseScore],
    notes: Sequence[str] = (),
    *,
    percent: bool = False,
) -> str:
    """Each table as a ``tabular`` that needs no package; what to know of it as comments.

    Args:
        summary: of ``summarize_cases``.
        cases: its cases.
        notes: sentences about them.
        percent: shares of 1 in percent.
    """
    about = [
        f"{summary['cases']} cases with {summary['aneurysms']} aneurysms.",
        f"95 % intervals are over {summary['intervals_over']}.",
        f"Surface distances are {summary['surface_distances']}.",
        *notes,
    ]
    comments = "\n".join(f"% {' '.join(line.split())}" for line in about)
    return "\n\n".join([comments, *_tables(summary, cases, percent)]) + "\n"


def _tables(summary: Mapping[str, Any], cases: Sequence[CaseScore], percent: bool) -> Iterator[str]:
    yield latex_table(
        [
            {"": _title(metric, percent)}
            | {
                f"{label}{column}": text
                for label in ("aneurysm", "vessel")
                for column, text in _spread(metric, summary[label][metric], percent).items()
            }
            for metric in summary["aneurysm"]
        ]
    )
    yield latex_table(
        [
            {"aneurysms found": _title(name, percent),
             "value (95 % interval)": _with_interval(name, row, "value", percent)}
            for name, row in summary["lesions"].items()
        ]
    )  # fmt: skip
    if "centers" in summary:
        yield latex_table(
            [
                {"center": center, "cases": str(row["cases"])}
                | {_title(name, percent): _number(name, row[name], percent)
                   for name in _OF_A_CENTER}
                for center, row in summary["centers"].items()
            ]
        )  # fmt: skip
    yield latex_table([_case(case, percent) for case in cases])


def _spread(metric: str, row: Row, percent: bool) -> dict[str, str]:
    low, high = (_number(metric, row[name], percent) for name in ("q1", "q3"))
    return {
        ", mean (95 % interval)": _with_interval(metric, row, "mean", percent),
        ", median (quartiles)": f"{_number(metric, row['median'], percent)} ({low} to {high})",
    }


def _with_interval(name: str, row: Row, value: str, percent: bool) -> str:
    middle, low, high = (
        _number(name, row[part], percent) for part in (value, "interval_low", "interval_high")
    )
    return f"{middle} ({low} to {high})"


def _case(case: CaseScore, percent: bool) -> dict[str, str]:
    scores = {name: _number(name, case.aneurysm[name], percent) for name in _OF_A_CASE}
    return {
        "case": case.name,
        **({"center": case.center} if case.center else {}),
        "aneurysms": str(len(case.lesions)),
        "missed": str(case.missed),
        "false": str(case.false_positives),
        **{_title(name, percent): text for name, text in scores.items()},
    }


def _title(name: str, percent: bool) -> str:
    title = TITLES.get(name, name.replace("_", " "))
    return f"{title} (%)" if percent and name in SHARES else title


def _number(name: str, value: float | None, percent: bool) -> str:
    if value is None or value != value:  # NaN is not itself
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f}" if percent else f"{value:.3f}"
    return f"{value:.2f}"
