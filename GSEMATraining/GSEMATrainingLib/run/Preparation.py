"""A run's folder from the chosen cases: their copies, the list, the configuration."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.atomic import make_folder
from GSEMATrainingLib.cases.CaseExport import FOLDER, CaseExport, numbered, writeDatalist
from GSEMATrainingLib.cases.TrainingCase import TRAINING, NodesOf, TrainingCase
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.TrainingChoices import TrainingChoices


def preparation(
    folder: RunFolder,
    cases: Sequence[TrainingCase],
    nodesOf: NodesOf,
    choices: TrainingChoices,
    onProgress: Callable[[float], None],
    onDone: Callable[[str], None],
) -> CaseExport:
    """What makes the folder ready for ``gsema train``, to be started; begun runs are left alone.

    The arguments are those of ``GSEMATrainingLogic.begin``; ``onDone`` is called once, with an
    empty text or with why it could not be done. Unusable cases are left out.

    Raises:
        UserError: it cannot be done; nothing was written.
    """
    tables, copies = choices.tables(), numbered(cases)
    checkStart(folder, cases)
    make_folder(folder.path)

    def onExported(message: str) -> None:
        if not message:
            try:
                writeDatalist(copies, folder.path)
                choices.write(folder.path, tables)
            except UserError as error:
                message = str(error)
        if message:
            shutil.rmtree(folder.path / FOLDER, ignore_errors=True)
        onDone(message)

    return CaseExport(copies, nodesOf, folder.path, onProgress, onExported)


def checkStart(folder: RunFolder, cases: Sequence[TrainingCase]) -> None:
    """Raise UserError, one sentence, unless a training of these cases can begin in this folder."""
    folder.checkIdle()
    if folder.hasRun:
        raise UserError(
            _("{folder} holds a training already: go on with it, or choose another folder.").format(
                folder=folder.path
            )
        )
    if not any(case.isUsable and case.use == TRAINING for case in cases):
        raise UserError(_("There is no case to train on: add cases, and use some for training."))


def unusedFolder(parent: Path | None = None) -> Path:
    """A folder for the next training, which is not there yet."""
    parent = parent or _home() / "GSEMA trainings"
    number = 1
    while (parent / f"training-{number:03d}").exists():
        number += 1
    return parent / f"training-{number:03d}"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user whom the system does not know, without HOME
        return Path.cwd()
