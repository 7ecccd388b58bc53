"""The aneurysms' measurements as a table node of the scene."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any

import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.text_files import write_csv
from gsema_core.measurements import COLUMNS, Column
from gsema_core.measurements.aneurysm_table import DECIMALS, reasons_of, value_text
from GSEMASegmentationLib.measure.SegmentMeasurement import MeasuredAneurysm
from GSEMASegmentationLib.scene.Certainty import certaintyOf
from GSEMASegmentationLib.scene.Hierarchy import placeBeside

SEGMENT_COLUMN = "segment"
"""The first column: the segment's name. ``gsema_core.measurements.COLUMNS`` follow."""

TABLE_ROLE = "GSEMASegmentation.measurements"
"""Under this role a segmentation refers to its table, also in a saved scene."""

STATUS_COLUMN = "status"
"""The last column: what the user has decided of the aneurysm, and whether it was edited since it
was measured; empty for neither."""

REASONS_COLUMN = "missing"
POSITION_COLUMNS = ("r_mm", "a_mm", "s_mm")


def updateTable(
    segmentationNode: Any, measured: Sequence[MeasuredAneurysm], volumeNode: Any = None
) -> Any:
    """Fill the segmentation's table, which is made if there is none, and return its node.

    Columns have the names of CSV files, and headings with units for people. A column with a
    missing value holds texts instead of numbers, so that the cell can be empty.

    Args:
        segmentationNode: what was measured.
        measured: the rows.
        volumeNode: the table is put into its folder; None for the segmented volume.
    """
    tableNode = tableOf(segmentationNode)
    if tableNode is None:
        name = _("{segmentation} measurements").format(segmentation=segmentationNode.GetName())
        name = slicer.mrmlScene.GenerateUniqueName(name)
        tableNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
        segmentationNode.SetNodeReferenceID(TABLE_ROLE, tableNode.GetID())
    rows = [
        one.aneurysm.with_certainty(certaintyOf(segmentationNode, one.segmentId)).to_dict()
        for one in measured
    ]
    with slicer.util.NodeModify(tableNode):
        tableNode.RemoveAllColumns()
        names = _textArray([one.name for one in measured])
        _addColumn(tableNode, names, SEGMENT_COLUMN, _("Segment"), "")
        for column in COLUMNS:
            title = _(column.title)
            if column.unit:
                title = f"{title} ({column.unit})"
            _addColumn(tableNode, _array(column, rows), column.name, title, column.unit)
        statuses = _textArray([one.status for one in measured])
        _addColumn(tableNode, statuses, STATUS_COLUMN, _("Status"), "")
        tableNode.SetUseColumnTitleAsColumnHeader(True)
        tableNode.SetLocked(True)  # what is measured is not typed
    role = segmentationNode.GetReferenceImageGeometryReferenceRole()
    placeBeside(
        tableNode, volumeNode or segmentationNode.GetNodeReference(role) or segmentationNode
    )
    return tableNode


def tableOf(segmentationNode: Any) -> Any:
    """The table of a segmentation's measurements, or None."""
    return segmentationNode and segmentationNode.GetNodeReference(TABLE_ROLE)


def rowPosition(tableNode: Any, row: int) -> tuple[float, float, float]:
    """Where the aneurysm of a row is, in mm, in the world's RAS coordinates.

    Raises:
        UserError: it is not a table of measurements, or has no such row.
    """
    table = tableNode.GetTable()
    columns = [table.GetColumnByName(name) for name in POSITION_COLUMNS]
    if None in columns or not 0 <= row < table.GetNumberOfRows():
        raise UserError(
            _("{table} has no aneurysm in row {row}: measure again.").format(
                table=tableNode.GetName(), row=row + 1
            )
        )
    r, a, s = (column.GetVariantValue(row).ToDouble() for column in columns)
    return r, a, s


def writeCsv(tableNode: Any, path: str | os.PathLike[str]) -> None:
    """Write a table of measurements as a CSV file, with the command line's columns.

    Raises:
        UserError: the file could not be written; an older one is then unchanged.
    """
    names, rows = _texts(tableNode)
    write_csv(rows, path, names)


def clipboardText(tableNode: Any) -> str:
    """The content of the CSV file as spreadsheets paste it: tabs between cells, a line a row."""
    names, rows = _texts(tableNode)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, dialect=csv.excel_tab)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _texts(tableNode: Any) -> tuple[list[str], list[dict[str, str]]]:
    """The names of all columns, and each row's texts by them."""
    table = tableNode.GetTable()
    names = [table.GetColumnName(n) for n in range(table.GetNumberOfColumns())]
    rows = range(table.GetNumberOfRows())
    return names, [{name: cellText(tableNode, row, name) for name in names} for row in rows]


def cellText(tableNode: Any, row: int, name: str) -> str:
    """A cell as the panel, CSV files and the clipboard show it."""
    cell = tableNode.GetTable().GetValueByName(row, name)
    unit = tableNode.GetColumnUnitLabel(name) or ""
    if cell.IsDouble() and unit in DECIMALS:  # others are of a scene by an earlier version
        return value_text(cell.ToDouble(), unit)
    return str(cell.ToString())


def cellReasons(tableNode: Any, row: int) -> dict[str, str]:
    """Why cells of a row are empty, by the names of their columns."""
    if tableNode.GetTable().GetColumnByName(REASONS_COLUMN) is None:  # of an older scene
        return {}
    return reasons_of(cellText(tableNode, row, REASONS_COLUMN))


def _array(column: Column, rows: Sequence[dict[str, Any]]) -> Any:
    values = [column.value(row) for row in rows]
    if not all(type(value) in (int, float) for value in values):
        return _textArray([column.text(row) for row in rows])
    areWhole = all(type(value) is int for value in values)
    array = vtk.vtkIntArray() if areWhole else vtk.vtkDoubleArray()
    for value in values:
        array.InsertNextValue(value if areWhole else round(value, DECIMALS[column.unit]) + 0.0)
    return array


def _textArray(texts: Sequence[str]) -> Any:
    array = vtk.vtkStringArray()
    for text in texts:
        array.InsertNextValue(text)
    return array


def _addColumn(tableNode: Any, array: Any, name: str, title: str, unit: str) -> None:
    array.SetName(name)
    tableNode.AddColumn(array)
    tableNode.SetColumnTitle(name, title)
    tableNode.SetColumnUnitLabel(name, unit)
