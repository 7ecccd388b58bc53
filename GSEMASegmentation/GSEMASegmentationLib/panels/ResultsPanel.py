"""The panel's table of measurements."""

from __future__ import annotations

import textwrap
from typing import Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.measure.MeasurementLines import linesOf
from GSEMASegmentationLib.measure.MeasurementTable import (
    REASONS_COLUMN,
    cellReasons,
    cellText,
    rowPosition,
    tableOf,
    writeCsv,
)
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
    """

    def __init__(self, ui: Any, logic: GSEMASegmentationLogic) -> None:
        self.ui = ui
        self._logic = logic
        self._segmentation: Any = None
        self._volume: Any = None
        self._shown: tuple[str, int] | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", lambda: self.measure(onlyChanged=True))
        self.ui.aneurysmTable.connect("cellDoubleClicked(int,int)", self._onDoubleClicked)
        self.ui.measureButton.connect("clicked(bool)", lambda _checked: self.measure())
        self.ui.exportButton.connect("clicked(bool)", self._onExport)
        self.ui.linesCheckBox.connect("clicked(bool)", lambda _checked: self.measure(True))

    def show(self, segmentationNode: Any, volumeNode: Any) -> None:
        """Show the measurements of a segmentation; None for nothing."""
        if segmentationNode is not self._segmentation:
            hasLines = segmentationNode is not None and bool(linesOf(segmentationNode))
            self.ui.linesCheckBox.checked = hasLines
        self._segmentation, self._volume = segmentationNode, volumeNode
        self.ui.aneurysmsCollapsibleButton.visible = segmentationNode is not None
        table = tableOf(segmentationNode)
        nothing = _("There is nothing to write yet: press Measure first.") if table is None else ""
        usual = _("Write the measurements to a file for a spreadsheet.")
        enable(self.ui.exportButton, usual, nothing)
        shown = (table.GetID(), table.GetMTime()) if table is not None else None
        if shown != self._shown:
            self._shown = shown
            self._fill(table)

    def measureSoon(self) -> None:
        """Measure what has changed, after the views have shown it."""
        self._timer.start()

    def stop(self) -> None:
        """Forget what ``measureSoon`` was to measure."""
        self._timer.stop()

    def measure(self, onlyChanged: bool = False) -> None:
        """Measure the chosen segmentation as it is now."""
        self._timer.stop()
        if self._segmentation is None or not slicer.mrmlScene.IsNodePresent(self._segmentation):
            return
        try:
            self._logic.measure(
                self._segmentation,
                self._volume,
                lines=self.ui.linesCheckBox.checked,
                onlyChanged=onlyChanged,
            )
        except UserError as error:
            slicer.util.errorDisplay(str(error))
        self.show(self._segmentation, self._volume)

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
        names = [name for name in present if name not in (INDEX, REASONS_COLUMN)]
        widget.setColumnCount(len(names))
        titles = [tableNode.GetColumnTitle(name) for name in names]
        widget.setHorizontalHeaderLabels(
            [textwrap.fill(title, HEADING, break_long_words=False) for title in titles]
        )
        widget.setRowCount(table.GetNumberOfRows())
        for row in range(table.GetNumberOfRows()):
            reasons = cellReasons(tableNode, row)
            for column, name in enumerate(names):
                item = qt.QTableWidgetItem(cellText(tableNode, row, name))
                if name in reasons:
                    item.setToolTip(reasons[name])
                if column > 0:  # numbers under numbers
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                widget.setItem(row, column, item)
        widget.resizeColumnsToContents()
        widget.resizeRowsToContents()

    def _onDoubleClicked(self, row: int, column: int) -> None:
        table = tableOf(self._segmentation)
        if table is not None:
            centerViews(rowPosition(table, row))

    def _onExport(self) -> None:
        pattern = _("Tables (*.csv)")
        title = _("Export the measurements")
        path = qt.QFileDialog.getSaveFileName(None, title, "aneurysms.csv", pattern)
        table = tableOf(self._segmentation)
        if not path or table is None:
            return
        try:
            writeCsv(table, path)
        except UserError as error:
            slicer.util.errorDisplay(str(error))
