"""The run's log: a CSV line every N steps, and one for each validation."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.training.run_files import STEPS, VALIDATION
from gsema_core.training.teacher_losses import TeacherLosses
from gsema_core.training.trainer import StepRecord

STEP_COLUMNS = (
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
)
VALIDATION_COLUMNS = ("step", "seconds", "aneurysm_dice", "vessel_dice")


@dataclass
class Logbook:
    """Averages steps between two lines of ``steps.csv``; writes ``validation.csv``.

    On resuming, lines of steps that the checkpoint does not know are dropped: they happen again.
    The same numbers go to TensorBoard where that is installed.
    """

    folder: Path
    records: list[StepRecord] = field(default_factory=list)
    board: Any = None

    def resume_at(self, step: int) -> None:
        """Go on with the files of a run that has made ``step`` steps; at -1, begin them."""
        for name, columns in (
            (STEPS, STEP_COLUMNS),
            (VALIDATION, VALIDATION_COLUMNS),
        ):
            path = self.folder / name
            rows: list[dict[str, str]] = []
            if path.exists() and step >= 0:
                with path.open(newline="", encoding="utf-8") as file:
                    rows = [
                        row
                        for row in csv.DictReader(file)
                        if _is_whole(row) and int(row["step"]) <= step
                    ]
            with (
                atomic_path(path) as temporary,
                temporary.open("w", newline="", encoding="utf-8") as file,
            ):
                writer = csv.DictWriter(file, columns, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
        self.board = open_board(self.folder, step)

    def add(self, record: StepRecord) -> None:
        self.records.append(record)

    def write_steps(
        self,
        step: int,
        seconds: float,
        learning_rate: float,
        rate: float,
        loss_scale: float,
        teacher: TeacherLosses,
    ) -> str:
        """Append the average of the steps since the last line; return it as a sentence.

        The teacher's losses are those of this step alone.
        """
        used = [each for each in self.records if not each.skipped] or self.records
        mean = {
            name: sum(float(getattr(each, name)) for each in used) / len(used)
            for name in (
                "loss_source",
                "loss_target",
                "loss_contrast",
                "loss_consistency",
                "similarity",
                "gate_open",
                "alpha",
                "gradient_norm",
            )
        }
        gate_open_rate = mean.pop("gate_open")
        row: dict[str, Any] = {
            "step": step,
            "seconds": round(seconds, 1),
            "learning_rate": f"{learning_rate:.3g}",
            "gate_open_rate": round(gate_open_rate, 4),
            "skipped": sum(each.skipped for each in self.records),
            "seconds_per_step": round(rate, 4),
            "teacher_loss_source": round(teacher.source, 5),
            "teacher_loss_target": round(teacher.target, 5),
            "loss_scale": loss_scale,
            **{name: round(value, 5) for name, value in mean.items()},
        }
        self._append(STEPS, STEP_COLUMNS, row)
        self.records.clear()
        return (
            f"loss {row['loss_source']:.3f} / {row['loss_target']:.3f} source / target, "
            f"contrast {row['loss_contrast']:.3f}, cosine {row['similarity']:.2f}, "
            f"gate open {100 * gate_open_rate:.0f} %, {rate:.2f} s a step"
        )

    def write_validation(self, step: int, seconds: float, scores: Mapping[str, float]) -> None:
        row: dict[str, float] = {"step": step, "seconds": round(seconds, 1)}
        row.update({name: round(value, 5) for name, value in scores.items()})
        self._append(VALIDATION, VALIDATION_COLUMNS, row)

    def close(self) -> None:
        """Let TensorBoard write what it still holds, as far as there is a place for it."""
        if self.board is not None:
            with suppress(OSError):
                self.board.close()

    def _append(self, name: str, columns: tuple[str, ...], row: Mapping[str, Any]) -> None:
        path = self.folder / name
        try:
            with path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, columns).writerow(row)
            self._show_on_board(name.removesuffix(".csv"), columns, row)
        except OSError as error:
            raise UserError(
                f"The log {path} cannot be written ({error.strerror or error}): restore its folder "
                "or free some space, and start the run again; it goes on from its last checkpoint."
            ) from error

    def _show_on_board(self, table: str, columns: tuple[str, ...], row: Mapping[str, Any]) -> None:
        if self.board is not None:
            for column in columns[1:]:
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
