"""Splitting cases into training and validation, always by patient and within every center."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gsema_core.datasets.choosing import choose_cases
from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError


@dataclass(frozen=True)
class Split:
    """Cases to train on, and cases of other patients to choose the teacher by.

    Attributes:
        training, validation: as they are used.
        numbers: the place of every case in the list that was split, from 1.
        listed: in the list's order and with their use, those for testing too.
    """

    training: tuple[Case, ...]
    validation: tuple[Case, ...]
    numbers: Mapping[Case, int] = field(default_factory=dict, compare=False)
    listed: tuple[Case, ...] = ()

    def left_out(self) -> str:
        """A sentence on the cases of the list that are in neither; empty where there are none."""
        others = self.numbers.keys() - {*self.training, *self.validation}
        tests = sum(case.use == "test" for case in others)
        counts = {"for a test": tests, "of other centers": len(others) - tests}
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        return f"Cases of the list that are left out: {', '.join(parts)}." if parts else ""


def split_by_patient(
    cases: Sequence[Case], centers: Sequence[str], validation_share: float, seed: int
) -> Split:
    """Choose the cases of ``centers`` and keep a share of each center's patients for validation.

    Cases for testing are left out. If the datalist names cases for validation, exactly these are
    kept, and the share is ignored. Otherwise at least one patient of each center is kept, unless
    the share is 0. Only the chosen centers are looked at, so that nothing of an unseen center
    influences the choice of a teacher. A patient who was imaged by several centers counts for the
    first one by name, and all cases of a patient go the same way.

    Raises:
        UserError: a center has no case, or too few patients to keep one out.
    """
    chosen = [
        case
        for center in dict.fromkeys(centers or sorted({case.center for case in cases}))
        for case in choose_cases(cases, [center])
    ]
    tests = [case for case in chosen if case.use == "test"]
    chosen = [case for case in chosen if case.use != "test"]
    held_out = {case.patient for case in chosen if case.use == "validation"}
    if not held_out:
        undecided = [case for case in chosen if case.use != "training"]
        held_out = _held_out(undecided, validation_share, seed)
    training = tuple(case for case in chosen if case.patient not in held_out)
    validation = tuple(case for case in chosen if case.patient in held_out)
    uses = dict.fromkeys(tests, "test")
    uses |= dict.fromkeys(training, "training") | dict.fromkeys(validation, "validation")
    return Split(
        training,
        validation,
        {case: number for number, case in enumerate(cases, start=1)},
        tuple(replace(case, use=uses[case]) for case in cases if case in uses),
    )


def check_leave_one_out(cases: Sequence[Case]) -> list[str]:
    """The names of the centers, each of which can be left out in turn.

    Raises:
        UserError: there are fewer than two.
    """
    centers = sorted({case.center for case in cases})
    if len(centers) < 2:
        raise UserError(
            f"To leave one center out takes cases of two or more, and all are of {centers[0]!r}: "
            "add cases of another center, or say in the datalist where each case comes from."
        )
    return centers


def _held_out(cases: Sequence[Case], share: float, seed: int) -> set[str]:
    """A share of the patients of every center where one is at home."""
    if not share:
        return set()
    homes: dict[str, str] = {}
    for case in cases:
        homes[case.patient] = min(case.center, homes.get(case.patient, case.center))
    held_out: set[str] = set()
    for center in sorted(set(homes.values())):
        patients = sorted(patient for patient, home in homes.items() if home == center)
        random.Random(f"{seed}/{center}").shuffle(patients)
        kept = max(1, round(share * len(patients)))
        if kept >= len(patients):
            raise UserError(
                f"Center {center!r} has {len(patients)} patient(s), too few to keep {kept} for "
                "validation: add cases or set validation_share to 0."
            )
        held_out.update(patients[:kept])
    return held_out
