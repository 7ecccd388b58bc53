"""What a benchmark is to do: rows, unseen centers and seeds, in the order they are done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gsema_core.benchmark.budget import Budget, begun_with
from gsema_core.benchmark.rows import ROWS, Row
from gsema_core.configuration import plain
from gsema_core.datasets.datalist import Case, case_entry, write_datalist
from gsema_core.datasets.splits import check_leave_one_out
from gsema_core.errors import UserError
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.files.atomic import make_folder
from gsema_core.files.text_files import read_json, write_json, write_text
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.training.config import TrainingConfig
from gsema_core.training.parts import check_parts

SETTINGS = "benchmark.json"

TABLES = ("table.md", "table.csv", "cases.csv")

_BUDGET = ("steps in [run]", "minutes in [run]")
_HOW_TO_LENGTHEN = " A longer budget is given by --steps or --minutes."

SCORING = SegmentationSettings(minimum_certainty=0.0, walls_by_scan=False, refuse_implausible=False)
"""How scans of the unseen centers are segmented: as everywhere, but the likeliest class wins. The
certainty that an aneurysm must reach elsewhere was chosen for the bundled teacher, and networks
that were trained briefly are less sure, each row in its own way. Walls are the network's own, as
those of rivals with a predictor of their own are."""


@dataclass(frozen=True)
class Cell:
    """One row trained without one center, from one seed."""

    row: str
    center: str
    seed: int

    @property
    def plain_row(self) -> str:
        """The row's name as it is used in names of files and teachers."""
        return self.row.replace(":", ".")

    @property
    def folder(self) -> Path:
        """Inside the benchmark's folder."""
        return Path("cells", self.center, f"{self.plain_row}-seed{self.seed}")


@dataclass(frozen=True)
class Plan:
    """A benchmark.

    Attributes:
        cases: of all centers.
        base: the settings that all rows share, with the budget.
        rows: the methods.
        centers: the centers that are left out in turn.
        seeds: the seeds of each training.
        output: the benchmark's folder.
        simulated: say with every result that the images are simulated.
        own_rows: rows beside the program's own, by name.
        lengthen: let cells that were trained with a shorter budget go on.
    """

    cases: tuple[Case, ...]
    base: TrainingConfig
    rows: tuple[str, ...]
    centers: tuple[str, ...]
    seeds: tuple[int, ...]
    output: Path
    simulated: bool = False
    own_rows: Mapping[str, Row] = field(default_factory=dict)
    lengthen: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if row not in ROWS and row not in self.own_rows:
                names = ", ".join((*ROWS, *self.own_rows))
                raise UserError(f"The row {row!r} is unknown: use {names}.")
        known = check_leave_one_out(self.cases)
        for center in self.centers:
            if center not in known:
                raise UserError(
                    f"Center {center!r} has no case in the datalist: use {', '.join(known)}."
                )
        for method in map(self.method, self.rows):
            if not method.external:
                check_parts(method.config(self.base))  # refused now, not hours later

    def method(self, row: str) -> Row:
        """What a row of that name is; its title says where gate or step are not the paper's."""
        method = ROWS[row] if row in ROWS else self.own_rows[row]
        if method.external:
            return method
        return replace(method, title=method.title + _unlike_the_paper(method.config(self.base)))

    @property
    def cells(self) -> list[Cell]:
        """All cells in order: all rows of a center before the next, so that rows compare early."""
        return [
            Cell(row, center, seed)
            for seed in self.seeds
            for center in self.centers
            for row in self.rows
        ]

    def unseen(self, center: str) -> list[Case]:
        """The cases by which rows are scored that were trained without ``center``."""
        return [case for case in self.cases if case.center == center]

    def unseen_patients(self, center: str) -> list[int]:
        """The patient of each of these cases, numbered within the whole list."""
        numbers = patient_numbers(self.cases)
        return [n for n, case in zip(numbers, self.cases, strict=True) if case.center == center]

    def seen(self, center: str) -> list[Case]:
        """The cases for training without ``center``: none of its patients, wherever imaged."""
        patients = {case.patient for case in self.unseen(center)}
        return [
            case
            for case in self.cases
            if case.center != center and case.patient not in patients and case.use != "test"
        ]

    def config(self, cell: Cell) -> TrainingConfig:
        """The training run of a cell. Its datalist names no case of the unseen center.

        The teacher is chosen by the same rule by which the unseen center is scored.
        """
        config = self.method(cell.row).config(self.base)
        return replace(
            config,
            data=replace(
                config.data,
                datalist=self.output / "datalists" / f"without-{cell.center}.json",
                cache=self.output / "cache",
                centers=(),
            ),
            run=replace(
                config.run,
                output=self.output / cell.folder,
                name=f"{cell.plain_row}-without-{cell.center}",
                seed=cell.seed,
                validation_certainty=SCORING.minimum_certainty,
                validation_walls=SCORING.walls_by_scan,
            ),
        )

    @property
    def budget(self) -> Budget:
        """Of every training."""
        return Budget(self.base.run.steps, self.base.run.minutes)

    @property
    def oldest_budget(self) -> Budget:
        """That of cells which do not tell: the one that the benchmark was begun with."""
        path = self.output / SETTINGS
        if not path.exists():
            return self.budget
        known = read_json(path, "benchmark")
        return Budget.of(known.get("budgets", [known["run"]])[0])

    def begin(self) -> None:
        """Make the folder, or check that an existing one belongs to the same benchmark.

        Rows, centers and seeds may be added later, and the budget may become longer where that is
        asked for; cases and settings may not change.

        Raises:
            UserError: the folder holds another benchmark, cannot be written, or has cells that
                cannot go on with the budget.
        """
        make_folder(self.output / "datalists")
        path = self.output / SETTINGS
        settings = self._settings()
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            budget = Budget.of(known["run"])
            run = {**known["run"], **(self.budget.plain if self.lengthen else {})}
            changed = _first_difference({**known, "run": run}, settings)
            if changed:
                longer = _HOW_TO_LENGTHEN if changed in _BUDGET else ""
                raise UserError(
                    f"The benchmark in {self.output} was begun with another {changed}: set it "
                    f"back to go on, or choose another folder.{longer}"
                )
            self._check_cells(budget)
            if budget != self.budget:
                self._keep_tables(budget)
            budgets = known.get("budgets", [budget.plain])
            settings = {
                **known,
                "run": run,
                "rows": {**known.get("rows", {}), **settings["rows"]},
                "budgets": [*(each for each in budgets if each != self.budget.plain),
                            self.budget.plain],
            }  # fmt: skip
        write_json(settings, path)
        about = "Simulated scans." if self.simulated else ""
        for center in self.centers:
            path = self.output / "datalists" / f"without-{center}.json"
            write_datalist(self.seen(center), path, about)

    def _check_cells(self, known: Budget) -> None:
        """Refuse a budget that cells which were begun with another one cannot go on with.

        A learning rate that falls over the whole training has fallen already: what is added to it
        would be another method than a training that had all of the budget from its first step.
        """
        if not self.budget.covers(known):
            raise UserError(
                f"The benchmark in {self.output} has a budget of {known}, and {self.budget} is "
                "shorter: a training can only be lengthened. Choose another folder."
            )
        for cell in self.cells:
            begun = begun_with(self.output / cell.folder, self.oldest_budget)
            if begun is None or begun == self.budget:
                continue
            method = self.method(cell.row)
            what = "nnU-Net's schedule"
            if not method.external:
                schedule = method.config(self.base).optimization.schedule
                if schedule == "constant":
                    continue
                what = f'schedule = "{schedule}"'
            elif begun.minutes and self.budget.minutes:
                continue  # the same trainer, which its time ends
            raise UserError(
                f"The row {cell.row} without {cell.center} was trained for {begun} with {what}, "
                f"which is over then: more of it would not be a training of {self.budget}. Choose "
                "another folder, where all rows are trained from their first step; "
                'schedule = "constant" in [optimization] can be lengthened.'
            )

    def _keep_tables(self, before: Budget) -> None:
        """Copies of the tables of a shorter budget: the new ones will not mix both."""
        for name in TABLES:
            path = self.output / name
            if path.is_file():
                write_text(
                    path.read_text(encoding="utf-8"),
                    path.with_name(f"{path.stem}-{before.slug}{path.suffix}"),
                )

    def _settings(self) -> dict[str, Any]:
        tables = self.base.to_dict()
        for name in ("datalist", "cache", "accept_labels"):
            tables["data"].pop(name, None)
        tables["run"].pop("output", None)
        listed = json.dumps([case_entry(case) for case in self.cases], sort_keys=True)
        return {
            **tables,
            "cases": hashlib.sha256(listed.encode()).hexdigest(),
            "simulated": self.simulated,
            "rows": {
                name: {"preset": row.preset, "changes": plain(row.changes)}
                for name, row in self.own_rows.items()
            },
        }


def _unlike_the_paper(config: TrainingConfig) -> str:
    """What a row's title says of the gate and of the student's step; nothing of the paper's."""
    method, text = config.method, ""
    if method.gate_scope != "all":
        text += f", gate of the {method.gate_scope}"
    if method.gate_unit != "network":
        text += f", gate of each {method.gate_unit}"
    if method.conflict_projection != "none":
        text += f", conflicts projected by {method.conflict_projection}"
    return text


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """The first setting that differs; one that only the program's newer version has does not."""
    for section, values in new.items():
        if not isinstance(values, dict):
            if old.get(section, values) != values:
                return section
            continue
        known = old.get(section, {})
        if section in ("transforms", "losses") and known != values:
            return f"table in [{section}]"
        for name, value in values.items():
            if known.get(name, value) != value:
                return f"{name} in [{section}]"
    return None


def parse_seeds(text: str) -> tuple[int, ...]:
    """``"0,1,2"`` as numbers."""
    parts: Sequence[str] = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdigit() for part in parts):
        raise UserError(f"The seeds {text!r} are no list of whole numbers: write for example 0,1.")
    return tuple(int(part) for part in parts)
