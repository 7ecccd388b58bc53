"""The run's log: a CSV line every N steps, and one for each validation."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.training.run_files import STEPS, VALIDATION
from gsema_core.training.trainer import StepRecord, Trainer

COLUMNS = {
    STEPS: (
        "step",
        "seconds",
        "learning_rate",
        "loss_source",
        "loss_target",
        "loss_contrast",
        "similarity",
        "gate_open_rate",
        "alpha",
        "gradient_norm",
        "skipped",
        "seconds_per_step",
        "teacher_loss_source",
        "teacher_loss_target",
        "loss_scale",
        "loss_consistency",
    ),
    VALIDATION: ("step", "seconds", "aneurysm_dice", "vessel_dice"),
}


class Logbook:
    """Averages steps between two lines of ``steps.csv``; writes ``validation.csv``.

    On resuming, lines of steps that the checkpoint does not know are dropped: they happen again.
    The same numbers go to TensorBoard where that is installed.

    Attributes:
        records: the steps since the last line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[StepRecord] = []
        self.board: Any = None

    def resume_at(self, step: int) -> None:
        """Go on with the files of a run that has made ``step`` steps; at -1, begin them."""
        for name, columns in COLUMNS.items():
            path = self.folder / name
            rows: list[dict[str, str]] = []
            if path.exists() and step >= 0:
                with path.open(newline="", encoding="utf-8") as file:
                    whole = filter(_is_whole, csv.DictReader(file))
                    rows = [row for row in whole if int(row["step"]) <= step]
            with (
                atomic_path(path) as temporary,
                temporary.open("w", newline="", encoding="utf-8") as file,
            ):
                writer = csv.DictWriter(file, columns, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
        self.board = open_board(self.folder, step)

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
            "step": trainer.step,
            "seconds": round(seconds, 1),
            "learning_rate": f"{trainer.scheduler.get_last_lr()[0]:.3g}",
            "gate_open_rate": round(gate_open_rate, 4),
            "skipped": sum(each.skipped for each in self.records),
            "seconds_per_step": round(rate, 4),
            "teacher_loss_source": round(teacher[0], 5),
            "teacher_loss_target": round(teacher[1], 5),
            "loss_scale": trainer.loss_scale.value,
        }
        self._append(STEPS, row)
        self.records.clear()

    def write_validation(self, step: int, seconds: float, scores: Mapping[str, float]) -> None:
        rounded = {name: round(value, 5) for name, value in scores.items()}
        self._append(VALIDATION, {"step": step, "seconds": round(seconds, 1), **rounded})

    def close(self) -> None:
        """Let TensorBoard write what it still holds, as far as there is a place for it."""
        if self.board is not None:
            with suppress(OSError):
                self.board.close()

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        path = self.folder / name
        try:
            with path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, COLUMNS[name]).writerow(row)
            self._show_on_board(name, row)
        except OSError as error:
            raise UserError(
                f"The log {path} cannot be written ({error.strerror or error}): restore its folder "
                "or free some space, and start the run again; it goes on from its last checkpoint."
            ) from error

    def _show_on_board(self, name: str, row: Mapping[str, Any]) -> None:
        if self.board is not None:
            table = name.removesuffix(".csv")
            for column in COLUMNS[name][1:]:
                self.board.add_scalar(f"{table}/{column}", float(row[column]), int(row["step"]))
            self.board.flush()


def _is_whole(row: Mapping[str, str | None]) -> bool:
    """Whether a line was written to its end: a full disk may have cut the last one off."""
    return (row["step"] or "").isdigit() and None not in row.values()


def open_board(folder: Path, step: int) -> Any:
    """A TensorBoard writer, or None where TensorBoard is not installed (an optional extra)."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
