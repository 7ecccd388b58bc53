"""A benchmark that is given a longer budget: what goes on, what cannot, and that nothing mixes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from gsema_core.benchmark import run_benchmark
from gsema_core.benchmark.budget import Budget, begun_with, go_on_with
from gsema_core.benchmark.records import other_budgets, read_records
from gsema_core.errors import UserError
from gsema_core.training.metrics_table import read_metrics

CONSTANT = {"schedule": "constant"}
COLUMNS = ("step", "learning_rate", "loss_source", "loss_target", "similarity", "alpha")


def silent(line: str) -> None:
    pass


@pytest.fixture
def plan_of(make_plan):
    """``plan_of(4)``: one cell of that many steps, which may lengthen what is there."""

    def make(steps: int, schedule: str = "constant", **more):
        plan = make_plan(
            rows=more.pop("rows", ("gs_ema",)),
            centers=more.pop("centers", ("A",)),
            run={"steps": steps, "validate_every": 1, **more},
            optimization={"schedule": schedule},
        )
        return replace(plan, lengthen=True)

    return make


def everything(plan) -> tuple:
    (cell,) = plan.cells
    rows = read_metrics(plan.output / cell.folder, "training")
    steps = [[row[name] for name in COLUMNS] for row in rows]
    return steps, read_records(plan)[cell]["cases"]


def test_a_lengthened_training_is_one_that_had_the_budget_from_its_first_step(plan_of, tmp_path):
    whole = plan_of(4)
    run_benchmark(whole, silent)
    expected = everything(whole)
    whole.output.rename(tmp_path / "whole")

    run_benchmark(plan_of(2), silent)
    lines: list[str] = []
    longer = plan_of(4)
    assert run_benchmark(longer, lines.append)
    assert "Cells finished with 2 steps: 1. They go on to 4 steps." in lines
    assert any("Going on at step 2 of 4." in line for line in lines)
    assert everything(longer) == expected


def test_records_tell_their_budget_and_tables_do_not_mix_two(plan_of):
    run_benchmark(plan_of(1, rows=("gs_ema", "no_ema")), silent)
    longer = plan_of(2, rows=("gs_ema", "no_ema"))
    before = (longer.output / "table.md").read_text()

    def stop_at_the_second_cell() -> bool:
        return len(read_records(longer)) == 1

    assert not run_benchmark(longer, silent, stop_at_the_second_cell)
    assert list(read_records(longer)) == longer.cells[:1]
    assert other_budgets(longer) == {Budget(1, 0.0): 1}
    folder = longer.output / longer.cells[0].folder
    assert json.loads((folder / "scores.json").read_text())["budget"]["steps"] == 2
    assert json.loads((folder / "scores-1-steps.json").read_text())["budget"]["steps"] == 1
    page = (longer.output / "table.md").read_text()
    assert "every row was trained for 2 steps" in page
    assert "Not finished: 1 of 2 cells are missing." in page
    assert "Finished with 1 step only, and not shown here: 1 of them." in page
    assert "| no EMA |" not in page
    assert (longer.output / "table-1-steps.md").read_text() == before
    with (longer.output / "table.csv").open() as file:
        assert {row["budget_steps"] for row in csv.DictReader(file)} == {"2"}


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_a_schedule_that_is_over_cannot_be_lengthened(plan_of, schedule):
    short = plan_of(1, schedule)
    run_benchmark(short, silent)
    settings = (short.output / "benchmark.json").read_text()
    with pytest.raises(UserError, match=f'was trained for 1 step with schedule = "{schedule}"'):
        run_benchmark(plan_of(2, schedule), silent)
    assert (short.output / "benchmark.json").read_text() == settings
    assert run_benchmark(short, silent)  # it stays what it is


def test_cells_that_were_not_begun_may_have_any_schedule(plan_of):
    plan_of(1, "cosine").begin()
    longer = plan_of(2, "cosine")
    assert run_benchmark(longer, silent)
    assert [each["training"]["steps"] for each in read_records(longer).values()] == [2]


def test_a_training_is_not_shortened(plan_of):
    plan_of(4).begin()
    with pytest.raises(UserError, match="has a budget of 4 steps, and 3 steps is shorter"):
        plan_of(3).begin()
    with pytest.raises(UserError, match="and 9 steps, at most 2 minutes is shorter"):
        plan_of(9, minutes=2.0).begin()


@pytest.mark.parametrize(
    ("longer", "shorter", "covers"),
    [
        (Budget(2, 0), Budget(1, 0), True),
        (Budget(1, 0), Budget(1, 5), True),
        (Budget(1, 5), Budget(1, 0), False),
        (Budget(9, 5), Budget(1, 6), False),
        (Budget(1, 9), Budget(1, 6), True),
    ],
)
def test_a_budget_covers_another_in_steps_and_in_minutes(longer, shorter, covers):
    assert longer.covers(shorter) is covers


def test_a_cell_of_a_version_that_wrote_no_budget_has_the_oldest(tmp_path):
    oldest, longer = Budget(1000, 0.0), Budget(2000, 0.0)
    assert begun_with(tmp_path, oldest) is None
    (tmp_path / "checkpoint.pt").touch()
    (tmp_path / "trained").touch()  # nnU-Net's mark, which would end it at once
    (tmp_path / "scores.json").write_text("{}")
    assert begun_with(tmp_path, oldest) == oldest
    go_on_with(tmp_path, longer, oldest)
    assert begun_with(tmp_path, oldest) == longer
    assert (tmp_path / "scores-1000-steps.json").is_file()
    assert not (tmp_path / "scores.json").exists() and not (tmp_path / "trained").exists()


def test_nnunet_is_lengthened_in_minutes_only(make_plan):
    def plan(**run):
        return replace(make_plan(rows=("nnunet",), centers=("B",), run=run), lengthen=True)

    first = plan(steps=100, minutes=1.0)
    first.begin()
    go_on_with(first.output / first.cells[0].folder, first.budget, first.budget)
    plan(steps=100, minutes=2.0).begin()
    with pytest.raises(UserError, match="with nnU-Net's schedule, which is over then"):
        plan(steps=200, minutes=0.0).begin()
