"""The measured lengths as lines in the views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from GSEMASegmentationLib.measure.SegmentMeasurement import MeasuredAneurysm
from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays

LINES_ROLE = "GSEMASegmentation.lines"
"""Under this role a segmentation refers to its lines, also in a saved scene."""

KINDS = {
    "diameter_line_lps": ("{name} diameter", (1.0, 1.0, 1.0)),
    "height_line_lps": ("{name} height", (0.2, 0.8, 1.0)),
    "neck_line_lps": ("{name} neck", (0.65, 0.3, 1.0)),
}
"""Which lines of ``Aneurysm`` are shown, how they are called, and in which color; the colors are
ours, chosen to be told apart from each other and from the segments, also by the color-blind."""

_KEY = "GSEMASegmentation.line"


def updateLines(segmentationNode: Any, measured: Sequence[MeasuredAneurysm]) -> list[Any]:
    """Show the diameter, height and neck of each aneurysm, where it has them.

    Lines of an earlier call are moved, not doubled; those without a length any more are removed.
    They lie in one folder beside the segmentation, and in the world: a transform that changes
    later does not move them.

    Args:
        segmentationNode: what was measured.
        measured: its aneurysms; an empty list removes all lines. Rejected ones get none.

    Returns:
        The vtkMRMLMarkupsLineNodes.
    """
    old = {node.GetAttribute(_KEY): node for node in linesOf(segmentationNode)}
    lines = []
    for one in (one for one in measured if not one.isRejected):
        for field, (title, color) in KINDS.items():
            ends = getattr(one.aneurysm, field)
            if ends is None:
                continue
            # The name tells the pieces of a segment apart, which share its id.
            key = f"{one.segmentId}|{one.name}|{field}"
            line = old.pop(key, None)
            if line is None:
                line = _newLine(segmentationNode, key, color)
            line.SetName(_(title).format(name=one.name))
            ras = np.array(ends) * (-1, -1, 1)
            slicer.util.updateMarkupsControlPointsFromArray(line, ras, world=True)
            lines.append(line)
    for line in old.values():
        removeWithDisplays(line)
    _fillFolder(segmentationNode, lines)
    return lines


def linesOf(segmentationNode: Any) -> list[Any]:
    """The lines of a segmentation's measurements that are in the scene."""
    count = segmentationNode.GetNumberOfNodeReferences(LINES_ROLE)
    nodes = [segmentationNode.GetNthNodeReference(LINES_ROLE, n) for n in range(count)]
    return [node for node in nodes if node is not None]


def _newLine(segmentationNode: Any, key: str, color: tuple[float, float, float]) -> Any:
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    line.CreateDefaultDisplayNodes()
    line.SetAttribute(_KEY, key)
    line.SetLocked(True)  # moved by hand it would no longer be what was measured
    display = line.GetDisplayNode()
    display.SetColor(color)
    display.SetSelectedColor(color)
    display.SetTextScale(2.0)
    display.SetGlyphScale(1.0)
    segmentationNode.AddNodeReferenceID(LINES_ROLE, line.GetID())
    return line


def _fillFolder(segmentationNode: Any, lines: Sequence[Any]) -> None:
    """Put the lines into one folder, the one that has some of them already if there is one."""
    hierarchy = subjectHierarchy()
    segmentationItem = hierarchy.GetItemByDataNode(segmentationNode)
    parent = hierarchy.GetItemParent(segmentationItem)
    name = _("{segmentation} lines").format(segmentation=segmentationNode.GetName())
    folder = hierarchy.GetItemChildWithName(parent, name)
    if not lines:
        if folder and not hierarchy.GetNumberOfItemChildren(folder):
            hierarchy.RemoveItem(folder)
        return
    folder = folder or hierarchy.CreateFolderItem(parent, name)
    for line in lines:
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(line), folder)
