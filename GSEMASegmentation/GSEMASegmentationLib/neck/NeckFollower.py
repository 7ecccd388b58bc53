"""Neck planes in the views: shown, and followed where a hand or a script moves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.measure.Judgement import isRejected
from GSEMASegmentationLib.neck.NeckCuts import Key, NeckCuts
from GSEMASegmentationLib.neck.NeckPlace import Plane
from GSEMASegmentationLib.neck.NeckPlane import (
    addPlane,
    keepBefore,
    movePlane,
    placeOf,
    planesOf,
    showWhether,
)
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import segmentGrid
from GSEMASegmentationLib.scene.ViewHelpers import hideWhether

REST_MS = 1000
"""So long after a plane's last move the vessel's whole surface is made anew. Ours."""

SAME_MM = 1e-6
"""A plane that has moved by less has not; ours, for rounding in transforms."""


class NeckFollower:
    """Follows the planes of segmentations, and cuts where they are.

    Args:
        cuts: cuts.

    Attributes:
        onTold: called after each move with the segmentation, the aneurysm's segment, and one
            sentence why the plane divides nothing where it is; an empty one where it does.
    """

    def __init__(self, cuts: NeckCuts) -> None:
        self.onTold: Callable[[Any, str, str], None] = lambda node, segmentId, problem: None
        self._cuts = cuts
        # Segmentation, plane, and what is observed with its observers.
        self._followed: dict[Key, tuple[Any, Any, list[tuple[Any, int]]]] = {}
        self._moved: set[Key] = set()
        self._rejected: set[Key] = set()  # of segmentations whose other planes are shown
        self._timer, self._restTimer = _timer(0, self.cutNow), _timer(REST_MS, self._rest)
        self._stopObserving: Callable[[], None] = lambda: None

    def show(self, node: Any) -> dict[str, str]:
        """Show a plane for each aneurysm of a segmentation; those that are there stay as they are.

        Returns:
            By segment, one sentence for each aneurysm that has no plane.
        """
        problems = self._addMissing(node, segmentsShowing(node, ANEURYSM))
        return {**problems, **self.follow(node)}

    def hide(self, node: Any) -> None:
        """Remove the planes of a segmentation; what they have divided stays so."""
        for segmentId, plane in planesOf(node).items():
            self._leave((node.GetID(), segmentId))
            removeWithDisplays(plane)
        self._rejected = {key for key in self._rejected if key[0] != node.GetID()}

    def follow(self, node: Any) -> dict[str, str]:
        """Follow the planes that a segmentation has, also those of a loaded scene.

        Planes of segments that are gone are removed, those of rejected aneurysms hidden. What was
        rejected when the others were shown, and is not any more, gets its plane.

        Returns:
            As ``show``.
        """
        problems = self._addMissing(node, [one for of, one in self._rejected if of == node.GetID()])
        for segmentId, plane in planesOf(node).items():
            key: Key = (node.GetID(), segmentId)
            if node.GetSegmentation().GetSegment(segmentId) is None:
                self._leave(key)
                removeWithDisplays(plane)
                continue
            if self._followed.get(key, (None, None))[1] is not plane:
                self._leave(key)
                self._observe(node, segmentId, plane)
            hideWhether(plane, isRejected(node, segmentId))
        return problems

    def _addMissing(self, node: Any, segmentIds: Iterable[str]) -> dict[str, str]:
        problems: dict[str, str] = {}
        for segmentId in segmentIds:
            key: Key = (node.GetID(), segmentId)
            self._rejected.discard(key)
            if segmentId in planesOf(node) or node.GetSegmentation().GetSegment(segmentId) is None:
                continue
            if isRejected(node, segmentId):
                self._rejected.add(key)
                continue
            try:
                self._add(node, segmentId)
            except UserError as error:
                problems[segmentId] = str(error)
        return problems

    def refit(self, node: Any) -> None:
        """Show the planes anew, if there are any: other aneurysms have come into the segments."""
        if planesOf(node):
            self.hide(node)
            self.show(node)

    def stop(self) -> None:
        """Follow nothing any more."""
        for timer in (self._timer, self._restTimer):
            timer.stop()
        for key in list(self._followed):
            self._leave(key)
        if not slicer.mrmlScene.IsClosing():
            self._cuts.makeSurfacesWhole()
        self._cuts.clear()
        self._rejected.clear()

    def cutNow(self) -> None:
        """Cut at the planes that have moved, where they are now."""
        self._timer.stop()
        moved, self._moved = self._moved, set()
        for key in moved:
            if key not in self._followed:
                continue
            node, plane, _tags = self._followed[key]
            present = slicer.mrmlScene.IsNodePresent
            if not (present(node) and present(plane)):
                self._leave(key)
                continue
            problem = self._cutAt(node, key, plane)
            showWhether(plane, not problem)
            self.onTold(node, key[1], problem)

    def _cutAt(self, node: Any, key: Key, plane: Any) -> str:
        try:
            place = placeOf(plane, node)
            if not _isSame(place, self._cuts.places.get(key)):
                self._cuts.cut(node, key[1], place)
                self._restTimer.start()
        except UserError as error:
            return str(error)
        return ""

    def _add(self, node: Any, segmentId: str) -> None:
        cut = self._cuts.of(node, segmentId)
        fit = cut.fit()
        if isinstance(fit, str):
            raise UserError(
                _("{name} has no neck: {reason}.").format(
                    name=node.GetSegmentation().GetSegment(segmentId).GetName(), reason=fit
                )
            )
        plane = addPlane(cut, fit)
        keepBefore(plane, cut)
        key: Key = (node.GetID(), segmentId)
        place = fit if cut.isUncut else self._cuts.places.get(key, fit)
        self._cuts.places[key] = place
        movePlane(plane, place)

    def _observe(self, node: Any, segmentId: str, plane: Any) -> None:
        key: Key = (node.GetID(), segmentId)
        markups = slicer.vtkMRMLMarkupsNode
        tags = [
            plane.AddObserver(event, call)
            for event, call in (
                (markups.PointModifiedEvent, lambda _plane, _event: self._onMoved(key)),
                (markups.PointRemovedEvent, lambda _plane, _event: self._onMoved(key)),
                (markups.PointStartInteractionEvent, lambda _plane, _event: self._onHeld(key)),
                (markups.PointEndInteractionEvent, lambda _plane, _event: self._onLetGo(key)),
            )
        ]
        observed = [(plane, tag) for tag in tags]
        moved, grid = (
            slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
            segmentGrid(node, key[1]),
        )
        onMoved = lambda _node, _event: self._onTransformed(key, grid)  # noqa: E731
        observed.append((node, node.AddObserver(moved, onMoved)))
        if not self._followed:
            self._stopObserving = beforeSceneCloses(self.stop)
        self._followed[key] = node, plane, observed
        try:
            self._cuts.places[key] = placeOf(plane, node)
        except UserError:
            return  # it has no place; the next move gives it one

    def _leave(self, key: Key) -> None:
        _node, _plane, observed = self._followed.pop(key, (None, None, []))
        for one, tag in observed:
            one.RemoveObserver(tag)
        self._moved.discard(key)
        self._cuts.endStep(key)
        if observed and not self._followed:
            self._stopObserving()

    def _onTransformed(self, key: Key, grid: np.ndarray | None) -> None:
        """Take a plane along under the transform that its segmentation has come under.

        Args:
            key: the neck.
            grid: of the segment when the plane was first followed. On another one, the transform
                was hardened: the segment has stayed in the world, and so does the plane.
        """
        node, plane, _observed = self._followed[key]
        if plane.GetTransformNodeID() == node.GetTransformNodeID():
            return
        now = segmentGrid(node, key[1])
        isHardened = grid is not None and now is not None and not np.allclose(grid, now)
        if not isHardened:
            plane.SetAndObserveTransformNodeID(node.GetTransformNodeID())
            return
        try:
            place = placeOf(plane, node)
        except UserError:  # it bends, or the plane has no place: Reset gives it one
            return
        self._cuts.places[key] = place
        self._cuts.movePlane(node, plane, place)
        self._leave(key)
        self._observe(node, key[1], plane)

    def _onMoved(self, key: Key) -> None:
        # The last position wins: all moves until the timer fires are one.
        self._moved.add(key)
        if not self._timer.active:
            self._timer.start()
        if self._restTimer.active:
            self._restTimer.start()

    def _onHeld(self, key: Key) -> None:
        self._cuts.beginStep(key)

    def _onLetGo(self, key: Key) -> None:
        """End the step; a plane that divides nothing where it is goes back to where it did."""
        self.cutNow()
        self._cuts.endStep(key)
        if key not in self._followed:  # it has left the scene meanwhile
            return
        node, plane, _tags = self._followed[key]
        place = self._cuts.places.get(key)
        try:
            isElsewhere = place is not None and not _isSame(placeOf(plane, node), place)
        except UserError:
            isElsewhere = place is not None
        if isElsewhere:
            self._cuts.movePlane(node, plane, place)

    def _rest(self) -> None:
        if self._cuts.isInStep:
            self._restTimer.start()
        else:
            self._cuts.makeSurfacesWhole()


def _isSame(one: Plane, other: Plane | None) -> bool:
    return other is not None and all(
        np.allclose(a, b, rtol=0, atol=SAME_MM) for a, b in zip(one, other, strict=True)
    )


def _timer(milliseconds: int, call: Callable[[], None]) -> Any:
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.connect("timeout()", call)
    return timer
