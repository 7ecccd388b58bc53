"""The table's list as a file that ``gsema train`` and this panel read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gsema_core.datasets import Case, write_datalist
from gsema_core.errors import UserError
from gsema_core.files.atomic import make_folder
from gsema_core.files.label_rules import LabelRules
from GSEMATrainingLib.cases.CaseExport import exportSceneCase
from GSEMATrainingLib.cases.TrainingCase import NodesOf, TrainingCase


def saveList(cases: Sequence[TrainingCase], nodesOf: NodesOf, path: Path) -> list[str]:
    """Write a datalist; cases of the scene are written beside it, in ``<name>_cases``.

    The list holds the patients as they stand in the table: it is the user's own file.

    Args:
        cases: the rows; those of the scene that cannot be used are left out.
        nodesOf: volume and segmentation of a case of the scene.
        path: the list, a .json file.

    Returns:
        What was left out, a sentence each.

    Raises:
        UserError: a file could not be written.
    """
    entries: list[Case] = []
    problems: list[str] = []
    scans = path.parent / f"{path.stem}_cases"
    for number, case in enumerate(cases, start=1):
        image, label = Path(case.image), Path(case.label)
        if case.isOfScene:
            stem = f"case-{number:03d}"
            make_folder(scans)
            try:
                exportSceneCase(case, *nodesOf(case), scans, stem)
            except UserError as error:
                problems.append(f"{case.patient}: {error}")
                continue
            image, label = scans / f"{stem}.nrrd", scans / f"{stem}-labels.nrrd"
        rules = LabelRules.from_entry(case.labelRules, f"the case of {case.patient}")
        entries.append(Case(case.patient, case.center, image, label, case.use, case.relabel, rules))
    write_datalist(entries, path)
    return problems
