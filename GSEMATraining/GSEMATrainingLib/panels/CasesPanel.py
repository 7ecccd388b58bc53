"""The panel's table of cases: fed from the scene, folders and lists, and edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import qt
import slicer.util
from GSEMASegmentationLib.panels.DropTarget import DropTarget
from GSEMASegmentationLib.panels.Widgets import enable
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMATrainingLib.cases.CaseFiles import saveList
from GSEMATrainingLib.cases.CaseList import CaseList
from GSEMATrainingLib.cases.CaseReader import CaseReader
from GSEMATrainingLib.cases.SceneCases import (
    ScenePair,
    guessedLabels,
    pairsOf,
    sceneCase,
    scenePairs,
    sceneWarnings,
)
from GSEMATrainingLib.cases.TrainingCase import USES, NodesOf, TrainingCase
from GSEMATrainingLib.panels.CaseText import spacingText, summary
from GSEMATrainingLib.panels.FileChoice import askWhereToSave
from GSEMATrainingLib.panels.LabelQuestion import askLabels

PATIENT, USE, ANEURYSMS, VERDICT, CENTER, SPACING, VESSEL = range(7)
"""The columns, those that need a look first."""

WIDEST_VERDICT = 180
"""Pixels; longer sentences are wrapped, so that they are seen in a panel of 420. Ours."""

MOST_FOLDERS = 5
"""Folders that a question names. Ours."""

AskLabels = Callable[[dict[str, int]], "dict[str, int] | None"]


class CasesPanel:
    """Shows the list of the parameter node, and changes it.

    Args:
        ui: the panel's widgets.
        onChanged: called when the list has changed.
        command: program and arguments instead of ``gsema``.
    """

    def __init__(
        self, ui: Any, onChanged: Callable[[], None], command: Sequence[str] | None = None
    ) -> None:
        self.ui = ui
        self._onChanged = onChanged
        self.askLabels: AskLabels = askLabels
        self.reader = CaseReader(self._onCase, self._onRead, command, askCenters)
        self._list: CaseList | None = None
        self._shown: list[TrainingCase] | None = None
        self._isFilling = False
        self._center = _("local")
        self.ui.caseTable.setColumnCount(7)
        self.ui.caseTable.setHorizontalHeaderLabels(
            [
                _("Patient"),
                _("Use for"),
                _("Aneurysms"),
                _("Verdict"),
                _("Center"),
                _("Voxel (mm)"),
                _("Vessel (ml)"),
            ]
        )
        self.ui.caseTable.horizontalHeader().setStretchLastSection(True)
        self.ui.caseTable.verticalHeader().setVisible(False)
        self.ui.caseTable.connect("itemChanged(QTableWidgetItem*)", self._onEdited)
        self.ui.caseTable.connect("itemSelectionChanged()", self._updateButtons)
        self._drop = DropTarget(self.ui.caseTable, self.addPath, self.addNodes)
        self._deleteKey = qt.QShortcut(self.ui.caseTable)
        self._deleteKey.setKey(qt.QKeySequence("Del"))
        self._deleteKey.setContext(qt.Qt.WidgetShortcut)  # a cell's own editor needs the key
        self._deleteKey.connect("activated()", self._onRemove)
        self.ui.addSceneButton.connect("clicked(bool)", self.addFromScene)
        self.ui.addFolderButton.connect("clicked(bool)", self._onFolder)
        self.ui.addListButton.connect("clicked(bool)", self._onList)
        self.ui.removeCaseButton.connect("clicked(bool)", self._onRemove)
        self.ui.saveListButton.connect("clicked(bool)", self._onSave)

    @property
    def cases(self) -> list[TrainingCase]:
        return self._list.cases if self._list is not None else []

    @property
    def nodesOf(self) -> NodesOf:
        """For the export: volume and segmentation of a case."""
        return self._list.nodes if self._list is not None else lambda case: (None, None)

    def setParameterNode(self, parameterNode: Any) -> None:
        """Show the list of these parameters; None for none."""
        self._list = CaseList(parameterNode) if parameterNode is not None else None
        if parameterNode is None:
            self.reader.stop()
            self.reader = CaseReader(self._onCase, self._onRead, self.reader.command, askCenters)
        self.refresh()

    def addFromScene(self) -> None:
        """Add every labelled volume of the scene, and look again at those that are there."""
        pairs = self._paired(scenePairs())
        warnings = sceneWarnings(pairs)
        if not pairs:
            nothing = _("No volume of the scene has a segmentation: segment one, or add a folder.")
            slicer.util.errorDisplay("\n".join(warnings) or nothing)
        elif self._addPairs(pairs) and warnings:
            slicer.util.infoDisplay("\n".join(warnings))

    def addNodes(self, nodes: Sequence[Any]) -> None:
        """Add the pairs that these volumes and segmentations belong to."""
        pairs = pairsOf(nodes)
        if pairs:
            self._addPairs(pairs)
        else:
            slicer.util.errorDisplay(
                _("No labelled volume is among them: drop a volume and its segmentation together.")
            )

    def _paired(self, pairs: list[ScenePair]) -> list[ScenePair]:
        """Also the pairs of the list that somebody has put together."""
        known = [pair.segmentation for pair in pairs]
        listed = [(case, *self.nodesOf(case)) for case in self.cases if case.isOfScene]
        return pairs + [
            ScenePair(volume, segmentation, case.patient)
            for case, volume, segmentation in listed
            if volume is not None and segmentation is not None and segmentation not in known
        ]

    def _addPairs(self, pairs: Sequence[ScenePair]) -> bool:
        """Return whether they were added: the user may cancel."""
        if self._list is None:
            return False
        guesses, known = guessedLabels(pairs), self._list.segmentLabels
        new = {name: guess for name, guess in guesses.items() if name not in known}
        answers = self.askLabels(new) if new else {}
        if answers is None:
            return False
        self._list.rememberLabels(answers)
        byName = self._list.segmentLabels
        for pair in pairs:
            nodes = pair.volume, pair.segmentation
            case = sceneCase(*nodes, byName, pair.patient, self._center)
            if (old := self._list.find(case, *nodes)) is not None:  # what was typed stays
                case = replace(case, patient=old.patient, center=old.center, use=old.use)
            self._list.add(case, *nodes)
        self._list.decideUses()
        return True

    def addPath(self, path: str) -> None:
        """Add what a folder or a list holds; the rows come one by one."""
        self._say(_("Looking at the cases of {name}...").format(name=Path(path).name))
        self.reader.read(path)
        self._updateButtons()

    def save(self, path: str) -> None:
        """Write the list into a file."""
        try:
            problems = saveList(self.cases, self.nodesOf, Path(path))
        except UserError as error:
            problems = [str(error)]
        if problems:
            slicer.util.errorDisplay("\n".join(problems))

    def refresh(self) -> None:
        """Show the list as it is now."""
        cases = self.cases
        if cases == self._shown:
            self._updateButtons()
            return
        self._shown = cases
        table = self.ui.caseTable
        self._isFilling = True
        table.setRowCount(len(cases))
        for row, case in enumerate(cases):
            self._fill(row, case)
        table.resizeColumnsToContents()
        if table.columnWidth(VERDICT) > WIDEST_VERDICT:
            table.setColumnWidth(VERDICT, WIDEST_VERDICT)
        table.resizeRowsToContents()
        self._isFilling = False
        self._say(summary(cases))
        self._updateButtons()

    def _fill(self, row: int, case: TrainingCase) -> None:
        table = self.ui.caseTable
        isKnown = bool(case.spacingMm)
        texts = {
            PATIENT: case.patient,
            CENTER: case.center,
            SPACING: spacingText(case),
            VESSEL: f"{case.vesselMl:.2f}" if isKnown else "",
            ANEURYSMS: str(case.aneurysms) if isKnown and case.aneurysms >= 0 else "",
            USE: "",
            VERDICT: case.verdict,
        }
        for column, text in texts.items():
            item = table.item(row, column)  # changed in place: it may be the one being edited
            if item is None:
                item = qt.QTableWidgetItem()
                if column not in (PATIENT, CENTER):
                    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                table.setItem(row, column, item)
            item.setText(text)
            item.setToolTip(text)
        box = table.cellWidget(row, USE) or self._useBox(row)
        box.currentIndex = USES.index(case.use) if case.use in USES else -1
        box.enabled = case.isUsable

    def _useBox(self, row: int) -> Any:
        box = qt.QComboBox()
        box.addItems([_("training"), _("validation"), _("test")])
        box.connect("activated(int)", lambda index: self._onUse(row, index))
        self.ui.caseTable.setCellWidget(row, USE, box)
        return box

    def _onCase(self, case: TrainingCase) -> None:
        if self._list is not None:
            self._list.add(case)

    def _onRead(self, message: str) -> None:
        if self._list is None:
            return
        self._list.decideUses()
        self._say(summary(self.cases))
        self._updateButtons()
        if message:
            slicer.util.errorDisplay(message)
        elif self.reader.notes:
            slicer.util.infoDisplay("\n".join(self.reader.notes))
        self._onChanged()

    def _onUse(self, row: int, index: int) -> None:
        if self._list is not None and self._shown is not None:
            self._list.change(self._shown[row].key, use=USES[index])

    def _onEdited(self, item: Any) -> None:
        if self._isFilling or self._list is None or self._shown is None:
            return
        field = {PATIENT: "patient", CENTER: "center"}.get(item.column())
        text = item.text().strip()
        if field and text:
            self._list.change(self._shown[item.row()].key, **{field: text})
        self._shown = None
        self.refresh()

    def _onFolder(self) -> None:
        title = _("A folder of labelled scans: pairs, saved scenes, nnU-Net or BIDS")
        path = qt.QFileDialog.getExistingDirectory(None, title)
        if path:
            self.addPath(path)

    def _onList(self) -> None:
        title, pattern = _("A list of cases"), _("Lists of cases (*.json)")
        path = qt.QFileDialog.getOpenFileName(None, title, "", pattern)
        if path:
            self.addPath(path)

    def _onSave(self) -> None:
        pattern = _("Lists of cases (*.json)")
        path = askWhereToSave(_("Save the list of cases"), "datalist.json", pattern)
        if path:
            self.save(path)

    def _onRemove(self) -> None:
        if self._list is not None and self._shown is not None:
            self._list.remove(self._shown[row].key for row in self._selectedRows())

    def _selectedRows(self) -> list[int]:
        indexes = self.ui.caseTable.selectionModel().selectedRows()
        return sorted(index.row() for index in indexes)

    def _updateButtons(self) -> None:
        usual = _("Take the chosen rows out of the list (Del); nothing is deleted.")
        nothing = "" if self._selectedRows() else _("Choose rows of the table first.")
        enable(self.ui.removeCaseButton, usual, nothing)
        usual = _("Write the list into a file that this panel and gsema train read.")
        nothing = "" if self._shown else _("There is no case in the list yet.")
        enable(self.ui.saveListButton, usual, nothing)

    def _say(self, text: str) -> None:
        self.ui.casesInfoLabel.text = text


def askCenters(folders: Sequence[str]) -> str:
    """Ask whether folders that hold several scans are centers; a patient's scans stay together.

    Returns:
        What ``gsema cases --center-from`` gets.
    """
    names = ", ".join(folders[:MOST_FOLDERS]) + (", ..." if len(folders) > MOST_FOLDERS else "")
    question = _(
        "Folders hold several scans each. {names}\n\nAre they centers, such as hospitals or "
        "scanners, with a file or a folder for each patient in them? With No, each is one patient "
        "with several scans, and all are of one center."
    )
    isCenter = slicer.util.confirmYesNoDisplay(question.format(names=names).strip())
    return "folder" if isCenter else "none"
