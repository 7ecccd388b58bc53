"""Whose a scan is: patient and center, from where it lies in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gsema_core.datasets.case_names import patient_name, subject
from gsema_core.datasets.center_rules import CenterRule, FolderLevel, OneCenter
from gsema_core.datasets.datalist import Case
from gsema_core.datasets.folder_walk import Tell
from gsema_core.errors import UserError
from gsema_core.files.dicom.neutral import neutral_name

SHOWN = 5
"""Names that a sentence lists before it counts. Our choice."""


class CentersOrPatients(UserError):
    """Folders hold several scans each, and nothing says whether they are centers or patients.

    Attributes:
        folders: their names; empty where they hold DICOM files, as they may name patients.
    """

    def __init__(self, root: Path, folders: Sequence[str], are_named: bool) -> None:
        self.folders = list(folders) if are_named else []
        names = f" ({listed(folders)})" if are_named else ""
        super().__init__(
            f"In {root}, {len(folders)} folder(s) hold several scans each{names}: say whether they "
            "are centers (--center-from folder) or patients (--center-from none), with gsema cases "
            f"{root} --write datalist.json, and use that list."
        )


@dataclass(frozen=True)
class Labelled:
    """A scan with its label map, before it is known whose it is.

    Attributes:
        steps: the folders that tell it from others, from the given folder on, and its name.
        image, label: its files.
        use: training, validation, test or empty.
    """

    steps: tuple[str, ...]
    image: Path
    label: Path
    use: str = ""


def listed(names: Iterable[str]) -> str:
    """A few of many names.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def as_cases(scans: Sequence[Labelled], root: Path, rule: CenterRule | None) -> list[Case]:
    """Find patient and center of each scan.

    The first folder is the patient, apart from what its name says of the time (``patient_name``),
    or the first below the center's; a scan in none is a patient of its own. All are of one center,
    which is called as the folder, unless a rule says more.
    Cases of DICOM files get patients' names that are no folder's.

    Raises:
        CentersOrPatients: there is no rule, and folders could be either.
        UserError: the rule does not fit a scan.
    """
    if rule is None:
        _check_folders(scans, root)
    top = own_name(root)
    cases = []
    for scan in scans:
        path = scan.image.relative_to(root).as_posix()
        try:
            origin = (rule or OneCenter()).origin(scan.steps, path)
        except UserError as error:
            name = neutral_name(scan.image) or path
            raise UserError(error.full.replace(path, name)) from None
        *above, own = origin.patient
        patient = "/".join((*above, patient_name(own)))
        cases.append(Case(patient, origin.center or top, scan.image, scan.label, scan.use))
    return _without_folder_names(cases)


def with_center(case: Case, root: Path, rule: CenterRule | None) -> Case:
    """A case whose patient is known already, with its center: the folder, or as the rule says.

    Raises:
        UserError: the rule does not fit the scan.
    """
    center = ""
    if isinstance(rule, FolderLevel):
        raise UserError(
            f"--center-from {rule} is for folders of pairs and saved scenes: in {root} a list or "
            "the names of the data set say what belongs together. Give a table of the patients' "
            "centers, or a regular expression."
        )
    if rule is not None:
        image = case.image
        path = image.relative_to(root) if image.is_relative_to(root) else image
        center = rule.origin((case.patient,), path.as_posix()).center
    return replace(case, center=center or own_name(root))


def own_name(root: Path) -> str:
    """What a folder is called as a center."""
    return root.resolve().name or "all"


def lone_centers(cases: Sequence[Case], path: Path) -> str:
    """The question whether patients were taken for centers; empty where there is none.

    It is asked where there are several centers, and one of them has a single patient.
    """
    patients: dict[str, set[str]] = {}
    for case in cases:
        patients.setdefault(case.center, set()).add(case.patient)
    lone = [center for center, names in patients.items() if len(names) == 1]
    if not lone or len(patients) == 1:
        return ""
    return (
        f"Of the {len(patients)} centers in {path}, {len(lone)} have one patient each "
        f"({listed(lone)}): are they patients?"
    )


def _check_folders(scans: Sequence[Labelled], root: Path) -> None:
    """No folder of several scans may be taken for a patient, nor for a center, without a word."""
    counts = Counter(scan.steps[0] for scan in scans if len(scan.steps) > 1)
    open_ = [name for name, count in counts.items() if count > 1 and subject(name) is None]
    if open_:
        are_named = not any(neutral_name(scan.image) for scan in scans if scan.steps[0] in open_)
        raise CentersOrPatients(root, open_, are_named)


def tell_repeats(cases: Sequence[Case], tell: Tell) -> None:
    """Say which patients have several scans."""
    counts = Counter(case.patient for case in cases)
    several = [patient for patient, count in counts.items() if count > 1]
    if several:
        tell(
            f"{len(several)} patient(s) have several scans, which stay together: {listed(several)}."
        )


def _without_folder_names(cases: Sequence[Case]) -> list[Case]:
    """Patients with DICOM files get neutral names, each patient one."""
    neutral: dict[str, str] = {}
    for case in cases:
        if case.patient not in neutral and (name := neutral_name(case.image)):
            neutral[case.patient] = name
    return [replace(case, patient=neutral.get(case.patient, case.patient)) for case in cases]
