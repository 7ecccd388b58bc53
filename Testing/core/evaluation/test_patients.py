from __future__ import annotations

from pathlib import Path
from typing import Any

from gsema_core.datasets import Case
from gsema_core.evaluation.patients import known_patients, patient_numbers


def test_patients_are_numbered_as_they_come() -> None:
    names = ("Sancho", "Dulcinea", "Sancho", "Aldonza")
    cases = [Case(name, "A", Path("image"), Path("label")) for name in names]
    assert patient_numbers(cases) == [1, 2, 1, 3]


def test_one_unknown_patient_makes_them_unknown(scored: Any) -> None:
    assert known_patients([scored("1", 0.5, patient=2), scored("2", 0.5, patient=1)]) == [2, 1]
    assert known_patients([scored("1", 0.5, patient=2), scored("2", 0.5)]) is None
