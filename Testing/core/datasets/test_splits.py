from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.datasets import split_by_patient
from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError


def make_cases(**patients_of_center: int) -> list[Case]:
    """Two scans of every patient."""
    return [
        Case(f"{center}{number}", center, Path(f"{center}{number}{scan}"), Path("label"))
        for center, count in patients_of_center.items()
        for number in range(count)
        for scan in "xy"
    ]


def test_no_patient_is_on_both_sides():
    split = split_by_patient(make_cases(A=10, B=10), (), 0.3, seed=0)
    training, validation = (
        {case.patient for case in cases} for cases in (split.training, split.validation)
    )
    assert not training & validation
    assert len(training) == 14 and len(validation) == 6


def test_every_center_gives_at_least_one_validation_patient():
    split = split_by_patient(make_cases(A=20, B=2), (), 0.05, seed=0)
    assert {case.center for case in split.validation} == {"A", "B"}


def test_only_chosen_centers_are_used():
    split = split_by_patient(make_cases(A=5, B=5, C=5), ("A", "C"), 0.2, seed=0)
    assert {case.center for case in split.training + split.validation} == {"A", "C"}


def test_an_unseen_center_has_no_influence():
    with_other = split_by_patient(make_cases(A=9, B=7), ("A",), 0.3, seed=1)
    without = split_by_patient(make_cases(A=9), ("A",), 0.3, seed=1)
    assert with_other == without


def test_a_center_named_twice_counts_once():
    cases = make_cases(A=4, B=4)
    assert split_by_patient(cases, ("A", "A"), 0.2, 0) == split_by_patient(cases, ("A",), 0.2, 0)


def test_share_of_zero_keeps_nobody_out():
    split = split_by_patient(make_cases(A=3), (), 0.0, seed=0)
    assert len(split.training) == 6 and not split.validation


def test_unknown_center_is_named():
    with pytest.raises(UserError, match=r"'Z' has no case.*A, B"):
        split_by_patient(make_cases(A=3, B=3), ("Z",), 0.2, seed=0)


def test_a_single_patient_cannot_be_kept_out():
    with pytest.raises(UserError, match=r"'A' has 1 patient"):
        split_by_patient(make_cases(A=1), (), 0.2, seed=0)


def test_all_cases_of_a_patient_seen_by_two_centers_go_the_same_way():
    cases = make_cases(A=4, B=4)
    shared = [Case("A0", "B", case.image, case.label) for case in cases if case.patient == "A0"]
    for seed in range(20):
        split = split_by_patient(cases + shared, (), 0.3, seed)
        sides = {
            any(case.patient == "A0" for case in part)
            for part in (split.training, split.validation)
        }
        assert sides == {True, False}
        assert len(split.training) + len(split.validation) == len(cases + shared)


def test_cases_for_testing_are_in_neither_part():
    cases = [replace(case, use="test" if case.patient == "A0" else "") for case in make_cases(A=6)]
    split = split_by_patient(cases, (), 0.3, seed=0)
    assert len(split.training + split.validation) == 10
    assert "A0" not in {case.patient for case in split.training + split.validation}


def test_named_validation_cases_take_the_place_of_the_share():
    cases = [
        replace(case, use="validation" if case.patient == "A3" else "") for case in make_cases(A=6)
    ]
    split = split_by_patient(cases, (), 0.5, seed=0)
    assert {case.patient for case in split.validation} == {"A3"}
    assert len(split.training) == 10


def test_named_training_cases_are_never_kept_out():
    cases = [
        replace(case, use="training" if case.patient in ("A0", "A1") else "")
        for case in make_cases(A=5)
    ]
    for seed in range(10):
        split = split_by_patient(cases, (), 0.6, seed)
        assert {"A0", "A1"} <= {case.patient for case in split.training}
        assert split.validation
