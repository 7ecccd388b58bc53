"""Some of the cases of a list."""

from __future__ import annotations

from collections.abc import Sequence

from gsema_core.datasets.datalist import Case
from gsema_core.errors import UserError

MOST_SHOWN = 10
"""Names that a message lists."""


def choose_cases(
    cases: Sequence[Case],
    centers: Sequence[str] = (),
    patients: Sequence[str] = (),
    use: str = "",
) -> list[Case]:
    """Return the cases of these centers and patients and of this use, in the list's order.

    Arguments that are empty choose all.

    Raises:
        UserError: a center or patient has no case, or none is left.
    """
    for what, wanted in (("center", centers), ("patient", patients)):
        known = sorted({getattr(case, what) for case in cases})
        unknown = [name for name in wanted if name not in known]
        if unknown:
            shown = ", ".join(known[:MOST_SHOWN]) + (", ..." if len(known) > MOST_SHOWN else "")
            raise UserError(f"The datalist has no case of {what} {unknown[0]!r}: use {shown}.")
    chosen = [
        case
        for case in cases
        if (not centers or case.center in centers)
        and (not patients or case.patient in patients)
        and (not use or case.use == use)
    ]
    if not chosen:
        of_use = f' with the use "{use}"' if use else ""
        raise UserError(
            f"The datalist has no case{of_use} among those that were chosen: choose others, or "
            "say in the list what its cases are for."
        )
    return chosen
