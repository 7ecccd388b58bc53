"""Follows what the slice views show, until somebody chooses a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import slicer.util
import vtk
from slicer.util import VTKObservationMixin

from GSEMASegmentationLib.scene.ViewHelpers import shownVolume
from GSEMASegmentationLib.scene.VolumeChoice import firstVolume, isUsable


class VolumeFollower(VTKObservationMixin):
    """Proposes the volume that the slice views show, now and whenever that changes.

    What somebody else has chosen is never changed. A proposal that was worked on gives way only to
    a volume that came into the scene after that: to another study, not to another look.

    Args:
        current: the volume that is chosen now.
        isBusy: whether nothing may change now.
        choose: called with a volume that is to be chosen.
    """

    def __init__(
        self,
        current: Callable[[], Any],
        isBusy: Callable[[], bool],
        choose: Callable[[Any], None],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._current, self._isBusy, self._choose = current, isBusy, choose
        self._proposed: Any = None
        self._known: set[str] = set()
        scene = slicer.mrmlScene
        for event in (scene.NodeAddedEvent, scene.EndBatchProcessEvent):
            self.addObserver(scene, event, self._onScene)

    def stop(self) -> None:
        """Look no more."""
        self.removeObservers()

    def forget(self) -> None:
        """Begin anew: the scene was closed."""
        self._proposed, self._known = None, set()

    def onWork(self) -> None:
        """The chosen volume is being worked on."""
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        self._known = {node.GetID() for node in volumes}

    def start(self) -> None:
        """Propose what is shown, or else the first volume of the scene, and look on."""
        self._observeViews()
        self._follow()
        if self._current() is None and not self._isBusy():
            self._propose(firstVolume())

    def _follow(self) -> None:
        current, shown = self._current(), shownVolume()
        isOthers = current is not None and current is not self._proposed
        if isOthers or self._isBusy() or shown is current or not isUsable(shown):
            return
        if current is None or shown.GetID() not in self._known:
            self._propose(shown)

    def _propose(self, volumeNode: Any) -> None:
        if volumeNode is not None:
            self._proposed = volumeNode
            self._choose(volumeNode)

    def _onScene(self, caller: Any, event: str) -> None:
        if not slicer.mrmlScene.IsBatchProcessing():
            self._observeViews()
            self._follow()

    def _onView(self, caller: Any, event: str) -> None:
        if not slicer.mrmlScene.IsBatchProcessing():
            self._follow()

    def _observeViews(self) -> None:
        modified = vtk.vtkCommand.ModifiedEvent
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if not self.hasObserver(node, modified, self._onView):
                self.addObserver(node, modified, self._onView)
