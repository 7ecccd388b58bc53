"""The benchmark's tables: ``table.md`` to read, ``table.csv`` and ``cases.csv`` for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.benchmark.beside_the_paper import beside_the_paper
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.records import Record, other_budgets
from gsema_core.benchmark.rows import OURS, Row
from gsema_core.benchmark.scores import METRICS, Scores, collect, complete_centers, macro_interval
from gsema_core.benchmark.table_text import effect_text, p_text, with_interval
from gsema_core.evaluation.statistics import (
    FEWEST_TO_TEST,
    Comparison,
    compare_rows,
    mean_there,
    summarize,
)
from gsema_core.files.text_files import write_csv, write_text
from gsema_core.text_tables import markdown_table

Collected = Mapping[tuple[str, str], Scores]

_NOTES = """Dice, sensitivity, precision, Jaccard, volume similarity, HD95 (mm) and NSD (0.5 mm)
are the aneurysms', means over the cases of the center that the row has not seen, in training or in
any choice; in brackets 95 % bootstrap intervals over patients. A missed aneurysm scores 0 and takes
no part in the precision. Lesion F1: 2 found / (2 found + missed + false positives), over all
aneurysms. Distances are between voxel surfaces. p:
Wilcoxon's signed-rank test of a row's Dice against {reference}'s on the same patients, each one's
cases averaged, corrected by Holm; none for fewer than {fewest} patients, with whom it cannot fall
below 5 %. Effect: rank-biserial, 1 where the row is better than {reference} in every patient, -1
where it is worse."""


def write_tables(plan: Plan, records: Mapping[Cell, Record]) -> None:
    """Write the three tables of what is finished; nothing where nothing is."""
    if not records:
        return
    scores = collect(plan, records)
    page = "\n\n".join(_parts(plan, records, scores)) + "\n"
    write_text(page, plan.output / "table.md")
    write_csv([*_csv_rows(plan, scores)], plan.output / "table.csv")
    write_csv([*_case_rows(plan, records)], plan.output / "cases.csv")


def reference_row(rows: Sequence[str]) -> str:
    """The row that the others are tested against: the paper's method, or else the last."""
    return OURS if OURS in rows else rows[-1]


def comparisons(
    rows: Sequence[str], centers: Sequence[str], scores: Collected
) -> dict[str, Comparison]:
    """The reference row's Dice against every other row's, on the same patients of some centers."""
    dice = {
        row: np.concatenate([scores[row, center].values["dice"] for center in centers]).tolist()
        for row in rows
        if centers and all((row, center) in scores for center in centers)
    }
    reference = reference_row(rows)
    if reference not in dice:
        return {}
    patients = [n for center in centers for n in scores[reference, center].patients]
    return compare_rows(dice.pop(reference), dice, patients)


def _parts(plan: Plan, records: Mapping[Cell, Record], scores: Collected) -> Iterator[str]:
    what = "simulated scans" if plan.simulated else "scans"
    yield (
        f"Leave one center out: {len(plan.cases)} {what}, {len(plan.rows)} rows, unseen centers "
        f"{', '.join(plan.centers)}, seeds {', '.join(map(str, plan.seeds))}; every row was "
        f"trained for {plan.budget}."
    )
    missing = [cell for cell in plan.cells if cell not in records]
    if missing:
        yield f"Not finished: {len(missing)} of {len(plan.cells)} cells are missing."
    for budget, count in other_budgets(plan).items():
        yield f"Finished with {budget} only, and not shown here: {count} of them."
    reference = plan.method(reference_row(plan.rows)).title
    yield " ".join(_NOTES.format(reference=reference, fewest=FEWEST_TO_TEST).split())
    for center in plan.centers:
        rows = [row for row in plan.rows if (row, center) in scores]
        if rows:
            yield f"Unseen center {center} ({what})"
            tests = comparisons(plan.rows, [center], scores)
            yield markdown_table(
                [
                    _center_line(plan.method(row), scores[row, center], tests.get(row))
                    for row in rows
                ]
            )
    centers = complete_centers(plan, records)
    if len(centers) > 1:
        yield f"Mean of the unseen centers {', '.join(centers)} ({what})"
        tests = comparisons(plan.rows, centers, scores)
        yield markdown_table(
            [_macro_line(plan, row, centers, scores, tests.get(row)) for row in plan.rows]
        )
    yield "Training"
    yield markdown_table(
        [
            _training_line(plan, row, records)
            for row in plan.rows
            if any(c.row == row for c in records)
        ]
    )
    yield from beside_the_paper(plan, centers, scores)


def _center_line(method: Row, scores: Scores, test: Comparison | None) -> dict[str, Any]:
    dice = summarize(scores.values["dice"], scores.patients)
    missed = scores.missed_share
    return {
        "row": method.title,
        "cases": dice.count,
        "patients": len(set(scores.patients)),
        "seeds": scores.seeds,
        "Dice": with_interval(dice.mean, (dice.interval_low, dice.interval_high)),
        "median (IQR)": f"{dice.median:.3f} ({dice.q1:.3f} to {dice.q3:.3f})",
        **{short: _mean(scores.values[name]) for name, short in _SHORT.items()},
        "missed": with_interval(missed, scores.missed_interval(), percent=True),
        "false positives a case": f"{scores.false_positives.mean():.2f}",
        "lesion F1": _mean([scores.lesion_f1]),
        "p": p_text(test),
    }


def _macro_line(
    plan: Plan, row: str, centers: Sequence[str], scores: Collected, test: Comparison | None
) -> dict[str, Any]:
    own = [scores[row, center] for center in centers]
    dice = {center: scores[row, center].values["dice"].mean() for center in centers}
    worst = min(centers, key=lambda center: dice[center])
    paper = plan.method(row).paper.get("dice")
    return {
        "row": plan.method(row).title,
        "Dice": with_interval(float(np.mean(list(dice.values()))), macro_interval(own)),
        **{
            short: _mean([float(mean_there(each.values[name])) for each in own])
            for name, short in _SHORT.items()
        },
        "missed": f"{100 * np.mean([s.missed_share for s in own]):.0f} %",
        "lesion F1": _mean([each.lesion_f1 for each in own]),
        "worst center": f"{worst} {dice[worst]:.3f}",
        "effect": effect_text(test and _turned(test)),
        "p": p_text(test),
        "the paper's Dice, real data": "-" if paper is None else f"{paper / 100:.3f}",
    }


def _turned(test: Comparison) -> Comparison:
    """The other row's view."""
    return replace(test, mean_difference=-test.mean_difference, rank_biserial=-test.rank_biserial)


def _training_line(plan: Plan, row: str, records: Mapping[Cell, Record]) -> dict[str, Any]:
    found = [record["training"] for cell, record in records.items() if cell.row == row]

    def mean(name: str, digits: int) -> str:
        values = [float(each[name]) for each in found if name in each]
        return f"{np.mean(values):.{digits}f}" if values else "-"

    return {
        "row": plan.method(row).title,
        "cells": len(found),
        "steps": mean("steps", 0),
        "minutes": f"{np.mean([each['seconds'] for each in found]) / 60:.1f}",
        "gate open": mean("gate_open_rate", 3),
        "cosine": mean("similarity", 3),
        "alpha": mean("alpha", 3),
        "Dice, validation": mean("validation_dice", 3),
    }


def _csv_rows(plan: Plan, scores: Collected) -> Iterator[dict[str, Any]]:
    for (row, center), each in scores.items():
        test = comparisons(plan.rows, [center], scores).get(row)
        dice = summarize(each.values["dice"], each.patients)
        yield {
            "row": row,
            "title": plan.method(row).title,
            "unseen_center": center,
            "images": "simulated" if plan.simulated else "scans",
            "budget_steps": plan.budget.steps,
            "budget_minutes": plan.budget.minutes,
            "cases": dice.count,
            "patients": len(set(each.patients)),
            "seeds": each.seeds,
            **{f"aneurysm_{name}": float(mean_there(each.values[name])) for name in METRICS},
            "dice_low": dice.interval_low,
            "dice_high": dice.interval_high,
            "dice_median": dice.median,
            "dice_q1": dice.q1,
            "dice_q3": dice.q3,
            "missed_share": each.missed_share,
            "false_positives_per_case": float(each.false_positives.mean()),
            "lesion_f1": each.lesion_f1,
            "p_holm": test.p_holm if test else np.nan,
        }


def _case_rows(plan: Plan, records: Mapping[Cell, Record]) -> Iterator[dict[str, Any]]:
    for cell, record in records.items():
        patients = plan.unseen_patients(cell.center)
        for case, patient in zip(record["cases"], patients, strict=True):
            lesions = case["lesions"]
            scores = {f"aneurysm_{name}": case["aneurysm"].get(name) for name in METRICS}
            yield {
                "row": cell.row,
                "title": plan.method(cell.row).title,
                "unseen_center": cell.center,
                "seed": cell.seed,
                "case": case["case"],
                "patient": patient,
                "reference_ml": sum(lesion["volume_ml"] for lesion in lesions),
                "aneurysms": len(lesions),
                "missed": sum(not lesion["detected"] for lesion in lesions),
                "false_positives": case["false_positives"],
                **{name: np.nan if value is None else value for name, value in scores.items()},
                "vessel_dice": case["vessel"]["dice"],
            }


_SHORT = {
    "sensitivity": "Sen",
    "precision": "Pre",
    "jaccard": "Jac",
    "volume_similarity": "VS",
    "hd95_mm": "HD95",
    "nsd_0.5mm": "NSD",
}


def _mean(values: npt.ArrayLike) -> str:
    """Of what there is; a dash where nothing is."""
    mean = float(mean_there(values))
    return "-" if np.isnan(mean) else f"{mean:.3f}"
