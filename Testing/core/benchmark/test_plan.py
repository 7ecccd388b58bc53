"""Which cells there are, in which order, and what their training may see."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gsema_core.benchmark.plan import SCORING
from gsema_core.datasets import read_datalist
from gsema_core.errors import UserError
from gsema_core.training.validation import validation_settings


def test_a_center_is_complete_before_the_next(make_plan):
    plan = make_plan(seeds=(3, 4))
    order = [(cell.seed, cell.center, cell.row) for cell in plan.cells]
    rows = ("no_ema", "gs_ema_bacl")
    assert order == [(seed, center, row) for seed in (3, 4) for center in "AB" for row in rows]


def test_cells_differ_only_in_their_row_center_and_seed(make_plan):
    plan = make_plan(seeds=(0, 1))
    configs = [plan.config(cell) for cell in plan.cells]
    assert len({config.run.output for config in configs}) == len(configs)
    assert len({config.data.cache for config in configs}) == 1
    assert {config.run.seed for config in configs} == {0, 1}
    assert {config.run.steps for config in configs} == {3}


def test_training_lists_name_no_case_of_the_unseen_center(make_plan):
    plan = make_plan()
    plan.begin()
    for cell in plan.cells:
        listed = read_datalist(plan.config(cell).data.datalist)
        assert listed and all(case.center != cell.center for case in listed)


def test_a_patient_of_the_unseen_center_is_left_out_wherever_imaged(make_plan):
    plan = make_plan()
    cases = [replace(case, patient="both") if n in (0, 3) else case
             for n, case in enumerate(plan.cases)]  # fmt: skip
    plan = replace(plan, cases=tuple(cases))
    assert [case.patient for case in plan.seen("B")] == ["secret-1", "secret-2"]
    assert len(plan.unseen("B")) == 3


def test_cases_for_testing_are_not_trained_on_but_scored(make_plan):
    plan = make_plan()
    plan = replace(plan, cases=tuple(replace(case, use="test") if case.patient == "secret-4"
                                     else case for case in plan.cases))  # fmt: skip
    assert "secret-4" not in {case.patient for case in plan.seen("A")}
    assert "secret-4" in {case.patient for case in plan.unseen("B")}


def test_a_folder_keeps_to_one_benchmark(make_plan):
    make_plan().begin()
    make_plan(seeds=(0, 1), rows=("ema",)).begin()  # more of the same
    with pytest.raises(UserError, match=r"begun with another steps in \[run\]"):
        make_plan(run={"steps": 9}).begin()
    with pytest.raises(UserError, match="begun with another cases"):
        plan = make_plan()
        replace(plan, cases=plan.cases[:-1]).begin()


def test_settings_name_no_patient(make_plan):
    plan = make_plan()
    plan.begin()
    text = (plan.output / "benchmark.json").read_text()
    assert "secret" not in text and json.loads(text)["run"]["steps"] == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": ("em",)}, "'em' is unknown"),
        ({"centers": ("C",)}, "'C' has no case in the datalist: use A, B"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(make_plan, changes, message):
    with pytest.raises(UserError, match=message):
        make_plan(**changes)


def test_one_center_cannot_be_left_out(make_plan):
    plan = make_plan()
    with pytest.raises(UserError, match="two or more"):
        replace(plan, cases=tuple(plan.unseen("A")))


def test_rows_whose_settings_do_not_fit_each_other_are_refused_at_once(make_plan):
    make_plan(rows=("vaseg", "cmdg"), method={"consistency_weight": 1.0})  # rivals have their own
    with pytest.raises(UserError, match=r"consistency_weight in \[method\] is 1, but"):
        make_plan(rows=("vaseg", "gs_ema"), method={"consistency_weight": 1.0})
    with pytest.raises(UserError, match="'blur' is unknown"):
        make_plan(rows=("gs_ema",), method={"transform": ["blur"]})


def test_teachers_are_chosen_by_the_rule_that_they_are_scored_by(make_plan):
    plan = make_plan()
    for cell in plan.cells:
        settings = validation_settings(plan.config(cell))
        assert settings.minimum_certainty == SCORING.minimum_certainty == 0.0
        assert settings.walls_by_scan is SCORING.walls_by_scan is False
