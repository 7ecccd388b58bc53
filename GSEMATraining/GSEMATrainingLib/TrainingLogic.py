"""The training module's logic: what a console, a script and the panel call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from GSEMASegmentationLib.install.Requirements import missingPackages
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, coreCommand, ignoreLine
from GSEMASegmentationLib.worker.Waiting import run
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from gsema_core.errors import UserError
from GSEMATrainingLib.cases.CaseExport import CaseExport
from GSEMATrainingLib.cases.TrainingCase import NodesOf, TrainingCase
from GSEMATrainingLib.comparison.Comparison import comparison
from GSEMATrainingLib.comparison.Registration import registration
from GSEMATrainingLib.ParameterNode import GSEMATrainingParameterNode
from GSEMATrainingLib.run.Preparation import preparation, unusedFolder
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.TrainingChoices import TrainingChoices
from GSEMATrainingLib.run.TrainingProcess import TrainingProcess
from GSEMATrainingLib.ScriptedTraining import ScriptedTraining, TrainingOutcome


class GSEMATrainingLogic(ScriptedLoadableModuleLogic):
    """Trains teachers on the site's own scans; works without a panel.

    Args:
        command: program and arguments instead of ``gsema``.

    Example::

        logic = slicer.util.getModuleLogic("GSEMATraining")
        outcome = logic.train("cases/datalist.json", output="runs/a", length=30, unit="minutes")
        print(outcome.teacher, outcome.report["verdict"])
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self.command = list(command) if command is not None else None
        self._process: TrainingProcess | None = None
        self._processFolder = Path()
        self._preparation: CaseExport | None = None
        self._comparison: CoreCommand | None = None
        self._registration: CoreCommand | None = None
        self._scripted: ScriptedTraining | None = None

    def getParameterNode(self) -> GSEMATrainingParameterNode:
        return GSEMATrainingParameterNode(super().getParameterNode())

    @property
    def isPreparing(self) -> bool:
        """Whether the cases are being copied."""
        return self._preparation is not None

    @property
    def isComparing(self) -> bool:
        return self._comparison is not None

    @property
    def isRegistering(self) -> bool:
        return self._registration is not None

    def train(
        self,
        cases: Any,
        teacher: str = "default",
        preset: str = "paper",
        output: str | Path | None = None,
        blocking: bool = True,
        compare: bool = True,
        onDone: Callable[[TrainingOutcome], None] = lambda outcome: None,
        **choices: Any,
    ) -> TrainingOutcome | None:
        """Train a teacher, and compare it with the one it began as.

        Args:
            cases: a folder that ``gsema cases`` reads, or a datalist; or a list of pairs (volume
                node, segmentation node); or a list of ``TrainingCase``.
            teacher: "default", the name of an imported teacher, or a file; "" for from scratch.
            preset: the method, see ``gsema_core.training.PRESETS``.
            output: the run's folder; None for a new one in the user's home.
            blocking: wait for the end; the application stays responsive meanwhile.
            compare: compare at the end on what was kept for a test, else for validation.
            onDone: called once at the end, also when ``blocking``.
            choices: further fields of ``TrainingChoices``: length, unit, replayShare, name,
                device, settings. ``settings={"data": {"accept_labels": True}}`` trains although
                the labels look wrong as a whole.

        Returns:
            What came out; None when not ``blocking``.

        Raises:
            UserError: it cannot be done, or failed; one sentence says why. When not ``blocking``,
                the outcome says it.
        """
        folder = RunFolder(Path(output) if output is not None else unusedFolder())
        chosen = TrainingChoices(teacher=str(teacher), preset=preset, **choices)

        def start(onEnd: Callable[[TrainingOutcome], None]) -> None:
            def onTrained(outcome: TrainingOutcome) -> None:
                self._scripted = None
                onEnd(outcome)

            self._scripted = ScriptedTraining(self, folder, chosen, compare, onTrained)
            self._scripted.start(cases)

        outcome = run(start, blocking, onDone)
        if outcome is not None and outcome.message:
            raise UserError(outcome.message)
        return outcome

    def begin(
        self,
        folder: RunFolder,
        cases: Sequence[TrainingCase],
        nodesOf: NodesOf,
        choices: TrainingChoices,
        onProgress: Callable[[float], None],
        onDone: Callable[[str], None],
    ) -> None:
        """Copy the cases, write the configuration and start the training; returns at once.

        Args:
            folder: a folder without a training.
            cases: the table's rows.
            nodesOf: volume and segmentation of a case of the scene.
            choices: how to train.
            onProgress: called with the fraction of the cases that is copied.
            onDone: called once: with an empty text when the training has started, or with why it
                has not.

        Raises:
            UserError: it cannot begin.
        """
        self._checkIdle()

        def onPrepared(message: str) -> None:
            self._preparation = None
            if not message:
                try:
                    self.goOn(folder)
                except UserError as error:
                    message = str(error)
            onDone(message)

        self._preparation = preparation(folder, cases, nodesOf, choices, onProgress, onPrepared)
        self._preparation.start()

    def goOn(self, folder: RunFolder) -> None:
        """Start ``gsema train`` in a prepared folder, or where a training ended early.

        Raises:
            UserError: there is none, or one is running.
        """
        self._checkIdle()
        if not folder.hasRun:
            raise UserError(
                _("There is no training in {folder} to go on with.").format(folder=folder.path)
            )
        folder.checkIdle()
        folder.clearRequests()
        command = [*(self.command or coreCommand()), "train", str(folder.config)]
        self._process, self._processFolder = TrainingProcess(folder.status()), folder.path
        self._process.start(command, folder.log)

    def processIn(self, path: Path) -> TrainingProcess | None:
        """The training that this Slicer has started last, if it is in this folder."""
        return self._process if path == self._processFolder else None

    def cancelPreparation(self) -> None:
        """Stop copying; nothing is left in the folder."""
        if self._preparation is not None:
            self._preparation.stop()

    def compare(
        self,
        folder: RunFolder,
        onDone: Callable[[str], None],
        onLine: Callable[[str], None] = ignoreLine,
    ) -> None:
        """Compare the teachers of a run; returns at once.

        Raises:
            UserError: there is nothing to compare.
        """
        if self._comparison is not None:
            raise UserError(_("A comparison is running: wait for its end."))

        def onEnd(message: str) -> None:
            self._comparison = None
            onDone(message)

        self._comparison = comparison(folder, onEnd, onLine, self.command)
        self._comparison.start()

    def cancelComparison(self) -> None:
        """End a comparison that runs; its ``onDone`` hears that it was cancelled."""
        if self._comparison is not None:
            self._comparison.stop()

    def register(self, folder: RunFolder, name: str, onDone: Callable[[str], None]) -> None:
        """Add a run's teacher to this computer's list; returns at once.

        Raises:
            UserError: there is none, or the name is not plain.
        """
        if self._registration is not None:
            raise UserError(_("A model is being added: wait for its end."))

        def onEnd(message: str) -> None:
            self._registration = None
            onDone(message)

        self._registration = registration(folder, name, onEnd)
        self._registration.start()

    def close(self) -> None:
        """End what needs Slicer; a training that has begun goes on without it."""
        if self._scripted is not None:
            self._scripted.stop()
        self.cancelPreparation()
        for command in (self._comparison, self._registration):
            if command is not None:
                command.stopAndWait()

    def _checkIdle(self) -> None:
        if missing := missingPackages():
            raise UserError(
                _("A training needs {packages}: press Install in the section Installation.").format(
                    packages=", ".join(package.title for package in missing)
                )
            )
        if self._preparation is not None or (self._process is not None and self._process.isAlive):
            raise UserError(_("A training is running: wait for its end, or stop it first."))
