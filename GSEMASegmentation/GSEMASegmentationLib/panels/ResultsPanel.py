"""The panel's table of measurements."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.measurements import COLUMNS
from GSEMASegmentationLib.correct.MeasurementWatch import MeasurementWatch, measuringText
from GSEMASegmentationLib.measure.MeasurementLines import linesOf
from GSEMASegmentationLib.measure.MeasurementTable import (
    REASONS_COLUMN,
    SEGMENT_COLUMN,
    STATUS_COLUMN,
    cellReasons,
    cellText,
    clipboardText,
    rowPosition,
    tableOf,
    writeCsv,
)
from GSEMASegmentationLib.measure.TableRecord import segmentOfRow
from GSEMASegmentationLib.panels.RowMarks import markRow, shortStatus
from GSEMASegmentationLib.panels.Shortcuts import withKey
from GSEMASegmentationLib.panels.Widgets import enable
from GSEMASegmentationLib.scene.ViewHelpers import centerViews
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic

INDEX = "index"
"""The column that the panel leaves out: the rows are in its order."""

HEADING = 9
"""Headings are broken into lines of about this many letters, so that a narrow panel has room for
the numbers. Ours."""


class ResultsPanel:
    """Shows the measurements that belong to the chosen segmentation, as the scene has them.

    Args:
        ui: the panel's widgets.
        logic: measures.

    Attributes:
        segmentation: the chosen one; None for none.
        volume: the chosen one.
        onShown: each is called when the table may show something else.
    """

    def __init__(self, ui: Any, logic: GSEMASegmentationLogic) -> None:
        self.ui = ui
        self._logic = logic
        self.segmentation: Any = None
        self.volume: Any = None
        self.onShown: list[Callable[[], None]] = []
        self._watch = MeasurementWatch(
            logic.measuring, lambda: self.ui.linesCheckBox.checked, self._onWatched
        )
        self._shown: tuple[str, int] | None = None
        self.ui.editedLabel.visible = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._watch.measureNow)
        self.ui.aneurysmTable.connect("cellDoubleClicked(int,int)", self._onDoubleClicked)
        self.ui.measureButton.connect("clicked(bool)", self._onMeasure)
        self.ui.exportButton.connect("clicked(bool)", self._onExport)
        self.ui.copyButton.connect("clicked(bool)", self._onCopy)
        self._copyKey = qt.QShortcut(self.ui.aneurysmTable)
        self._copyKey.setKey(qt.QKeySequence("Ctrl+C"))
        self._copyKey.setContext(qt.Qt.WidgetShortcut)  # instead of one cell, which Qt would copy
        self._copyKey.connect("activated()", self._onCopy)
        self.ui.allColumnsCheckBox.connect("clicked(bool)", self._onColumns)
        self.ui.linesCheckBox.connect("clicked(bool)", lambda _checked: self.measure(True))

    def show(self, segmentationNode: Any, volumeNode: Any) -> None:
        """Show the measurements of a segmentation; None for nothing."""
        if segmentationNode is not self.segmentation:
            hasLines = segmentationNode is not None and bool(linesOf(segmentationNode))
            self.ui.linesCheckBox.checked = hasLines
            self._timer.stop()
            self._say("")  # it was about the segmentation before
        self.segmentation, self.volume = segmentationNode, volumeNode
        self._watch.watch(segmentationNode, volumeNode)
        self.ui.aneurysmsCollapsibleButton.visible = segmentationNode is not None
        table = tableOf(segmentationNode)
        nothing = _("There is nothing to write yet: press Measure first.") if table is None else ""
        usual = _("Write the measurements to a file for a spreadsheet.")
        enable(self.ui.exportButton, usual, nothing)
        usual = _("Copy the whole table, as a file has it, to paste it into a spreadsheet.")
        nothing = _("There is nothing to copy yet: press Measure first.") if table is None else ""
        enable(self.ui.copyButton, withKey(usual, "Ctrl+C"), nothing)
        shown = (table.GetID(), table.GetMTime()) if table is not None else None
        if shown != self._shown:
            selected = self.selectedSegment
            self._shown = shown
            self._fill(table)
            self.select(selected)
        for tell in self.onShown:
            tell()

    @property
    def selectedSegment(self) -> str:
        """The segment of the selected row, or of the only one; empty for none."""
        widget = self.ui.aneurysmTable
        row = 0 if widget.rowCount == 1 else widget.currentRow()
        segmentId = widget.item(row, 0).data(qt.Qt.UserRole) if row >= 0 else ""
        isThere = self.segmentation is not None and bool(segmentId)
        return segmentId if isThere and self._has(segmentId) else ""

    @property
    def selectedPieces(self) -> int:
        """How many rows the selected segment has: each of its pieces is one."""
        widget, segmentId = self.ui.aneurysmTable, self.selectedSegment
        ids = [widget.item(row, 0).data(qt.Qt.UserRole) for row in range(widget.rowCount)]
        return ids.count(segmentId) if segmentId else 0

    def _has(self, segmentId: str) -> bool:
        return self.segmentation.GetSegmentation().GetSegment(segmentId) is not None

    def select(self, segmentId: str) -> None:
        """Select the first row of a segment, where it has one."""
        widget = self.ui.aneurysmTable
        for row in range(widget.rowCount):
            if segmentId and widget.item(row, 0).data(qt.Qt.UserRole) == segmentId:
                widget.setCurrentCell(row, 0)
                return

    def measureSoon(self) -> None:
        """Measure what has changed, after the views have shown it, in the background."""
        if self.segmentation is not None:
            self._say(measuringText())
            self._timer.start()

    def lookNow(self) -> None:
        """Measure in the background what was edited by whoever."""
        self._watch.lookNow()

    def stop(self) -> None:
        """Forget what was to be measured, and look after nothing."""
        self._timer.stop()
        self._watch.stop()

    def measure(self, onlyChanged: bool = False) -> None:
        """Measure the chosen segmentation as it is now, in the background."""
        self._timer.stop()
        self._watch.measureNow(onlyChanged)

    def _onMeasure(self, _checked: bool) -> None:
        """Measure all anew: in the background, or, where that failed the last time, here."""
        if not self._watch.hasFailed:
            self.measure()
        elif self.segmentation is not None and slicer.mrmlScene.IsNodePresent(self.segmentation):
            self._measureHere()

    def _measureHere(self) -> None:
        lines = self.ui.linesCheckBox.checked
        try:
            self._logic.measure(self.segmentation, self.volume, lines=lines)
        except (UserError, ImportError) as error:
            slicer.util.errorDisplay(str(error))
        else:
            self._onWatched("")

    def _onWatched(self, text: str) -> None:
        """The table may be another one, and the line below it says why."""
        self._say(text)
        self.show(self.segmentation, self.volume)

    def _say(self, text: str) -> None:
        """The line below the table."""
        self.ui.editedLabel.text = text
        self.ui.editedLabel.visible = bool(text)

    def step(self, offset: int) -> None:
        """Select the next (1) or the previous (-1) aneurysm, and center the views on it."""
        widget = self.ui.aneurysmTable
        if widget.rowCount == 0:
            return
        row = widget.currentRow()
        row = (row + offset) % widget.rowCount if row >= 0 else min(offset, 0) % widget.rowCount
        widget.setCurrentCell(row, 0)
        self._onDoubleClicked(row, 0)

    def _fill(self, tableNode: Any) -> None:
        widget = self.ui.aneurysmTable
        widget.setRowCount(0)
        if tableNode is None:
            return
        table = tableNode.GetTable()
        present = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
        first = [SEGMENT_COLUMN, *([STATUS_COLUMN] if _hasStatus(table) else [])]
        names = [name for name in first if name in present]
        left = {INDEX, REASONS_COLUMN, STATUS_COLUMN, *first}
        if not self.ui.allColumnsCheckBox.checked:
            left |= {column.name for column in COLUMNS if not column.essential}
        names += [name for name in present if name not in left]
        widget.setColumnCount(len(names))
        titles = [tableNode.GetColumnTitle(name) for name in names]
        widget.setHorizontalHeaderLabels(
            [textwrap.fill(title, HEADING, break_long_words=False) for title in titles]
        )
        widget.setRowCount(table.GetNumberOfRows())
        for row in range(table.GetNumberOfRows()):
            reasons, status = cellReasons(tableNode, row), _statusOf(tableNode, row)
            for column, name in enumerate(names):
                text = cellText(tableNode, row, name)
                item = qt.QTableWidgetItem(shortStatus(text) if name == STATUS_COLUMN else text)
                if name in reasons:
                    item.setToolTip(reasons[name])
                if name not in first:  # numbers under numbers
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                item.setData(qt.Qt.UserRole, segmentOfRow(tableNode, row))
                widget.setItem(row, column, item)
            markRow(widget, row, status)
        widget.resizeColumnsToContents()
        widget.resizeRowsToContents()

    def _onDoubleClicked(self, row: int, column: int) -> None:
        table = tableOf(self.segmentation)
        if table is not None:
            centerViews(rowPosition(table, row))

    def _onColumns(self, _checked: bool) -> None:
        selected = self.selectedSegment
        self._fill(tableOf(self.segmentation))
        self.select(selected)

    def _onCopy(self, _checked: bool = False) -> None:
        table = tableOf(self.segmentation)
        if table is not None:
            self._logic.measuring.look(self.segmentation)  # so that it says what is out of date
            qt.QApplication.clipboard().setText(clipboardText(table))

    def _onExport(self) -> None:
        pattern = _("Tables (*.csv)")
        title = _("Export the measurements")
        path = qt.QFileDialog.getSaveFileName(None, title, "aneurysms.csv", pattern)
        table = tableOf(self.segmentation)
        if not path or table is None:
            return
        self._logic.measuring.look(self.segmentation)  # so that the file says what is out of date
        try:
            writeCsv(table, path)
        except UserError as error:
            slicer.util.errorDisplay(str(error))


def _hasStatus(table: Any) -> bool:
    """Whether any row has something to say; else the column would only take room."""
    column = table.GetColumnByName(STATUS_COLUMN)
    return column is not None and any(
        column.GetValue(row) for row in range(column.GetNumberOfValues())
    )


def _statusOf(tableNode: Any, row: int) -> str:
    isThere = tableNode.GetTable().GetColumnByName(STATUS_COLUMN) is not None
    return cellText(tableNode, row, STATUS_COLUMN) if isThere else ""
