"""A run's teacher into this computer's list, under a name and with its proof on the card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from GSEMASegmentationLib.install.CorePackage import pythonExecutable
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, ignoreLine

from gsema_core.errors import UserError
from gsema_core.teachers import registry
from gsema_core.teachers.teacher_file import file_hash
from GSEMATrainingLib.comparison.Comparison import heldOutUse, noTeacherText, startTeacher
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.TrainingChoices import checkName

# In a process of its own: the weights are copied by torch, which Slicer itself never loads.
PROGRAM = """
import json, sys, tempfile
from dataclasses import replace
from pathlib import Path
from gsema_core.errors import ERROR_PREFIX, UserError
from gsema_core.evaluation.teacher_score import write_with_card
from gsema_core.teachers import add_teacher, read_card
order = json.loads(sys.stdin.read())
try:
    card = read_card(order["teacher"])
    training = {**card.training, **order["training"]}
    metrics = {**card.metrics, **order["metrics"]}
    card = replace(card, name=order["name"], training=training, metrics=metrics)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "teacher.safetensors"
        write_with_card(order["teacher"], card, path)
        add_teacher(path, Path(order["folder"]))
except UserError as error:
    sys.exit(ERROR_PREFIX + str(error))
"""


def registration(folder: RunFolder, name: str, onDone: Callable[[str], None]) -> CoreCommand:
    """What adds the teacher, ready to start; the one in the run's folder stays as it is.

    Args:
        folder: of a training that has left a teacher.
        name: what it is called from now on.
        onDone: called once, with an empty text or with why it could not be done.

    Raises:
        UserError: there is no teacher yet, or the name is not plain.
    """
    if not folder.teacher.is_file():
        raise UserError(noTeacherText())
    checkName(name)
    order = {
        "teacher": str(folder.teacher),
        "name": name,
        "folder": str(registry.user_folder()),
        "training": {"parent": Path(startTeacher(folder)).stem, **_parentHash(folder)},
        "metrics": _proof(folder),
    }
    command = [pythonExecutable(), "-c", PROGRAM]
    return CoreCommand(command, ignoreLine, onDone, input=json.dumps(order))


def _parentHash(folder: RunFolder) -> dict[str, str]:
    try:
        return {"parent_sha256": file_hash(registry.find_teacher(startTeacher(folder)))}
    except UserError:  # it was removed since; the training has noted it where it could
        return {}


def _proof(folder: RunFolder) -> dict[str, object]:
    """What the comparison found, without its cases."""
    report = folder.comparisonReport()
    if report is None:
        return {}
    kept = {name: report.get(name) for name in ("verdict", "p_value", "summary", "warnings")}
    cases = len(report.get("cases", []))
    return {"comparison": {"kept_for": heldOutUse(folder), "cases": cases, **kept}}
