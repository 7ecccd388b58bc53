"""Clicks in the scene: heard of when one was dragged, named otherwise, added or deleted by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
import slicer
import slicer.util

from GSEMASegmentationLib.click.ClickPoints import (
    SEGMENT_KEY,
    answered,
    clicksOfList,
    hardenClicks,
    listsOf,
)
from GSEMASegmentationLib.measure.Judgement import isRejected
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.scene.SegmentMasks import segmentGrid
from GSEMASegmentationLib.scene.ViewHelpers import hideWhether


class ClickFollower:
    """Follows the point lists of clicks of all segmentations in the scene.

    Args:
        onEdited: called with the segmentation and the segment whose points are no longer those
            that the segment was made of; not while one is being dragged.
        onGone: called when segments, and with them their clicks, have gone.
    """

    def __init__(self, onEdited: Callable[[Any, str], None], onGone: Callable[[], None]) -> None:
        self._onEdited, self._onGone = onEdited, onGone
        self._observed: dict[Any, list[tuple[Any, int]]] = {}  # by point list
        self._held: set[Any] = set()
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._look)
        self._stopObserving = beforeSceneCloses(self.forget)

    def follow(self) -> None:
        """Follow what there is now, and remove the clicks of segments that are gone."""
        found = {}
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            for segmentId, points in listsOf(node).items():
                if node.GetSegmentation().GetSegment(segmentId or "") is None:
                    removeWithDisplays(points)
                    continue
                hideWhether(points, isRejected(node, segmentId))
                found[points] = node
        for points in [one for one in self._observed if one not in found]:
            self._leave(points)
        for points, node in found.items():
            if points not in self._observed:
                self._observe(points, node)

    def forget(self) -> None:
        """Follow nothing for now."""
        self._timer.stop()
        for points in list(self._observed):
            self._leave(points)

    def stop(self) -> None:
        """Follow nothing any more."""
        self.forget()
        self._stopObserving()

    def _observe(self, points: Any, node: Any) -> None:
        markups = slicer.vtkMRMLMarkupsNode
        calls = {
            markups.PointModifiedEvent: lambda _node, _event: self._timer.start(),
            markups.PointRemovedEvent: lambda _node, _event: self._timer.start(),
            markups.PointStartInteractionEvent: lambda _node, _event: self._held.add(points),
            markups.PointEndInteractionEvent: lambda _node, _event: self._onLetGo(points),
        }
        observed = [(points, points.AddObserver(event, call)) for event, call in calls.items()]
        segmentation, removed = node.GetSegmentation(), slicer.vtkSegmentation.SegmentRemoved
        call = lambda _node, _event: self._timer.start()  # noqa: E731
        observed.append((segmentation, segmentation.AddObserver(removed, call)))
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        grid = segmentGrid(node, points.GetAttribute(SEGMENT_KEY))
        call = lambda _node, _event: _moveAlong(points, node, grid)  # noqa: E731
        observed.append((node, node.AddObserver(moved, call)))
        self._observed[points] = observed

    def _leave(self, points: Any) -> None:
        self._held.discard(points)
        for one, tag in self._observed.pop(points, ()):
            one.RemoveObserver(tag)

    def _onLetGo(self, points: Any) -> None:
        self._held.discard(points)
        self._timer.start()

    def _look(self) -> None:
        before = len(self._observed)
        self.follow()
        if len(self._observed) < before:
            self._onGone()
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            for segmentId, points in listsOf(node).items():
                if points not in self._held and isEdited(points, node):
                    self._onEdited(node, segmentId)


def isEdited(points: Any, segmentationNode: Any) -> bool:
    """Whether the points are no longer those that the segment was made of."""
    return not clicksOfList(points).isSame(answered(points).inWorld(segmentationNode))


def _moveAlong(points: Any, node: Any, grid: np.ndarray | None) -> None:
    """Take clicks along under the transform that their segmentation has come under.

    Args:
        points: the clicks.
        node: the segmentation.
        grid: of the segment when its clicks were first followed. On another one, the transform was
            hardened: the segment has stayed in the world, and so do the clicks.
    """
    if points.GetTransformNodeID() == node.GetTransformNodeID():
        return
    now = segmentGrid(node, points.GetAttribute(SEGMENT_KEY))
    if grid is None or now is None or np.allclose(grid, now):
        points.SetAndObserveTransformNodeID(node.GetTransformNodeID())
        return
    hardenClicks(points, node)
