"""All necks that are cut: how each aneurysm was before, and every step that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from GSEMASegmentationLib.neck.NeckChange import NeckChange
from GSEMASegmentationLib.neck.NeckCut import NeckCut
from GSEMASegmentationLib.neck.NeckPlace import Plane
from GSEMASegmentationLib.neck.NeckPlane import (
    cutBefore,
    fitOf,
    keepBefore,
    keepFit,
    movePlane,
    planesOf,
    showWhether,
)
from GSEMASegmentationLib.neck.NeckSurfaces import NeckSurfaces
from GSEMASegmentationLib.scene.SegmentPatch import applyPatches
from GSEMASegmentationLib.scene.UndoStack import UndoStack

Key = tuple[str, str]
"""A segmentation node's id, and an aneurysm's segment."""


@dataclass(frozen=True)
class NeckOutcome:
    """What a cut has changed.

    Attributes:
        segmentId: the aneurysm's segment.
        vesselId: the vessel's.
        toVesselMl: how much of the aneurysm became vessel.
        toAneurysmMl: how much of the vessel became aneurysm.
    """

    segmentId: str
    vesselId: str
    toVesselMl: float
    toAneurysmMl: float

    @property
    def isChanged(self) -> bool:
        """Whether anything has changed."""
        return self.toVesselMl > 0 or self.toAneurysmMl > 0


class NeckCuts:
    """Cuts necks, and puts them back.

    Args:
        undoStack: gets every step.

    Attributes:
        places: where each neck was cut last, in the segmentations' own frames.
    """

    def __init__(self, undoStack: UndoStack) -> None:
        self.places: dict[Key, Plane] = {}
        self._undoStack = undoStack
        self._cuts: dict[Key, NeckCut] = {}
        self._surfaces: dict[Key, NeckSurfaces] = {}
        self._open: dict[Key, NeckChange | None] = {}  # steps that go on with the next cut

    def cut(self, node: Any, segmentId: str, place: Plane) -> NeckOutcome:
        """Divide an aneurysm from its vessel at a plane in the segmentation's own frame.

        Raises:
            UserError: nothing was changed; one sentence says why, and what to do.
        """
        cut = self.of(node, segmentId, place)
        return self._write(cut, cut.divide(place), place)

    def reset(self, node: Any, segmentId: str) -> NeckOutcome:
        """Put an aneurysm back as it was before the first cut, and its plane where it was fitted.

        Raises:
            UserError: it cannot be.
        """
        plane = planesOf(node).get(segmentId)
        cut = self.of(node, segmentId)
        fit = None if plane is None else fitOf(plane)
        outcome = self._write(cut, (cut.sac, cut.vessel), fit)
        if fit is None:
            self.places.pop((node.GetID(), segmentId), None)
        if plane is not None and fit is not None:
            self.movePlane(node, plane, fit)
        return outcome

    def of(self, node: Any, segmentId: str, place: Plane | None = None) -> NeckCut:
        """An aneurysm as it was before the first cut, or since somebody else has changed it.

        Raises:
            UserError: it cannot be cut.
        """
        key: Key = (node.GetID() if node is not None else "", segmentId)
        known = self._cuts.get(key)
        cut = known.current() if known is not None and known.isOf(node) else None
        if cut is None:
            cut = self._take(node, segmentId, place, isEdited=known is not None)
        if place is not None:
            cut = cut.reaching(place)
        if cut is not known and key in self._open:
            self._open[key] = None
        self._cuts[key] = cut
        surfaces = self._surfaces.get(key)
        if surfaces is None or surfaces.ids != cut.ids or surfaces.node is not node:
            if surfaces is not None:
                surfaces.makeWhole()
            self._surfaces[key] = NeckSurfaces(node, *cut.ids)
        return cut

    def beginStep(self, key: Key) -> None:
        """Let all cuts until ``endStep`` be one step."""
        self._open[key] = None

    def endStep(self, key: Key) -> None:
        """Begin a new step with the next cut."""
        self._open.pop(key, None)

    @property
    def isInStep(self) -> bool:
        """Whether a step goes on."""
        return bool(self._open)

    def movePlane(self, node: Any, plane: Any, place: Plane) -> None:
        """Move a plane to where its neck was cut, in the frame of its segmentation."""
        plane.SetAndObserveTransformNodeID(node.GetTransformNodeID())
        movePlane(plane, place)
        showWhether(plane, True)

    def makeSurfacesWhole(self) -> None:
        """Make joined surfaces from all of their voxels."""
        for surfaces in self._surfaces.values():
            surfaces.makeWhole()

    def clear(self) -> None:
        """Forget everything; planes of the scene still know what they divide."""
        for known in (self._cuts, self._surfaces, self._open, self.places):
            known.clear()

    def _take(self, node: Any, segmentId: str, place: Plane | None, isEdited: bool) -> NeckCut:
        cut = NeckCut.of(node, segmentId, place)
        plane = planesOf(node).get(segmentId)
        if plane is None:
            return cut
        if not isEdited:
            cut = cutBefore(plane, cut)
        fit = cut.fit() if cut.isUncut else ""
        if not isinstance(fit, str):
            keepFit(plane, fit)
        return cut

    def _write(
        self, cut: NeckCut, after: tuple[np.ndarray, np.ndarray], place: Plane | None
    ) -> NeckOutcome:
        key: Key = (cut.node.GetID(), cut.segmentId)
        before, planeBefore = cut.now, self.places.get(key)
        if place is not None:
            self.places[key] = place
        ml = float(np.prod(cut.box.GetSpacing())) / 1000
        lost, gained = (
            np.count_nonzero(a[0] & ~b[0]) for a, b in ((before, after), (after, before))
        )
        outcome = NeckOutcome(cut.segmentId, cut.vesselId, lost * ml, gained * ml)
        patches = cut.patches(before, after)
        if not any((one.before != one.after).any() for one in patches):
            return outcome
        surfaces = self._surfaces[key]
        applyPatches(cut.node, patches, lambda: surfaces.update(patches))
        cut.now = after
        step = self._open.get(key)
        if step is not None:
            step.patches = cut.patches(step.before, after)
        else:
            name = cut.node.GetSegmentation().GetSegment(cut.segmentId).GetName()
            title = _("the cut of {name}").format(name=name)
            step = NeckChange(
                cut.node, title, patches, before, planeBefore, surfaces, self._onUndone
            )
            self._undoStack.add(step)
            if key in self._open:
                self._open[key] = step
        plane = planesOf(cut.node).get(cut.segmentId)
        if plane is not None:
            keepBefore(plane, cut)
        return outcome

    def _onUndone(self, change: NeckChange) -> None:
        key: Key = (change.node.GetID(), change.segmentId)
        if key in self._open:
            self._open[key] = None
        cut, plane = self._cuts.get(key), planesOf(change.node).get(change.segmentId)
        if cut is not None and cut.node is change.node:
            cut.now = cut.inScene()
            if plane is not None:
                keepBefore(plane, cut)
        place = change.planeBefore
        if place is None and plane is not None and cut is not None and cut.isUncut:
            place = fitOf(plane)  # the cut was made while no plane was shown
        if place is not None:
            self.places[key] = place
            if plane is not None:
                self.movePlane(change.node, plane, place)
