"""The numbers in the tables, on scores that were made up."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

from gsema_core.benchmark import Plan
from gsema_core.benchmark.result_tables import comparisons, reference_row, write_tables
from gsema_core.benchmark.scores import Scores, collect, complete_centers, macro_interval

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
    cases = [case("1", 0.5), case("2", 0.0, missed=1), case("3", 0.5)]
    scores = collect(plan, {first: {**record([]), "cases": cases}})[first.row, first.center]
    assert scores.missed_share == pytest.approx(1 / 3)
    assert np.isnan(scores.values["sensitivity"][1])


def test_lesion_f1_and_records_from_before_precision(plan):
    (first, *_) = plan.cells
    cases = [case("1", 0.5), case("2", 0.0, missed=1, false_positives=1), case("3", 0.5)]
    records = {first: {**record([]), "cases": cases}}
    assert collect(plan, records)[first.row, first.center].lesion_f1 == 4 / 6  # 2 + 2 found
    write_tables(plan, records)
    assert "| - |" in (plan.output / "table.md").read_text()
    for number, one in enumerate(cases):
        one["aneurysm"] = {
            **one["aneurysm"],
            "precision": None if number == 1 else 0.25 + number / 4,
        }
    write_tables(plan, records)
    with (plan.output / "table.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["aneurysm_precision"]) == 0.5


def test_only_complete_centers_are_averaged(plan, records):
    assert complete_centers(plan, records) == ["A", "B"]
    records.pop(next(cell for cell in records if cell.center == "B"))
    assert complete_centers(plan, records) == ["A"]


def test_the_papers_row_is_tested_against_every_other(plan, records):
    scores = collect(plan, records)
    tests = comparisons(plan.rows, ["A", "B"], scores)
    assert set(tests) == {"ema"}
    assert tests["ema"].patients == 6
    assert tests["ema"].mean_difference == pytest.approx(0.2)
    assert tests["ema"].p_holm < 0.05  # six of six: 2 / 2**6
    assert comparisons(plan.rows, [], scores) == {}
    assert reference_row(["ema", "feddg"]) == "feddg"


def test_no_test_is_made_without_the_row_that_it_is_against(plan, records):
    left = {cell: each for cell, each in records.items() if cell.row == "ema"}
    assert comparisons(plan.rows, ["A"], collect(plan, left)) == {}


def scored(dice: list[float], patients: list[int]) -> Scores:
    """Scores of cases of these patients; what is not about Dice is left out."""
    values = np.array(dice)
    return Scores({"dice": values}, np.empty((0, 2)), values, values, patients, 1)


def test_macro_interval_is_of_the_centers_mean_not_of_all_cases():
    many, few = scored([0.8] * 50, [*range(50)]), scored([0.2, 0.2], [50, 51])
    assert macro_interval([many, few]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert all(np.isnan(macro_interval([many, scored([0.2], [50])])))


def test_macro_interval_draws_patients_of_several_centers_once():
    """The same 12 patients at both centers are 12 and not 24: their interval is that of one."""
    dice = list(np.random.default_rng(0).random(12))
    here, again = scored(dice, [*range(12)]), scored(dice, [*range(12)])
    both, one = macro_interval([here, again]), macro_interval([here])
    assert both == pytest.approx(one)
    apart = macro_interval([here, scored(dice, [*range(12, 24)])])
    assert apart[1] - apart[0] < 0.8 * (both[1] - both[0])


def test_repeated_scans_of_patients_change_no_p_and_no_interval(plan, records, monkeypatch):
    """The fault that this prevents: every scan counted as a patient."""
    once = collect(plan, records)
    monkeypatch.setattr(Plan, "unseen_patients", lambda plan, center: [1, 2, 3, 4, 5, 6] * 2)
    six = {
        cell: record([0.1 * n + 0.1 * cell.seed + 0.02 * n * (cell.row != "ema")
                      for n in [1, 2, 3, 4, 5, 6] * 2])
        for cell in plan.cells
    }  # fmt: skip
    twice = collect(plan, six)
    test = comparisons(plan.rows, ["A"], twice)["ema"]
    assert (test.patients, test.p) == (6, pytest.approx(2 / 64))
    halves = {
        key: scored(list(each.values["dice"][:6]), [*range(6)]) for key, each in twice.items()
    }
    assert macro_interval([twice["ema", "A"]]) == pytest.approx(
        macro_interval([halves["ema", "A"]])
    )
    assert np.isnan(comparisons(plan.rows, ["A"], once)["ema"].p)  # three are too few to test


def test_patients_are_numbered_within_the_whole_list(plan):
    assert plan.unseen_patients("A") == [1, 2, 3]
    assert plan.unseen_patients("B") == [4, 5, 6]


def test_tables_hold_the_numbers(plan, records):
    write_tables(plan, records)
    page = (plan.output / "table.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| EMA |")]
    # unseen A, unseen B, mean of both, training, beside the paper's
    assert "| 0.350 (" in lines[0] and "| 0.250 (" in lines[1]
    assert "| 0.300 (" in lines[2] and "B 0.250" in lines[2] and "| 0.647 |" in lines[2]
    assert "| 1.0 | 0.900 | 0.500 | 0.990 | 0.400 |" in lines[3]
    assert "every row was trained for 3 steps" in page
    assert page.count("simulated") >= 3
    assert "| EMA | 3 | 3 | 2 |" in lines[0]
    assert "none for fewer than 6 patients" in page
    with (plan.output / "table.csv").open() as file:
        rows = {(row["row"], row["unseen_center"]): row for row in csv.DictReader(file)}
    assert float(rows["gs_ema_bacl", "A"]["aneurysm_dice"]) == pytest.approx(0.55)
    assert rows["gs_ema_bacl", "A"]["images"] == "simulated"
    with (plan.output / "cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    assert len(cases) == 24
    assert {(row["unseen_center"], row["patient"]) for row in cases if row["case"] == "2"} == {
        ("A", "2"), ("B", "5"),
    }  # fmt: skip


def test_every_table_names_a_gate_that_sees_the_decoder_only(make_plan):
    """Not beside a row that another package trains."""
    plan = make_plan(rows=("gs_ema", "nnunet"), method={"gate_scope": "decoder"})
    plan.begin()
    write_tables(plan, {cell: record([0.5] * 3) for cell in plan.cells})
    page = (plan.output / "table.md").read_text()
    # unseen A, unseen B, mean of both, training, beside the paper's
    assert page.count("| GS-EMA, gate of the decoder |") == 5 and page.count("| nnU-Net |") == 5
    assert "| GS-EMA |" not in page
    for name in ("table.csv", "cases.csv"):
        with (plan.output / name).open() as file:
            titles = {row["row"]: row["title"] for row in csv.DictReader(file)}
        assert titles == {"gs_ema": "GS-EMA, gate of the decoder", "nnunet": "nnU-Net"}


def test_a_title_names_a_gate_and_a_step_that_are_not_the_papers(make_plan):
    ours = {"gate_unit": "weight", "conflict_projection": "layer"}
    plan = make_plan(rows=("gs_ema",), method=ours)
    assert (
        plan.method("gs_ema").title == "GS-EMA, gate of each weight, conflicts projected by layer"
    )
