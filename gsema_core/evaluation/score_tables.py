"""Scores and teacher cards as people read them: Markdown for pages, aligned lines for terminals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gsema_core.evaluation.patients import OVER_CASES
from gsema_core.evaluation.size_classes import SIZE_CLASSES
from gsema_core.plugins import is_outside
from gsema_core.text_tables import Row, markdown_table, shown, text_table

if TYPE_CHECKING:
    from gsema_core.evaluation.cases import CaseScore

TITLES = {
    "dice": "Dice",
    "sensitivity": "sensitivity",
    "jaccard": "Jaccard",
    "volume_similarity": "volume similarity",
    "hd95_mm": "HD95 (mm)",
    "nsd_0.5mm": "NSD at 0.5 mm",
    "reference_ml": "volume (ml)",
    "largest_diameter_mm": "largest diameter (mm)",
    "false_positives": "false positives",
    "lesion_f1": "lesion F1",
    "f1": "F1 (2 found / (2 found + missed + false))",
    "dice_low": "Dice, 95 % from",
    "dice_high": "to",
    "missed_share": "missed aneurysms",
    "false_positives_per_case": "false positives per case",
}

SHARES = {
    "dice", "sensitivity", "precision", "jaccard", "volume_similarity", "nsd_0.5mm", "dice_low",
    "dice_high", "missed_share", "f1", "lesion_f1", "mean_dice", "worst_dice",
}  # fmt: skip
"""Scores that are shares of 1."""

PERCENT = " (%)"

_READING_ORDER = [
    "images", "centers_scored", "centers_unseen_in_training", "case", "patient", "center", "cases",
    "patients", "intervals_over", "surface_distances", "cases_without_aneurysm", "aneurysms",
    "reference_ml", "largest_diameter_mm", "aneurysm", "vessel", "dice", "dice_low", "dice_high",
    "sensitivity", "precision", "jaccard", "volume_similarity", "hd95_mm", "nsd_0.5mm", "count",
    "of", "value", "mean", "interval_low", "interval_high", "median", "q1", "q3", "worst",
    "worst_case", "lesions", "missed_share", "missed", "f1", "lesion_f1", "false_positives",
    "false_positives_per_case", "missed_by_size", *SIZE_CLASSES,
]  # fmt: skip


def case_row(case: CaseScore) -> dict[str, Any]:
    """Everything about one case, one value a column."""
    return {
        "case": case.name,
        **({} if case.patient is None else {"patient": case.patient}),
        **({"center": case.center} if case.center else {}),
        "aneurysms": len(case.lesions),
        "detected": case.detected,
        "missed": case.missed,
        "false_positives": case.false_positives,
        "lesion_f1": case.lesion_counts.f1,
        "reference_ml": case.reference_ml,
        "largest_diameter_mm": case.largest_diameter_mm,
        **{f"aneurysm_{name}": value for name, value in case.aneurysm.items()},
        **{f"vessel_{name}": value for name, value in case.vessel.items()},
    }


def in_percent(values: Row) -> dict[str, Any]:
    """A summary with its shares of 1 as percent, under names that say so; the rest as it is."""
    changed = {}
    for name, value in values.items():
        if name in SHARES:
            changed[name + PERCENT] = _times_100(value)
        else:
            changed[name] = in_percent(value) if isinstance(value, dict) else value
    return changed


def score_page(results: Mapping[str, Any]) -> str:
    """The scores on a card (``scored_card``'s ``metrics["test"]``) as Markdown tables."""
    return "\n\n".join(_score_tables(results)) + "\n"


def with_intervals_said(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A card's metrics; where scores are from before patients were numbered, they say so."""
    return {
        name: {"intervals_over": OVER_CASES, **values}
        if isinstance(values, dict) and "per_case" in values
        else values
        for name, values in metrics.items()
    }


def as_rows(value: Any) -> list[Row] | None:
    """A list of flat tables, or a table of two or more like ones, as rows; None for others."""
    if isinstance(value, dict) and len(value) > 1 and all(map(_is_flat, value.values())):
        if len({frozenset(row) for row in value.values()}) == 1:
            return [{"": name, **_in_order(value[name])} for name in _in_order(value)]
    elif isinstance(value, list) and value and all(map(_is_flat, value)):
        return [_in_order(row) for row in value]
    return None


def text_lines(values: Row, most_rows: int | None = None, indent: str = "") -> Iterator[str]:
    """A table of tables as indented lines.

    Args:
        values: as JSON has them.
        most_rows: tables of more rows are only counted; None shows them all.
        indent: in front of each line.
    """
    for key, value in _in_order(values).items():
        # Parts from outside (module:Name) stay as they are written.
        title = indent + (key if is_outside(key) else key.replace("_", " "))
        rows = as_rows(value)
        if rows is not None and most_rows is not None and len(rows) > most_rows:
            yield f"{title}: {len(rows)} rows, shown with --cases"
        elif rows is not None:
            yield title
            yield from (f"{indent}  {line}" for line in text_table(rows))
        elif isinstance(value, dict) and value:
            yield title
            yield from text_lines(value, most_rows, indent + "  ")
        elif isinstance(value, list):
            yield f"{title}: {', '.join(map(str, value)) or '-'}"
        else:
            yield f"{title}: {value if value not in ({}, None) else '-'}"


def _score_tables(results: Mapping[str, Any]) -> Iterator[str]:
    what = "simulated scans" if results.get("images") == "simulated" else "scans"
    centers, patients = ", ".join(results["centers_scored"]), results.get("patients")
    whose = "" if patients is None else f" of {patients} patient{'s' * (patients != 1)}"
    aneurysms = f"{results['aneurysms']} aneurysm{'s' * (results['aneurysms'] != 1)}"
    yield f"{results['cases']} {what}{whose} at {centers} with {aneurysms}."
    yield f"95 % intervals are over {results.get('intervals_over', OVER_CASES)}."
    if "surface_distances" in results:
        yield f"Surface distances are {results['surface_distances']}."
    for label in ("aneurysm", "vessel"):
        rows = [
            {label: TITLES.get(metric, metric), "cases": row["count"],
             **_with_interval(row, "mean"), "median": row["median"], "Q1": row["q1"],
             "Q3": row["q3"],
             "worst (case)": f"{shown(row.get('worst'))} ({shown(row.get('worst_case'))})"}
            for metric, row in results[label].items()
        ]  # fmt: skip
        yield markdown_table(rows, TITLES)
    lesions = [
        {"lesions": TITLES.get(name, name), **_with_interval(row, "value"),
         "count": f"{row['count']} of {row['of']}"}
        for name, row in results["lesions"].items()
    ]  # fmt: skip
    yield markdown_table(lesions, TITLES)
    sizes = [{"largest diameter": name, **row} for name, row in results["missed_by_size"].items()]
    yield markdown_table(sizes, TITLES)
    if "centers" in results:
        of_centers = [{"center": name, **row} for name, row in results["centers"].items()]
        yield markdown_table(of_centers, TITLES)
    if results.get("per_case"):
        yield markdown_table(results["per_case"], TITLES)


def _times_100(value: Any) -> Any:
    """A share, or all shares of its row."""
    if isinstance(value, dict):
        return {name: cell if name in ("count", "of", "worst_case") else _times_100(cell)
                for name, cell in value.items()}  # fmt: skip
    return None if value is None else round(100 * value, 2)


def _with_interval(row: Row, name: str) -> dict[str, str]:
    interval = f"{shown(row['interval_low'])} to {shown(row['interval_high'])}"
    return {name: shown(row[name]), "95 % interval": interval}


def _in_order(values: Row) -> dict[str, Any]:
    """What a reader wants first goes first: JSON may have been sorted by name."""
    places = {name: place for place, name in enumerate(_READING_ORDER)}
    names = sorted(values, key=lambda name: places.get(name.removesuffix(PERCENT), len(places)))
    return {name: values[name] for name in names}


def _is_flat(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and not any(isinstance(cell, (dict, list)) for cell in value.values())
    )
