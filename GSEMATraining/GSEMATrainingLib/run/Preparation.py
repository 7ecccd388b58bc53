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


class Preparation:
    """Makes the folder ready for ``gsema train``; begun runs are left alone.

    Args:
        folder: the run's.
        cases: the table's rows; unusable ones are left out.
        nodesOf: volume and segmentation of a case of the scene.
        choices: how to train.
        onProgress: called with the fraction done.
        onDone: called once, with an empty text or with why it could not be done.
    """

    def __init__(
        self,
        folder: RunFolder,
        cases: Sequence[TrainingCase],
        nodesOf: NodesOf,
        choices: TrainingChoices,
        onProgress: Callable[[float], None],
        onDone: Callable[[str], None],
    ) -> None:
        self._folder, self._choices, self._onDone = folder, choices, onDone
        self._cases = numbered(cases)
        self._tables = choices.tables()
        checkStart(folder, cases)
        make_folder(folder.path)
        self._export = CaseExport(self._cases, nodesOf, folder.path, onProgress, self._onExported)

    def start(self) -> None:
        self._export.start()

    def stop(self) -> None:
        self._export.stop()

    def _onExported(self, message: str) -> None:
        if not message:
            try:
                writeDatalist(self._cases, self._folder.path)
                self._choices.write(self._folder.path, self._tables)
            except UserError as error:
                message = str(error)
        if message:
            shutil.rmtree(self._folder.path / FOLDER, ignore_errors=True)
        self._onDone(message)


def checkStart(folder: RunFolder, cases: Sequence[TrainingCase]) -> None:
    """Raise UserError, one sentence, unless a training of these cases can begin in this folder."""
    if folder.isRunning:
        raise UserError(
            _("A training runs in {folder} already: wait for its end, or stop it.").format(
                folder=folder.path
            )
        )
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
    parent = parent or Path.home() / "GSEMA trainings"
    number = 1
    while (parent / f"training-{number:03d}").exists():
        number += 1
    return parent / f"training-{number:03d}"
