from __future__ import annotations

from pathlib import Path

import pytest

from gsema_core.datasets import Case, choose_cases
from gsema_core.errors import UserError

CASES = [
    Case(patient, center, Path("image"), Path("label"), use)
    for patient, center, use in (
        ("p1", "A", "test"), ("p2", "A", ""), ("p3", "B", "test"), ("p4", "C", "training"),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"centers": ["B", "A"]}, [1, 2, 3]),
        ({"patients": ["p4", "p2"]}, [2, 4]),
        ({"use": "test"}, [1, 3]),
        ({"use": "test", "centers": ["A"], "patients": ["p1", "p2"]}, [1]),
    ],
)
def test_what_is_chosen(chosen, expected):
    assert [int(case.patient[1]) for case in choose_cases(CASES, **chosen)] == expected


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ({"centers": ["A", "Z"]}, "no case of center 'Z': use A, B, C"),
        ({"patients": ["p9"]}, "no case of patient 'p9': use p1, p2"),
        ({"use": "validation"}, 'no case with the use "validation"'),
        ({"centers": ["A"], "patients": ["p3"]}, "no case among those that were chosen"),
    ],
)
def test_choosing_nothing_is_refused(chosen, reason):
    with pytest.raises(UserError, match=reason):
        choose_cases(CASES, **chosen)


def test_long_lists_of_names_are_shortened():
    cases = [Case(f"p{n:02}", "A", Path("image"), Path("label")) for n in range(30)]
    with pytest.raises(UserError, match=r"use p00, .*p09, \.\.\.\.$"):
        choose_cases(cases, patients=["q"])
