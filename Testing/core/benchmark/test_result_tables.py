"""The numbers in the tables, on scores that were made up."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

from gsema_core.benchmark.result_tables import comparisons, reference_row, write_tables
from gsema_core.benchmark.scores import collect, complete_centers, macro_interval

ML = {"1": 0.1, "2": 0.2}


def case(number: str, dice: float, missed: int = 0, false_positives: int = 0) -> dict[str, Any]:
    scores = {"dice": dice, "sensitivity": None if dice < 0.05 else dice, "jaccard": dice / 2,
              "volume_similarity": 1.0, "hd95_mm": 2.0, "nsd_0.5mm": 0.5}  # fmt: skip
    lesion = {"volume_ml": 0.1, "largest_diameter_mm": 6.0, "detected": not missed}
    return {"case": number, "aneurysm": scores, "vessel": scores, "lesions": [lesion],
            "false_positives": false_positives}  # fmt: skip


def record(dices: list[float], **values: Any) -> dict[str, Any]:
    training = {"steps": 3, "seconds": 60.0, "similarity": 0.5, "gate_open_rate": 0.9,
                "alpha": 0.99, "validation_dice": 0.4}  # fmt: skip
    return {"training": training,
            "cases": [case(str(n), dice, **values) for n, dice in enumerate(dices, 1)]}  # fmt: skip


@pytest.fixture
def plan(make_plan):
    made = make_plan(rows=("ema", "gs_ema_bacl"), seeds=(0, 1))
    made.begin()
    return made


@pytest.fixture
def records(plan):
    """GS-EMA + BACL is .2 better on every case; the second seed is .1 better than the first."""
    return {
        cell: record(
            [0.1 * n + 0.1 * cell.seed + (0.2 if cell.row == "gs_ema_bacl" else 0)
             + (0.1 if cell.center == "A" else 0) for n in range(1, 4)]
        )
        for cell in plan.cells
    }  # fmt: skip


def test_a_cases_seeds_are_averaged(plan, records):
    scores = collect(plan, records)["ema", "B"]
    assert scores.seeds == 2
    np.testing.assert_allclose(scores.values["dice"], [0.15, 0.25, 0.35])
    np.testing.assert_allclose(scores.volumes_ml, [0.1, 0.1, 0.1])


def test_missed_share_counts_aneurysms(plan):
    (first, *_) = plan.cells
    records = {first: {**record([0.5, 0.5]), "cases": [case("1", 0.5), case("2", 0.0, missed=1)]}}
    scores = collect(plan, records)[first.row, first.center]
    assert scores.missed_share == 0.5
    assert np.isnan(scores.values["sensitivity"][1])


def test_only_complete_centers_are_averaged(plan, records):
    assert complete_centers(plan, records) == ["A", "B"]
    records.pop(next(cell for cell in records if cell.center == "B"))
    assert complete_centers(plan, records) == ["A"]


def test_the_papers_row_is_tested_against_every_other(plan, records):
    scores = collect(plan, records)
    tests = comparisons(plan.rows, ["A", "B"], scores)
    assert set(tests) == {"ema"}
    assert tests["ema"].pairs == 6
    assert tests["ema"].mean_difference == pytest.approx(0.2)
    assert tests["ema"].p_holm < 0.05  # six of six: 2 / 2**6
    assert comparisons(plan.rows, [], scores) == {}
    assert reference_row(["ema", "feddg"]) == "feddg"


def test_no_test_is_made_without_the_row_that_it_is_against(plan, records):
    left = {cell: each for cell, each in records.items() if cell.row == "ema"}
    assert comparisons(plan.rows, ["A"], collect(plan, left)) == {}


def test_macro_interval_is_of_the_centers_mean_not_of_all_cases():
    many, few = np.full(50, 0.8), np.array([0.2, 0.2])
    assert macro_interval([many, few]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert all(np.isnan(macro_interval([many, few[:1]])))


def test_tables_hold_the_numbers(plan, records):
    write_tables(plan, records)
    page = (plan.output / "table.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| EMA |")]
    # unseen A, unseen B, mean of both, training
    assert "| 0.350 (" in lines[0] and "| 0.250 (" in lines[1]
    assert "| 0.300 (" in lines[2] and "B 0.250" in lines[2] and "| 0.647 |" in lines[2]
    assert "| 1.0 | 0.900 | 0.500 | 0.990 | 0.400 |" in lines[3]
    assert "every row was trained for 3 steps" in page
    assert page.count("simulated") >= 3
    with (plan.output / "table.csv").open() as file:
        rows = {(row["row"], row["unseen_center"]): row for row in csv.DictReader(file)}
    assert float(rows["gs_ema_bacl", "A"]["aneurysm_dice"]) == pytest.approx(0.55)
    assert rows["gs_ema_bacl", "A"]["images"] == "simulated"
    with (plan.output / "cases.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 24
