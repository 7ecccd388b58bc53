"""Which scores are of one patient, without saying who that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gsema_core.datasets.datalist import Case
    from gsema_core.evaluation.cases import CaseScore

OVER_PATIENTS = "patients"
OVER_CASES = "cases, each taken for a patient of its own: whose they are is not known"
"""What 95 % intervals resample, as JSON, cards and tables say it (``intervals_over``)."""


def patient_numbers(cases: Sequence[Case]) -> list[int]:
    """Each case's patient as a number: 1 is the patient of the list's first case, and so on."""
    names = dict.fromkeys(case.patient for case in cases)
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return [numbers[case.patient] for case in cases]


def known_patients(scores: Sequence[CaseScore]) -> list[int] | None:
    """The number of each score's patient; None where not all of them are known."""
    numbers = [score.patient for score in scores if score.patient is not None]
    return numbers if len(numbers) == len(scores) else None
