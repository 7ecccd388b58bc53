"""The new teacher against the one it began as, on cases that were kept out of the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, coreCommand, ignoreLine
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.text_files import read_table
from gsema_core.teachers.registry import DEFAULT
from gsema_core.training.config import TrainingConfig
from GSEMATrainingLib.cases.TrainingCase import TEST, VALIDATION
from GSEMATrainingLib.run.RunFolder import RunFolder


def heldOutUse(folder: RunFolder) -> str:
    """What the cases to compare on were kept for: test, else validation, else nothing (empty)."""
    entries = (read_table(folder.datalist) or {}).get("cases", [])
    uses = {entry.get("use") for entry in entries}
    return next((use for use in (TEST, VALIDATION) if use in uses), "")


def startTeacher(folder: RunFolder) -> str:
    """What the training began with; the bundled teacher for one that began from scratch."""
    return TrainingConfig.from_toml(folder.config).run.initial_teacher or DEFAULT


def noTeacherText() -> str:
    return _("There is no new model yet: it is written at the first validation.")


def comparisonProblem(folder: RunFolder) -> str:
    """Why the teachers cannot be compared, one sentence; empty where they can."""
    if not folder.teacher.is_file():
        return noTeacherText()
    if not heldOutUse(folder):
        return _(
            "No case was kept for a test or validation: whether the new model is better is not "
            "known."
        )
    return ""


def comparison(
    folder: RunFolder,
    onDone: Callable[[str], None],
    onLine: Callable[[str], None],
    command: Sequence[str] | None = None,
) -> CoreCommand:
    """``gsema teacher compare``, ready to start; it writes the run's report.json.

    Args:
        folder: of a training that has left a teacher.
        onDone: called once, with an empty text or with why it could not be done.
        onLine: called with each line of its progress.
        command: program and arguments instead of ``gsema``.

    Raises:
        UserError: there is nothing to compare, or on.
    """
    problem = comparisonProblem(folder)
    if problem:
        raise UserError(problem)
    start, new = startTeacher(folder), str(folder.teacher)
    arguments = ["teacher", "compare", start, new, str(folder.datalist)]
    arguments += ["--use", heldOutUse(folder)]
    if folder.replayList.is_file():
        arguments += ["--also", str(folder.replayList)]
    arguments += ["--output", str(folder.report)]
    return CoreCommand([*(command or coreCommand()), *arguments], ignoreLine, onDone, onLine)
