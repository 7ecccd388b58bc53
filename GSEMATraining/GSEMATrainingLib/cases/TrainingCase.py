"""A labelled scan as the panel's table has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from slicer.i18n import tr as _

TRAINING, VALIDATION, TEST = "training", "validation", "test"
USES = (TRAINING, VALIDATION, TEST)

TEST_SHARE, VALIDATION_SHARE = 0.25, 0.125
"""Shares of a center's patients that are kept out of the training unless somebody chose otherwise:
enough to compare teachers on, and to choose one by. Ours."""

FEW_PATIENTS = 4
"""With fewer, there is nothing to spare for a test; ours."""


@dataclass(frozen=True)
class TrainingCase:
    """One row of the table.

    Attributes:
        key: tells it from the others of the list, and finds its nodes.
        patient: who it is; never leaves the list.
        center: where the scan comes from, as the user calls it.
        use: training, validation or test; empty before it is decided.
        image: file, or folder of a DICOM series; empty for a volume of the scene.
        label: file; empty for a segmentation of the scene.
        relabel: pairs (value in the label file, our label), where the file's labels are not ours.
        labelRules: what names and values of the label file mean, as a datalist's ``labels`` says.
        labels: for a segmentation: segment id to label value.
        spacingMm: of its voxels, mm; empty before it was looked at.
        vesselMl: volume of the vessels, ml.
        aneurysmMl: volume of the aneurysms, ml.
        ignoredMl: volume that nobody labeled, ml.
        aneurysms: how many there are; -1 before it was looked at.
        problem: why it cannot be used, one sentence; empty where it can.
    """

    key: str
    patient: str
    center: str
    use: str = ""
    image: str = ""
    label: str = ""
    relabel: tuple[tuple[float, int], ...] = ()
    labelRules: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    spacingMm: tuple[float, ...] = ()
    vesselMl: float = 0.0
    aneurysmMl: float = 0.0
    ignoredMl: float = 0.0
    aneurysms: int = -1
    problem: str = ""

    @property
    def isOfScene(self) -> bool:
        """Whether it is a volume and a segmentation of the scene, and no files."""
        return not self.image

    @property
    def isUsable(self) -> bool:
        return not self.problem

    @property
    def verdict(self) -> str:
        """What the table says of it: usable, or why it is not."""
        if self.problem:
            return self.problem
        if self.aneurysms < 0:
            return _("not looked at yet")
        return _("usable") if self.aneurysms else _("usable, without an aneurysm")

    @classmethod
    def fromDict(cls, values: Mapping[str, Any]) -> TrainingCase:
        """From JSON; fields of another version are left out."""
        known = {one.name for one in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        relabel = tuple((value, int(label)) for value, label in kept.pop("relabel", ()))
        return cls(**{**kept, "relabel": relabel, "spacingMm": tuple(kept.get("spacingMm", ()))})


NodesOf = Callable[[TrainingCase], tuple[Any, Any]]
"""Gives the volume node and the segmentation node of a case of the scene."""


def suggestedUses(cases: Sequence[TrainingCase]) -> dict[str, str]:
    """Suggest a use for every patient, in each center alike; what is decided already stays.

    Where some patients of a center are kept for a test already, no more of its patients are; the
    same holds for validation.

    Args:
        cases: the list; a patient's cases belong together.

    Returns:
        Patient to use.
    """
    decided = {case.patient: case.use for case in cases if case.use}
    open_ = list(dict.fromkeys(case.patient for case in cases if case.patient not in decided))
    homes = {case.patient: case.center for case in reversed(cases)}
    uses = dict(decided)
    for center in dict.fromkeys(homes[patient] for patient in open_):
        patients = [patient for patient in open_ if homes[patient] == center]
        count = len(patients)
        kept = {use for patient, use in decided.items() if homes[patient] == center}
        order = []
        if count >= FEW_PATIENTS and TEST not in kept:
            order += [TEST] * max(1, round(TEST_SHARE * count))
        if count >= 2 and VALIDATION not in kept:
            order += [VALIDATION] * max(1, round(VALIDATION_SHARE * count))
        order += [TRAINING] * (count - len(order))
        uses.update(zip(reversed(patients), order, strict=True))
    return uses


def caseWarnings(cases: Sequence[TrainingCase]) -> list[str]:
    """What is wrong with a list as a whole, in plain sentences; the worst first."""
    usable = [case for case in cases if case.isUsable]
    by = {use: [case for case in usable if case.use == use] for use in USES}
    sentences = []
    if not by[TRAINING]:
        sentences.append(_("There is no case to train on: give at least one the use training."))
    elif not any(case.aneurysms for case in by[TRAINING]):
        sentences.append(_("No training case has an aneurysm: the model cannot learn them."))
    if by[VALIDATION] and not any(case.aneurysms for case in by[VALIDATION]):
        sentences.append(
            _("No validation case has an aneurysm: the best model cannot be chosen by them.")
        )
    if by[TRAINING] and not by[VALIDATION]:
        sentences.append(_("No case is kept for validation: the last model is taken."))
    if by[TRAINING] and not by[TEST]:
        sentences.append(_("Nothing is kept for a test: whether it got better is hard to say."))
    spacings = {round(max(case.spacingMm), 1) for case in usable if case.spacingMm}
    if spacings and max(spacings) > 2 * min(spacings):
        sentences.append(
            _("Voxels are {low:g} to {high:g} mm: all are brought to one size.").format(
                low=min(spacings), high=max(spacings)
            )
        )
    return sentences
