"""The panel's result: both teachers compared, and the new one put to use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
from GSEMASegmentationLib.panels.TeacherPanel import removeTeacher
from GSEMASegmentationLib.panels.Widgets import enable, fillBox, showText
from GSEMASegmentationLib.worker.CoreCommand import cancelledText
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.atomic import atomic_path
from gsema_core.teachers.registry import (
    DEFAULT,
    ListedTeacher,
    find_teacher,
    list_teachers,
)
from GSEMATrainingLib.comparison.Comparison import comparisonProblem, heldOutUse
from GSEMATrainingLib.comparison.Report import headings, rows, verdictText
from GSEMATrainingLib.panels.FileChoice import askWhereToSave
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.RunWatch import RunView
from GSEMATrainingLib.TrainingLogic import GSEMATrainingLogic

WORSE = "worse"


class ResultPanel:
    """Shows the report of the watched folder; compares by itself when a training has ended.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        ensurePackages: installs what is missing, after a question; gets a function that shows a
            sentence, and returns why nothing can be done, or nothing.
        onTeachers: called when the list of teachers has changed, with the name to choose.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMATrainingLogic,
        ensurePackages: Callable[[Callable[[str], None]], str],
        onTeachers: Callable[[str], None],
    ) -> None:
        self.ui = ui
        self._logic, self._onTeachers = logic, onTeachers
        self._ensurePackages = ensurePackages
        self._folder = RunFolder("")
        self._isRunning = False
        self._report: dict[str, Any] | None = None
        self._listed: list[ListedTeacher] = []
        self.ui.reportTable.setColumnCount(len(headings()))
        self.ui.reportTable.setHorizontalHeaderLabels(headings())
        self.ui.reportTable.verticalHeader().setVisible(False)
        self.ui.compareButton.connect("clicked(bool)", self._onCompare)
        self.ui.useTeacherButton.connect("clicked(bool)", self._onUse)
        self.ui.exportTeacherButton.connect("clicked(bool)", self._onExport)
        self.ui.deleteTeacherButton.connect("clicked(bool)", self._onDelete)
        self._fill()
        self.refreshTeachers()

    def look(self, view: RunView) -> None:
        """Take note of what goes on in the watched folder."""
        hasEnded = self._isRunning and not view.isRunning and not view.problem
        isOther = view.folder.path != self._folder.path
        self._folder, self._isRunning = view.folder, view.isRunning
        if view.isRunning:
            self._logic.cancelComparison()  # the model may be another one when it ends
        report = view.folder.comparisonReport()
        if isOther or report != self._report:
            self._report = report
            self._fill()
        if hasEnded and not isOther and not comparisonProblem(view.folder):
            self.compare()
        self._update()

    def compare(self) -> None:
        """Compare the teachers of the watched folder."""
        try:
            self._logic.compare(self._folder, self._onCompared, self._onLine)
        except UserError as error:
            self._say(str(error), isError=True)
        else:
            self._say(_("Comparing both models on the cases that were kept out..."))
        self._update()

    def refreshTeachers(self, name: str = "") -> None:
        """List the teachers that were added on this computer; choose ``name``."""
        self._listed = [one for one in list_teachers() if one.name != DEFAULT]
        wanted = name or self.ui.ownTeacherComboBox.currentText
        names = [teacher.name for teacher in self._listed]
        index = names.index(wanted) if wanted in names else len(names) - 1
        fillBox(self.ui.ownTeacherComboBox, names, index)
        ui = self.ui
        choice = ui.ownTeachersLabel, ui.ownTeacherComboBox
        for widget in (*choice, ui.exportTeacherButton, ui.deleteTeacherButton):
            widget.visible = bool(names)
        self._update()

    def exportTeacher(self, path: str) -> None:
        """Copy the chosen teacher to a file."""
        try:
            with atomic_path(path) as temporary:
                shutil.copyfile(find_teacher(self.ui.ownTeacherComboBox.currentText), temporary)
        except UserError as error:
            slicer.util.errorDisplay(str(error))

    def _fill(self) -> None:
        table = self.ui.reportTable
        table.setRowCount(0)
        table.visible = self._report is not None
        if self._report is None:
            self._say(
                _("When a training has ended, both models are compared on the cases kept out.")
            )
            return
        lines = rows(self._report)
        table.setRowCount(len(lines))
        for row, texts in enumerate(lines):
            for column, text in enumerate(texts):
                table.setItem(row, column, qt.QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        isWorse = self._report.get("verdict") == WORSE
        self._say(verdictText(self._report, heldOutUse(self._folder)), isError=isWorse)

    def _onLine(self, line: str) -> None:
        if line.strip():
            self._say(_("Comparing: {progress}").format(progress=line.strip()))

    def _onCompared(self, message: str) -> None:
        if message and message != cancelledText():
            self._say(message, isError=True)
        else:
            self._report = self._folder.comparisonReport()
            self._fill()
        self._update()

    def _onCompare(self) -> None:
        if self._hasPackages():
            self.compare()

    def _hasPackages(self) -> bool:
        if problem := self._ensurePackages(self._say):
            self._say(problem, isError=True)
        return not problem

    def _onUse(self) -> None:
        if not self._hasPackages():
            return
        name = self.ui.nameLineEdit.text.strip()
        isWorse = self._report is not None and self._report.get("verdict") == WORSE
        question = _("The new model is worse than the one it began as. Use it all the same?")
        if isWorse and not slicer.util.confirmYesNoDisplay(question):
            return
        try:
            self._logic.register(self._folder, name, lambda message: self._onAdded(name, message))
        except UserError as error:
            slicer.util.errorDisplay(str(error))
        self._update()

    def _onAdded(self, name: str, message: str) -> None:
        if message:
            slicer.util.errorDisplay(message)
        else:
            self._changed(name)
            text = _("{name} is in the list of models of Aneurysm Segmentation now.")
            slicer.util.infoDisplay(text.format(name=name))
        self._update()

    def _onExport(self) -> None:
        name = f"{self.ui.ownTeacherComboBox.currentText}.safetensors"
        path = askWhereToSave(_("Export a model"), name, _("Models (*.safetensors)"))
        if path:
            self.exportTeacher(path)

    def _onDelete(self) -> None:
        if removeTeacher(self.ui.ownTeacherComboBox.currentText):
            self._changed("")

    def _changed(self, name: str) -> None:
        self.refreshTeachers(name)
        self._onTeachers(name)

    def _update(self) -> None:
        """Enable what can be used now; a disabled button's tooltip says why it is."""
        isBusy = self._logic.isComparing or self._logic.isRegistering
        problem = _("Wait for the end of what is running.") if isBusy else ""
        if self._isRunning:
            problem = _("Wait for the end of the training, or stop it.")
        cannot = problem or comparisonProblem(self._folder)
        usual = _("Compare both models on the cases that were kept out.")
        enable(self.ui.compareButton, usual, cannot)
        cannot = problem
        if not cannot and not self._folder.teacher.is_file():
            cannot = _("There is no new model yet.")
        elif not cannot and self._report is None and heldOutUse(self._folder):
            cannot = _("Compare it first: nobody knows yet whether it is better.")
        usual = _("Add the new model under its name to the list of models.")
        enable(self.ui.useTeacherButton, usual, cannot)
        nothing = _("No model was added on this computer yet.") if not self._listed else ""
        enable(self.ui.exportTeacherButton, _("Write the chosen model into a file."), nothing)
        usual = _("Delete the chosen model from this computer.")
        enable(self.ui.deleteTeacherButton, usual, nothing)

    def _say(self, text: str, isError: bool = False) -> None:
        showText(self.ui.verdictLabel, text, isError)
