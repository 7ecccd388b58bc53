"""Splitting cases into training and validation, always by patient and within every center."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError


@dataclass(frozen=True)
class Split:
    """Cases to train on, and cases of other patients to choose the teacher by."""

    training: tuple[Case, ...]
    validation: tuple[Case, ...]


def split_by_patient(
    cases: Sequence[Case], centers: Sequence[str], validation_share: float, seed: int
) -> Split:
    """Choose the cases of ``centers`` and keep a share of each center's patients for validation.

    At least one patient a center is kept, unless the share is 0. Only the chosen centers are
    looked at: nothing of an unseen center has any part in choosing a teacher.

    Raises:
        UserError: a center has no case, or too few patients to keep one out.
    """
    known = sorted({case.center for case in cases})
    chosen = list(dict.fromkeys(centers)) or known
    training: list[Case] = []
    validation: list[Case] = []
    for center in chosen:
        of_center = [case for case in cases if case.center == center]
        if not of_center:
            raise UserError(
                f"Center {center!r} has no case in the datalist: use {', '.join(known)}."
            )
        patients = sorted({case.patient for case in of_center})
        random.Random(f"{seed}/{center}").shuffle(patients)
        kept = max(1, round(validation_share * len(patients))) if validation_share else 0
        if kept >= len(patients):
            raise UserError(
                f"Center {center!r} has {len(patients)} patient(s), too few to keep {kept} for "
                "validation: add cases or set validation_share to 0."
            )
        held_out = set(patients[:kept])
        training += [case for case in of_center if case.patient not in held_out]
        validation += [case for case in of_center if case.patient in held_out]
    shared = {case.patient for case in training} & {case.patient for case in validation}
    if shared:
        raise UserError(
            f"Patient {sorted(shared)[0]!r} was seen by two centers and would be in training and "
            "validation: give the cases one center."
        )
    return Split(tuple(training), tuple(validation))
