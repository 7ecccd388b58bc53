"""The run's log: a line of ``metrics.csv`` every N steps, and one for each validation."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.training.board import Board
from gsema_core.training.metrics_table import (
    COLUMNS,
    EARLIER,
    HEAD,
    TRAINING,
    VALIDATION,
    read_metrics,
    score_names,
)
from gsema_core.training.run_files import METRICS
from gsema_core.training.trainer import StepRecord, Trainer


class Logbook:
    """Averages steps between two lines of ``metrics.csv``, and writes a validation's line.

    On resuming, lines of steps that the checkpoint does not know are dropped: they happen again.
    The same numbers go to TensorBoard where that is installed.

    Args:
        folder: the run's.
        board: TensorBoard, where it is installed.
        clicks: whether the network takes clicks, which validations score then.

    Attributes:
        records: the steps since the last line.
    """

    def __init__(self, folder: Path, board: Board, clicks: bool = False) -> None:
        self.folder = folder
        self.board = board
        self.columns = {TRAINING: COLUMNS[TRAINING], VALIDATION: score_names(clicks)}
        self.all_columns = (*HEAD, *self.columns[TRAINING], *self.columns[VALIDATION])
        self.records: list[StepRecord] = []

    def resume_at(self, step: int) -> None:
        """Go on with the table of a run that has made ``step`` steps; at -1, begin it."""
        rows = [row for row in read_metrics(self.folder) if int(row["step"]) <= step]
        with (
            atomic_path(self.folder / METRICS) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self.all_columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        for name in EARLIER.values():
            (self.folder / name).unlink(missing_ok=True)
        self.board.open(step)

    def write_steps(
        self, trainer: Trainer, seconds: float, rate: float, teacher: Sequence[float]
    ) -> None:
        """Append the average of the steps since the last line.

        Args:
            trainer: after its last step.
            seconds: of the run so far.
            rate: seconds a step.
            teacher: its losses on source and target, of this step alone.
        """
        used = [each for each in self.records if not each.skipped] or self.records
        mean = {
            one.name: sum(float(getattr(each, one.name)) for each in used) / len(used)
            for one in fields(StepRecord)
        }
        gate_open_rate = mean.pop("gate_open")
        row: dict[str, Any] = {
            **{name: round(value, 5) for name, value in mean.items()},
            "learning_rate": f"{trainer.scheduler.get_last_lr()[0]:.3g}",
            "gate_open_rate": round(gate_open_rate, 4),
            "skipped": sum(each.skipped for each in self.records),
            "seconds_per_step": round(rate, 4),
            "teacher_loss_source": round(teacher[0], 5),
            "teacher_loss_target": round(teacher[1], 5),
            "loss_scale": trainer.loss_scale.value,
        }
        self._append(TRAINING, trainer.step, seconds, row)
        self.records.clear()

    def write_validation(self, step: int, seconds: float, scores: Mapping[str, float]) -> None:
        rounded = {name: round(value, 5) for name, value in scores.items()}
        self._append(VALIDATION, step, seconds, rounded)

    def _append(self, kind: str, step: int, seconds: float, row: Mapping[str, Any]) -> None:
        path = self.folder / METRICS
        head = {"step": step, "kind": kind, "seconds": round(seconds, 1)}
        try:
            with path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self.all_columns, restval="").writerow({**head, **row})
        except OSError as error:
            raise UserError(
                f"The log {path} cannot be written ({error.strerror or error}): restore its folder "
                "or free some space, and start the run again; it goes on from its last checkpoint."
            ) from error
        self.board.numbers(kind, step, {name: float(row[name]) for name in self.columns[kind]})
