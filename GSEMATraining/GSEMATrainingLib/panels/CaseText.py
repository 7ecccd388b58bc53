"""What the list of cases holds, in words."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _

from GSEMATrainingLib.cases.TrainingCase import USES, TrainingCase, caseWarnings


def spacingText(case: TrainingCase) -> str:
    """The sides of its voxels, mm; one number where they are alike."""
    if not case.spacingMm:
        return ""
    low, high = min(case.spacingMm), max(case.spacingMm)
    sides = (low,) if high - low < 1e-3 * high else case.spacingMm
    return " × ".join(f"{side:.3g}" for side in sides)


def summary(cases: Sequence[TrainingCase]) -> str:
    """One line of numbers, then what is wrong."""
    if not cases:
        return _("No case yet: add the labelled scans of your site.")
    usable = [case for case in cases if case.isUsable]
    counts = [sum(case.use == use for case in usable) for use in USES]
    text = _(
        "{usable} of {all} cases can be used: {training} for training, {validation} for "
        "validation, {test} for a test; {aneurysms} aneurysms."
    ).format(
        usable=len(usable),
        all=len(cases),
        training=counts[0],
        validation=counts[1],
        test=counts[2],
        aneurysms=sum(max(0, case.aneurysms) for case in usable),
    )
    return "\n".join([text, *caseWarnings(cases)])
