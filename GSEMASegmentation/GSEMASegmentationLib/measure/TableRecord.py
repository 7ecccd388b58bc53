"""What a table of measurements was made from, kept with it: whether it still tells the truth."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from GSEMASegmentationLib.measure.MeasurementTable import STATUS_COLUMN

EDITED = "edited"
"""In the status of a row whose segment, or a vessel near it, is not what was measured."""

_KEY = "GSEMASegmentation.measured"
"""Attribute of the table node; it is saved with the scene."""


@dataclass(frozen=True)
class TableRecord:
    """The segments behind a table.

    Attributes:
        rows: the segment of each row.
        statuses: what the user had decided of each row's segment.
        fingerprints: of every segment that was measured, also of those without a row.
    """

    rows: Sequence[str] = ()
    statuses: Sequence[str] = ()
    fingerprints: Mapping[str, str] | None = None

    def edited(self, fingerprints: Mapping[str, str]) -> set[str]:
        """The segments that are other ones now, were added, or are gone.

        Args:
            fingerprints: of every segment that would be measured now.
        """
        measured = self.fingerprints or {}
        return {
            one for one in {*measured, *fingerprints} if measured.get(one) != fingerprints.get(one)
        }


def recordOf(tableNode: Any) -> TableRecord:
    """The record of a table; an empty one where there is none."""
    try:
        return TableRecord(**json.loads(tableNode.GetAttribute(_KEY) or "{}"))
    except (ValueError, TypeError):
        return TableRecord()


def keepRecord(tableNode: Any, record: TableRecord) -> None:
    """Write a record into its table."""
    tableNode.SetAttribute(_KEY, json.dumps(asdict(record)))


def segmentOfRow(tableNode: Any, row: int) -> str:
    """The segment of a row; empty where that is not known."""
    rows = recordOf(tableNode).rows
    return rows[row] if 0 <= row < len(rows) else ""


def showEdited(tableNode: Any, edited: Collection[str]) -> None:
    """Have the status of each row say whether its segment was edited since it was measured."""
    record = recordOf(tableNode)
    column = tableNode.GetTable().GetColumnByName(STATUS_COLUMN)
    if column is None or column.GetNumberOfValues() != len(record.rows):
        return
    isChanged = False
    for row, (segmentId, status) in enumerate(zip(record.rows, record.statuses, strict=True)):
        words = [status] if status else []
        text = ", ".join([*words, EDITED] if segmentId in edited else words)
        if column.GetValue(row) != text:
            column.SetValue(row, text)
            isChanged = True
    if isChanged:
        tableNode.GetTable().Modified()
        tableNode.Modified()
