"""What a finished cell leaves behind: its scores and what its training measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsema_core.benchmark.budget import RECORD, Budget
from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.evaluation.cases import CaseScore
from gsema_core.files.text_files import write_json
from gsema_core.training.metrics_table import TRAINING, VALIDATION, read_metrics

_AVERAGED = ("similarity", "gate_open_rate", "alpha", "seconds_per_step")

Record = Mapping[str, Any]


def read_records(plan: Plan) -> dict[Cell, Record]:
    """The records of all cells that are finished with the plan's budget."""
    return {cell: each for cell, each in _all(plan).items() if _budget(plan, each) == plan.budget}


def other_budgets(plan: Plan) -> dict[Budget, int]:
    """How many cells are finished with which other budget, and not with the plan's."""
    return dict(
        Counter(b for b in (_budget(plan, e) for e in _all(plan).values()) if b != plan.budget)
    )


def _all(plan: Plan) -> dict[Cell, Record]:
    paths = {cell: plan.output / cell.folder / RECORD for cell in plan.cells}
    return {
        cell: json.loads(path.read_text(encoding="utf-8"))
        for cell, path in paths.items()
        if path.is_file()
    }


def _budget(plan: Plan, record: Record) -> Budget:
    """Versions before this line had one budget a benchmark."""
    return Budget.of(record["budget"]) if "budget" in record else plan.oldest_budget


def write_record(
    plan: Plan, cell: Cell, training: Mapping[str, Any], scores: Sequence[CaseScore]
) -> None:
    """Write a cell's record: from then on it is finished."""
    record = {
        "row": cell.row,
        "center": cell.center,
        "seed": cell.seed,
        "budget": plan.budget.plain,
        "training": dict(training),
        "cases": [score.to_dict() for score in scores],
    }
    write_json(record, plan.output / cell.folder / RECORD)


def training_numbers(folder: Path) -> dict[str, Any]:
    """What a run's ``metrics.csv`` says, in a few numbers."""
    steps, validations = read_metrics(folder, TRAINING), read_metrics(folder, VALIDATION)
    numbers: dict[str, Any] = {
        "steps": int(steps[-1]["step"]),
        "seconds": float(steps[-1]["seconds"]),
    }
    for name in _AVERAGED:
        values = [float(row[name]) for row in steps]
        numbers[name] = round(sum(values) / len(values), 5)
    if validations:
        best = max(validations, key=lambda row: (float(row["aneurysm_dice"]), int(row["step"])))
        numbers["best_step"] = int(best["step"])
        numbers["validation_dice"] = float(best["aneurysm_dice"])
    return numbers
