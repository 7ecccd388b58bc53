"""How long a benchmark's trainings may take, and which budget a cell was trained with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gsema_core.files.text_files import read_json, write_json
from gsema_core.training.run_files import CHECKPOINT
from gsema_core.training.status import budget_text

RECORD = "scores.json"
"""In the folder of a finished cell."""

_BUDGET = "budget.json"


@dataclass(frozen=True)
class Budget:
    """Of every training of a benchmark.

    Attributes:
        steps: optimizer steps.
        minutes: of steps, at most; 0 for no limit.
    """

    steps: int
    minutes: float

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> Budget:
        """That of a table with ``steps`` and ``minutes``."""
        return cls(int(run["steps"]), float(run["minutes"]))

    @property
    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def slug(self) -> str:
        """For names of files: ``1000-steps``."""
        minutes = f"-{self.minutes:g}-minutes" if self.minutes else ""
        return f"{self.steps}-steps{minutes}"

    def covers(self, other: Budget) -> bool:
        """Whether nothing of it is shorter than ``other``'s."""
        mine, theirs = (each.minutes or math.inf for each in (self, other))
        return self.steps >= other.steps and mine >= theirs

    def __str__(self) -> str:
        return budget_text(self.steps, self.minutes)


def begun_with(folder: Path, oldest: Budget) -> Budget | None:
    """The budget that a cell was last trained with; None where it was not begun.

    Args:
        folder: the cell's.
        oldest: that of cells of versions which wrote none.
    """
    if (folder / _BUDGET).is_file():
        return Budget.of(read_json(folder / _BUDGET, "budget"))
    begun = any((folder / name).exists() for name in (CHECKPOINT, RECORD, "training_seconds.txt"))
    return oldest if begun else None


def go_on_with(folder: Path, budget: Budget, oldest: Budget) -> None:
    """Let a cell be trained with a budget: the record of a shorter one gets its name.

    Raises:
        UserError: a file cannot be written.
    """
    before = begun_with(folder, oldest)
    if before is not None and before != budget:
        if (folder / RECORD).is_file():
            (folder / RECORD).replace(folder / f"scores-{before.slug}.json")
        (folder / "trained").unlink(missing_ok=True)  # nnU-Net's, which has more to do now
    folder.mkdir(parents=True, exist_ok=True)
    write_json(budget.plain, folder / _BUDGET)
