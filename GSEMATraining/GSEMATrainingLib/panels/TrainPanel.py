"""The panel's training: start, watch, pause, stop, go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import slicer
import slicer.util
from GSEMASegmentationLib.panels.DeviceText import DEVICES
from GSEMASegmentationLib.panels.Widgets import enable, showText
from GSEMASegmentationLib.worker.CoreCommand import cancelledText
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.plugins import outside_names
from GSEMATrainingLib.cases.TrainingCase import TRAINING, NodesOf, TrainingCase
from GSEMATrainingLib.panels.DoublePress import DoublePress
from GSEMATrainingLib.panels.RunFiles import RunFiles
from GSEMATrainingLib.panels.RunText import machineText, statusText
from GSEMATrainingLib.panels.TrainingPlots import TrainingPlots, plots
from GSEMATrainingLib.run.Preparation import unusedFolder
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.RunWatch import RunView, RunWatch
from GSEMATrainingLib.run.TrainingChoices import (
    TrainingChoices,
    acceptLabels,
    codeFromOutside,
    setDevice,
)
from GSEMATrainingLib.TrainingLogic import GSEMATrainingLogic

FOLDER = "GSEMATraining/RunFolder"


class TrainPanel:
    """Starts trainings, and shows the one in the chosen folder, whoever has started it.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        cases: the rows as they are now, and where their nodes are.
        choices: what is chosen now; raises UserError.
        ensurePackages: installs what is missing, after a question; gets a function that shows a
            sentence, and returns why a training cannot run, or nothing.
        onLook: called every second with what is seen.
        onChanged: called when a training has begun or ended.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMATrainingLogic,
        cases: Callable[[], tuple[list[TrainingCase], NodesOf]],
        choices: Callable[[], TrainingChoices],
        ensurePackages: Callable[[Callable[[str], None]], str],
        onLook: Callable[[RunView], None],
        onChanged: Callable[[], None],
    ) -> None:
        self.ui = ui
        self._logic, self._cases, self._choices = logic, cases, choices
        self._ensurePackages = ensurePackages
        self._onLook, self._onChanged = onLook, onChanged
        self._plots = TrainingPlots()
        self._files = RunFiles(ui)
        self._presses, self._pausePresses = DoublePress(), DoublePress()
        self._wasRunning = False
        self._words = self._note = ""
        self.view = RunView(RunFolder(""))
        self.ui.plotComboBox.addItems([plot.title for plot in plots()])
        self.ui.plotComboBox.connect("currentIndexChanged(int)", self._onPlot)
        self.ui.plotsButton.connect("clicked(bool)", self._onPlots)
        self.ui.runFolderPathLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        path = slicer.app.userSettings().value(FOLDER, "") or str(unusedFolder())
        self.ui.runFolderPathLineEdit.currentPath = path
        self.ui.runFolderPathLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        self.ui.newFolderButton.connect("clicked(bool)", self._onNewFolder)
        self.ui.trainButton.connect("clicked(bool)", self._onTrain)
        self.ui.pauseButton.connect("clicked(bool)", self._onPause)
        self.watch = RunWatch(self._look)

    @property
    def folder(self) -> RunFolder:
        return self.view.folder

    def attach(self) -> None:
        """Watch the chosen folder, in which a training may run or have ended."""
        self.watch.watch(self.ui.runFolderPathLineEdit.currentPath, self._ownProcess())

    def stop(self) -> None:
        """Look no longer; the training goes on."""
        self.watch.stop()
        self._plots.remove()

    def update(self) -> None:
        """Enable what can be used now; a disabled button's tooltip says why it is."""
        self._updateButtons(self.view)
        self._updatePlots(self.view)
        for widget in (self.ui.pictureLabel, self.ui.pictureComboBox):
            widget.visible = self.ui.pictureInfoLabel.visible
        self.ui.logTextEdit.visible = self.view.folder.hasRun
        if not (self._logic.isPreparing or self._words or self._note):
            problem = self._problem()
            self._show(problem or _("Ready: press Train."))

    def _updateButtons(self, view: RunView) -> None:
        train, pause = self.ui.trainButton, self.ui.pauseButton
        self.ui.runFolderPathLineEdit.enabled = not self._logic.isPreparing
        wait = _("Wait until the cases are copied.") if self._logic.isPreparing else ""
        usual = _("A folder for another training, beside this one.")
        enable(self.ui.newFolderButton, usual, wait)
        problem = ""
        if self._logic.isPreparing:
            train.text, usual = _("Cancel"), _("Stop copying the cases; nothing is left behind.")
        elif view.isRunning:
            train.text = _("Stop")
            usual = _("End the training; the best model is kept, and it can go on later.")
        elif view.canGoOn:
            train.text = _("Go on")
            usual = _("Go on with the training in this folder where it ended.")
        else:
            train.text, problem = _("Train"), self._problem()
            usual = _("Copy the cases, without names, and train in the folder.")
        isEnding = view.isEnding or (view.isRunning and view.folder.isStopping)
        ending = _("The training is ending: wait for a moment.") if isEnding else ""
        enable(train, usual, ending or problem)
        pause.text = _("Resume") if view.folder.isPausing and view.isRunning else _("Pause")
        usual = _("Let the training wait, for instance while the computer is needed for patients.")
        nothing = "" if view.isRunning else _("There is no training to pause.")
        enable(pause, usual, ending or nothing)

    def _updatePlots(self, view: RunView) -> None:
        usual = _("Show the curves in Slicer's plot view, which the layout then has.")
        nothing = ""
        if not view.folder.hasRun:
            nothing = _("There is no training in this folder yet.")
        elif not view.folder.hasCurves:
            nothing = _("The curves begin with the first steps.")
        enable(self.ui.plotsButton, usual, nothing)
        enable(self.ui.plotComboBox, _("Which curves are shown."), nothing)

    def _problem(self) -> str:
        """Why no training can begin, one sentence; empty where one can."""
        if not self.ui.runFolderPathLineEdit.currentPath:
            return _("Choose a folder for the training first.")
        if self.view.isFinished:
            return _("The training in this folder is finished: press New for another folder.")
        cases, _nodes = self._cases()
        if not any(case.isUsable and case.use == TRAINING for case in cases):
            return _("Add labelled cases, and use some of them for training, first.")
        try:
            self._choices().tables()
        except UserError as error:
            return str(error)
        return ""

    def _onTrain(self) -> None:
        if not self._presses.isSecond():
            self._train()

    def _train(self) -> None:
        """Begin, cancel, stop or go on: what the button says."""
        self._note = ""
        try:
            if self._logic.isPreparing:
                self._logic.cancelPreparation()
            elif self.view.isRunning:
                self.folder.stop()
                self.watch.look()
            elif self._hasPackages() and self.view.canGoOn:
                self._goOn()
            elif not self._note:
                self._begin()
        except UserError as error:
            self._explain(str(error))
        self._onChanged()

    def _hasPackages(self) -> bool:
        """Install what is missing, if the user agrees; say why no training can run else."""
        self._note = self._ensurePackages(self._show)
        if self._note:
            self._show(self._note, isError=True)
        return not self._note

    def _goOn(self) -> None:
        """On the device that is chosen now."""
        if not self.folder.isRunning:
            if not _isTrusted(codeFromOutside(self.folder.config)):
                return
            setDevice(self.folder.config, self._choices().device)
        self._logic.goOn(self.folder)
        self.attach()

    def _offerCpu(self, view: RunView) -> None:
        """Where the memory of the GPU was not enough even for the smallest patch."""
        isOnGpu = view.status is not None and view.status.device.startswith("cuda")
        if not isOnGpu or "memory" not in view.problem:
            return
        question = _("{problem}\nGo on with the CPU, which is much slower?")
        if slicer.util.confirmYesNoDisplay(question.format(problem=view.problem)):
            self.ui.deviceComboBox.currentIndex = DEVICES.index("cpu")
            self._train()

    def _askAboutLabels(self, view: RunView) -> None:
        """Where they look wrong as a whole; who says yes is not asked again for this training."""
        if "accept_labels" not in view.problem:  # what the sentence says to set
            return
        question = _("{problem}\nTrain with these labels all the same?")
        if slicer.util.confirmYesNoDisplay(question.format(problem=view.problem)):
            acceptLabels(self.folder.config)
            self._train()

    def _begin(self) -> None:
        choices = self._choices()
        if not _isTrusted(outside_names(choices.settings)):
            return
        folder = RunFolder(self.ui.runFolderPathLineEdit.currentPath)
        slicer.app.userSettings().setValue(FOLDER, str(folder.path))
        cases, nodesOf = self._cases()
        self._show(_("Copying the cases..."))
        self._logic.begin(folder, cases, nodesOf, choices, self._onCopied, self._onBegun)

    def _onCopied(self, fraction: float) -> None:
        self.ui.progressBar.value = round(self.ui.progressBar.maximum * fraction)

    def _onBegun(self, message: str) -> None:
        self.ui.progressBar.value = 0
        self.attach()
        if message == cancelledText():
            self._note = message
            self._show(message)
        elif message:
            self._explain(message)
        self._onChanged()

    def _onPause(self) -> None:
        if self._pausePresses.isSecond():
            return
        try:
            if self.folder.isPausing:
                self.folder.goOn()
            else:
                self.folder.pause()
        except UserError as error:
            self._explain(str(error))
        self.watch.look()
        self.update()

    def _onFolder(self, path: str) -> None:
        slicer.app.userSettings().setValue(FOLDER, path)
        self._note = ""
        self._plots.remove()
        self.ui.progressBar.value = 0
        self._files.forget()
        self.attach()
        self._onChanged()

    def _onNewFolder(self) -> None:
        """Beside the one that is chosen."""
        parent = Path(self.ui.runFolderPathLineEdit.currentPath).parent
        folder = unusedFolder(parent if parent.is_dir() else None)
        self.ui.runFolderPathLineEdit.currentPath = str(folder)

    def _onPlots(self) -> None:
        self._plots.show(self.folder, self.ui.plotComboBox.currentIndex)

    def _onPlot(self, index: int) -> None:
        if self._plots.areShown:
            self._plots.show(self.folder, index)

    def _look(self, view: RunView) -> None:
        """Show what is seen; called every second."""
        self.view = view
        if not self._logic.isPreparing:
            self._showProgress(view)
        self._files.show(view.folder)
        self._plots.update(view.folder)
        self._onLook(view)
        if view.isRunning != self._wasRunning:
            self._wasRunning = view.isRunning
            self._onChanged()
            if not view.isRunning:
                self._offerCpu(view)
                self._askAboutLabels(view)
        else:
            self.update()

    def _showProgress(self, view: RunView) -> None:
        isThere = view.status is not None and view.folder.hasRun
        isKnown = isThere and (view.status.steps > 0 or not view.isRunning)
        if isKnown:  # a training that goes on reads its checkpoint before it knows
            fraction = view.status.fraction
            self.ui.progressBar.value = round(self.ui.progressBar.maximum * fraction)
        elif not isThere:
            self.ui.progressBar.value = 0
        self.ui.machineLabel.text = machineText(view.status) if isThere else ""
        self.ui.machineLabel.visible = bool(self.ui.machineLabel.text)
        self._words = statusText(view)
        if self._words or self._note:
            isError = bool(view.problem) or (not self._words and self._note != cancelledText())
            self._show(self._words or self._note, isError)

    def _show(self, text: str, isError: bool = False) -> None:
        showText(self.ui.statusLabel, text, isError)

    def _explain(self, message: str) -> None:
        self._note = message
        self._show(message, isError=True)
        slicer.util.errorDisplay(message)

    def _ownProcess(self) -> Any:
        """What this Slicer has started, where it was in this folder."""
        return self._logic.processIn(Path(self.ui.runFolderPathLineEdit.currentPath))


def _isTrusted(names: list[str]) -> bool:
    """Whether the user wants code from outside to run: a scene or a folder may be anybody's."""
    question = _(
        "This training runs code from outside this program: {names}.\nGo on? Only where you know "
        "and trust who wrote it."
    )
    return not names or slicer.util.confirmYesNoDisplay(question.format(names=", ".join(names)))
