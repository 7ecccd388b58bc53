"""The clicks of an aneurysm: a point list in the scene that belongs to its segment.

Points whose names begin with "-" lie on what is not the aneurysm, all others in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from GSEMASegmentationLib.scene.Coordinates import (
    Point,
    lpsFromWorld,
    matrixBetween,
    worldFromLps,
)
from GSEMASegmentationLib.scene.Hierarchy import placeBeside
from GSEMASegmentationLib.scene.MaskText import imageFrom, imageText
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays
from GSEMASegmentationLib.scene.SegmentMasks import gridOf

CLICKS_ROLE = "GSEMASegmentation.clicks"
"""Under this role a segmentation refers to its point lists of clicks, also in a saved scene."""

SEGMENT_KEY = "GSEMASegmentation.clicks"
ANSWERED_KEY = "GSEMASegmentation.clicksAnswered"
START_KEY = "GSEMASegmentation.clicksStart"
"""Attributes of a point list: its segment, the clicks that the segment was made of, and the
segment's voxels before the first of them (``MaskText``; none where there was no segment)."""

INSIDE, OUTSIDE = "+", "-"
"""Names of points."""

INSIDE_COLOR, OUTSIDE_COLOR = (0.1, 0.9, 0.9), (1.0, 0.3, 1.0)
"""Ours: both stand out from the aneurysm's yellow-orange and the vessels' red; the names tell them
apart without colors."""

SAME_MM = 0.01
"""Points this near to each other are one; ours, for the digits of files."""


@dataclass(frozen=True)
class Clicks:
    """The clicks of one aneurysm, in mm.

    Attributes:
        inside: on the aneurysm.
        outside: on what is not part of it.
    """

    inside: tuple[Point, ...] = ()
    outside: tuple[Point, ...] = ()

    def plus(self, point: Point, isInside: bool) -> Clicks:
        """These and another one."""
        new = Clicks((point,)) if isInside else Clicks((), (point,))
        return self.joined(new)

    def joined(self, other: Clicks) -> Clicks:
        """These and others; points at the same place are one."""
        return Clicks(_joined(self.inside, other.inside), _joined(self.outside, other.outside))

    def isSame(self, other: Clicks) -> bool:
        """Whether both have the same points, whatever their order."""
        return self.joined(other).count == self.count == other.count

    @property
    def count(self) -> int:
        return len(self.inside) + len(self.outside)

    def inWorld(self, node: Any) -> Clicks:
        """Clicks in a node's own frame (LPS) in the world (RAS)."""
        return Clicks(*(tuple(worldFromLps(p, node) for p in ps) for ps in self._both))

    def inFrame(self, node: Any) -> Clicks:
        """Clicks in the world (RAS) in a node's own frame (LPS)."""
        return Clicks(*(tuple(lpsFromWorld(p, node) for p in ps) for ps in self._both))

    @property
    def _both(self) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
        return self.inside, self.outside


def isOutside(name: str) -> bool:
    """Whether a point's name says that it lies on what is not the aneurysm."""
    return name.strip().startswith((OUTSIDE, "−"))


def clicksOfList(points: Any) -> Clicks:
    """The points of any point list, in the world (RAS)."""
    found: dict[bool, list[Point]] = {False: [], True: []}
    for index in range(points.GetNumberOfControlPoints()):
        if points.GetNthControlPointPositionStatus(index) == points.PositionDefined:
            ras = [0.0, 0.0, 0.0]
            points.GetNthControlPointPositionWorld(index, ras)
            place = (ras[0], ras[1], ras[2])
            found[isOutside(points.GetNthControlPointLabel(index))].append(place)
    return Clicks(tuple(found[False]), tuple(found[True]))


def listsOf(segmentationNode: Any) -> dict[str, Any]:
    """The point lists of clicks that a segmentation has in the scene, by their segments."""
    if segmentationNode is None:
        return {}
    count = segmentationNode.GetNumberOfNodeReferences(CLICKS_ROLE)
    nodes = [segmentationNode.GetNthNodeReference(CLICKS_ROLE, n) for n in range(count)]
    return {node.GetAttribute(SEGMENT_KEY): node for node in nodes if node is not None}


def clicksOf(segmentationNode: Any, segmentId: str) -> Clicks:
    """The clicks that a segment was made of, in the world (RAS); none where there was none."""
    points = listsOf(segmentationNode).get(segmentId)
    return Clicks() if points is None else answered(points).inWorld(segmentationNode)


def answered(points: Any) -> Clicks:
    """The clicks that the segment of a point list was made of, in the segmentation's frame."""
    try:
        inside, outside = json.loads(points.GetAttribute(ANSWERED_KEY) or "")
        return Clicks(
            tuple((float(x), float(y), float(z)) for x, y, z in inside),
            tuple((float(x), float(y), float(z)) for x, y, z in outside),
        )
    except (ValueError, TypeError):
        return Clicks()


def keepAnswered(points: Any, clicks: Clicks) -> None:
    """Remember the clicks that a segment was made of (in the segmentation's frame)."""
    points.SetAttribute(ANSWERED_KEY, json.dumps([clicks.inside, clicks.outside]))


def startOf(points: Any) -> str:
    """A segment's voxels before its first click, as ``MaskText``; empty for none."""
    return points.GetAttribute(START_KEY) or ""


def showClicks(segmentationNode: Any, segmentId: str, clicks: Clicks, start: str) -> None:
    """Have the clicks that a segment is made of in the scene; without one inside, none.

    Args:
        segmentationNode: the segmentation.
        segmentId: one of its segments.
        clicks: in the segmentation's own frame (LPS).
        start: see ``startOf``.
    """
    points = listsOf(segmentationNode).get(segmentId)
    if not clicks.inside:
        if points is not None:
            removeWithDisplays(points)
        return
    if points is None:
        points = _newList(segmentationNode, segmentId)
    points.SetAttribute(START_KEY, start or None)
    keepAnswered(points, clicks)
    restorePoints(points, segmentationNode)


def restorePoints(points: Any, segmentationNode: Any) -> None:
    """Put the points where the clicks are that the segment was made of, and name them."""
    clicks = answered(points).inWorld(segmentationNode)
    wanted = [(p, INSIDE) for p in clicks.inside] + [(p, OUTSIDE) for p in clicks.outside]
    if _described(points) == [(name, name == INSIDE) for _p, name in wanted] and clicksOfList(
        points
    ).isSame(clicks):
        return
    wasModifying = points.StartModify()
    points.RemoveAllControlPoints()
    for place, name in wanted:
        index = points.AddControlPointWorld(*place)
        points.SetNthControlPointLabel(index, name)
        points.SetNthControlPointSelected(index, name == INSIDE)
    points.EndModify(wasModifying)


def hardenClicks(points: Any, segmentationNode: Any) -> None:
    """Leave clicks where they are in the world, in the frame that their segmentation now has."""
    matrix = matrixBetween(
        points.GetParentTransformNode(), segmentationNode.GetParentTransformNode()
    )
    clicks = answered(points).inWorld(points)
    image = imageFrom(startOf(points) or "null")
    places = clicksOfList(points)
    points.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    for index, place in enumerate((*places.inside, *places.outside)):
        points.SetNthControlPointPositionWorld(index, *place)
    keepAnswered(points, clicks.inFrame(segmentationNode))
    if image is not None:
        grid = gridOf(image)
        vtk.vtkMatrix4x4.Multiply4x4(matrix, grid, grid)
        image.SetGeometryFromImageToWorldMatrix(grid)
        points.SetAttribute(START_KEY, imageText(image))


def _described(points: Any) -> list[tuple[str, bool]]:
    return [
        (points.GetNthControlPointLabel(index), bool(points.GetNthControlPointSelected(index)))
        for index in range(points.GetNumberOfControlPoints())
    ]


def _newList(segmentationNode: Any, segmentId: str) -> Any:
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    points.CreateDefaultDisplayNodes()
    points.SetName(_("{name} clicks").format(name=segment.GetName()))
    points.SetAttribute(SEGMENT_KEY, segmentId)
    points.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    display = points.GetDisplayNode()
    display.SetSelectedColor(INSIDE_COLOR)
    display.SetColor(OUTSIDE_COLOR)
    display.SetGlyphScale(1.8)
    display.SetTextScale(4.0)
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(True)
    display.SetSnapMode(display.SnapModeUnconstrained)  # else 3D views drag along surfaces
    display.SetOccludedVisibility(True)  # within the aneurysm's surface
    segmentationNode.AddNodeReferenceID(CLICKS_ROLE, points.GetID())
    placeBeside(points, segmentationNode)
    return points


def _joined(points: Sequence[Point], more: Sequence[Point]) -> tuple[Point, ...]:
    kept = list(points)
    for point in more:
        if not any(np.linalg.norm(np.subtract(point, one)) <= SAME_MM for one in kept):
            kept.append(point)
    return tuple(kept)
