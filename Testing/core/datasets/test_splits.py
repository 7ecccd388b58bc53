from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from gsema_core.datasets import split_by_patient
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.splits import check_leave_one_out
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


def test_what_is_in_neither_part_is_told():
    cases = make_cases(A=4, B=4)
    assert split_by_patient(cases, (), 0.25, seed=0).left_out() == ""
    tests = [replace(case, use="test") if case.patient == "A0" else case for case in cases]
    split = split_by_patient(tests, ("A",), 0.25, seed=0)
    assert (
        split.left_out() == "Cases of the list that are left out: 2 for a test, 8 of other centers."
    )
    assert [split.numbers[case] for case in tests] == list(range(1, 17))


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
    with pytest.raises(UserError, match=r"no case of center 'Z'.*A, B"):
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


def random_cases(draw: random.Random) -> list[Case]:
    """Some centers with at least two patients of their own, and patients seen by two of them."""
    centers = "ABCDEFGH"[: draw.randint(1, 5)]
    cases = []
    for center in centers:
        for number in range(draw.randint(2, 12)):
            # Every patient's first scan is at home; later ones may be anywhere later by name.
            elsewhere = [each for each in centers if each >= center]
            places = [center] + [
                draw.choice(elsewhere) for _ in range(draw.choice((0, 0, 0, 1, 3)))
            ]
            for scan, place in enumerate(places):
                name = f"{center}{number}-{scan}"
                cases.append(Case(f"{center}{number}", place, Path(name), Path("label")))
    draw.shuffle(cases)
    return cases


@pytest.mark.parametrize("seed", range(100))
def test_splits_of_random_lists(seed):
    draw = random.Random(seed)
    cases, share = random_cases(draw), draw.choice((0.05, 0.12, 0.3, 0.5))
    split = split_by_patient(cases, (), share, seed)
    training, validation = (
        {case.patient for case in part} for part in (split.training, split.validation)
    )
    assert not training & validation
    assert sorted(split.training + split.validation, key=str) == sorted(cases, key=str)
    for center in {case.center for case in cases}:
        home = {case.patient for case in cases if case.patient.startswith(center)}
        assert len(home & validation) == max(1, round(share * len(home))) < len(home)

    shuffled = draw.sample(cases, len(cases))
    again = split_by_patient(shuffled, (), share, seed)
    assert {case.patient for case in again.validation} == validation
    assert set(again.training) == set(split.training)

    # One more patient at one center moves nobody at the others.
    other = Case("Z0", "Z", Path("z0"), Path("label")), Case("Z1", "Z", Path("z1"), Path("label"))
    with_another = split_by_patient([*cases, *other], (), share, seed)
    assert {case.patient for case in with_another.validation} - {"Z0", "Z1"} == validation


@pytest.mark.parametrize("seed", range(50))
def test_uses_are_obeyed_in_random_lists(seed):
    draw = random.Random(seed)
    cases = random_cases(draw)
    patients = sorted({case.patient for case in cases})
    use = {each: draw.choice(("", "training", "validation", "test")) for each in patients}
    use[patients[0]] = "validation"
    cases = [replace(case, use=use[case.patient]) for case in cases]
    split = split_by_patient(cases, (), 0.3, seed)
    assert {case.use for case in split.validation} == {"validation"}
    assert {case.use for case in split.training} <= {"", "training"}
    assert len(split.training + split.validation) == sum(case.use != "test" for case in cases)


def test_other_seeds_keep_others_out():
    cases = make_cases(A=12)
    chosen = {
        frozenset(case.patient for case in split_by_patient(cases, (), 0.25, seed).validation)
        for seed in range(10)
    }
    assert len(chosen) > 5


def test_leaving_a_center_out_takes_two():
    assert check_leave_one_out(make_cases(B=1, A=1)) == ["A", "B"]
    with pytest.raises(UserError, match="all are of 'A'"):
        check_leave_one_out(make_cases(A=5))
