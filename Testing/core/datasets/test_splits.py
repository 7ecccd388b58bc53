from __future__ import annotations

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


def test_a_patient_seen_by_two_centers_is_never_in_both_parts():
    cases = make_cases(A=4, B=4)
    shared = [Case("A0", "B", case.image, case.label) for case in cases if case.patient == "A0"]
    outcomes = set()
    for seed in range(20):
        try:
            split = split_by_patient(cases + shared, (), 0.3, seed)
        except UserError as error:
            assert "'A0'" in str(error)
            outcomes.add("refused")
        else:
            sides = [
                any(case.patient == "A0" for case in part)
                for part in (split.training, split.validation)
            ]
            assert sum(sides) == 1
            outcomes.add("kept together")
    assert "refused" in outcomes
