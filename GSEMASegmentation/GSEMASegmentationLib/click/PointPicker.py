"""Asks the user for points in the views with Slicer's own place mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays


class PointPicker(VTKObservationMixin):
    """While it is active, each click into a view is a point; none of the points stays in the scene.

    Args:
        onPoint: called with each point in mm, in the world's RAS coordinates.
        onEnd: called when place mode ends, whoever ended it.
    """

    def __init__(self, onPoint: Callable[[Point], None], onEnd: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._onPoint, self._onEnd = onPoint, onEnd
        self._markups: Any = None

    @property
    def isActive(self) -> bool:
        return self._markups is not None

    def start(self) -> None:
        """Let the next clicks be points."""
        if self.isActive:
            return
        scene = slicer.mrmlScene
        markups = slicer.vtkMRMLMarkupsFiducialNode()
        markups.SetName(_("Click to segment"))
        markups.SetHideFromEditors(True)
        markups.SetSaveWithScene(False)
        scene.AddNode(markups)
        markups.CreateDefaultDisplayNodes()
        markups.GetDisplayNode().SetSaveWithScene(False)
        markups.GetDisplayNode().SetPointLabelsVisibility(False)
        self._markups = markups
        logic = slicer.app.applicationLogic()
        selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
        selection.SetReferenceActivePlaceNodeClassName(markups.GetClassName())
        selection.SetActivePlaceNodeID(markups.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(interaction.Place)
        self.addObserver(markups, markups.PointPositionDefinedEvent, self._onDefined)
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._onMode)
        self.addObserver(scene, scene.StartCloseEvent, self._onClose)

    def stop(self) -> None:
        """Give the mouse back."""
        markups = self._markups
        if markups is None:
            return
        self._markups = None
        self.removeObservers()
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        removeWithDisplays(markups)
        self._onEnd()

    def _onDefined(self, caller: Any, event: str) -> None:
        # The view is still busy with the click: it may not lose the point before it is done.
        qt.QTimer.singleShot(0, self._takePoint)

    def _takePoint(self) -> None:
        if self._markups is None or self._markups.GetNumberOfDefinedControlPoints() == 0:
            return
        last = self._markups.GetNumberOfDefinedControlPoints() - 1
        point = [0.0, 0.0, 0.0]
        self._markups.GetNthControlPointPositionWorld(last, point)
        self._markups.RemoveAllControlPoints()
        self._onPoint((point[0], point[1], point[2]))

    def _onMode(self, caller: Any, event: str) -> None:
        if caller.GetCurrentInteractionMode() != caller.Place:
            self.stop()

    def _onClose(self, caller: Any, event: str) -> None:
        self.stop()
