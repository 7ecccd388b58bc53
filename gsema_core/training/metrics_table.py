"""``metrics.csv``: the numbers of a run, a line every few steps and one a validation. No torch."""

from __future__ import annotations

import csv
from pathlib import Path

from gsema_core.training.run_files import METRICS

TRAINING, VALIDATION = "training", "validation"
"""What a line is of, its ``kind``."""

COLUMNS = {
    TRAINING: (
        "learning_rate",
        "loss_source",
        "loss_target",
        "loss_contrast",
        "loss_consistency",
        "similarity",
        "gate_open_rate",
        "alpha",
        "gradient_norm",
        "skipped",
        "loss_scale",
        "seconds_per_step",
        "teacher_loss_source",
        "teacher_loss_target",
    ),
    VALIDATION: ("aneurysm_dice", "vessel_dice"),
}
"""The numbers of each kind of line; the others' stay empty in it."""

CLICKED = "clicked_dice"
"""The last column of runs whose network takes clicks: aneurysm Dice after one click in each."""

HEAD = ("step", "kind", "seconds")
"""What every line has: the step, its kind, and the seconds of steps up to it."""

EARLIER = {TRAINING: "steps.csv", VALIDATION: "validation.csv"}
"""Two tables that runs wrote up to version 0.9; a run that goes on joins them into one."""

Row = dict[str, str]


def score_names(clicks: bool) -> tuple[str, ...]:
    """The scores of a validation, in order.

    Args:
        clicks: whether the network takes clicks.
    """
    return (*COLUMNS[VALIDATION], *((CLICKED,) if clicks else ()))


def choosing_names(score: str, clicks: bool) -> tuple[str, ...]:
    """The scores whose mean chooses the teacher: automatic, and after clicks where it takes them.

    Args:
        score: the automatic one, ``aneurysm_dice``, or ``vessel_dice`` where no case for validation
            has an aneurysm, which nobody can click then.
        clicks: whether the network takes clicks.
    """
    return (score, CLICKED) if clicks and score != "vessel_dice" else (score,)


def read_metrics(folder: Path, kind: str = "") -> list[Row]:
    """The whole lines of a run's table, in order; none where there is no table.

    A last line that a full disk cut off, or that is being written right now, is left out.

    Args:
        folder: the run's.
        kind: of lines, or empty for all.
    """
    path = folder / METRICS
    rows = _whole_lines(path) if path.is_file() else _earlier(folder)
    return [row for row in rows if kind in ("", row["kind"])]


def has_metrics(folder: Path) -> bool:
    """Whether there is a table to read."""
    return any((folder / name).is_file() for name in (METRICS, *EARLIER.values()))


def _earlier(folder: Path) -> list[Row]:
    rows = [
        {**row, "kind": kind}
        for kind, name in EARLIER.items()
        for row in _whole_lines(folder / name)
    ]
    return sorted(rows, key=lambda row: int(row["step"]))  # where alike, the training's first


def _whole_lines(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    rows = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())
    return [row for row in rows if _is_whole(row)]


def _is_whole(row: dict[str, str]) -> bool:
    return (row.get("step") or "").isdecimal() and None not in row.values()
