"""Asks the user for points in the views with Slicer's own place mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.scene.OutputState import removeWithDisplays
from GSEMASegmentationLib.scene.ViewHelpers import sliceViews

BEFORE_SLICER = 10.0
"""The priority of an observer that hears of a click before Slicer's own, which have 0."""


class PointPicker(VTKObservationMixin):
    """While it is active, each click into a view is a point; none of the points stays in the scene.

    Slicer's place mode passes over a click with Ctrl (Cmd on a Mac), which slice views use for
    nothing: it is taken from the slice views themselves, before they see it.

    Args:
        onPoint: called with each point in mm, in the world's RAS coordinates, and whether it was
            a click without Ctrl.
        onEnd: called when place mode ends, whoever ended it.
    """

    def __init__(self, onPoint: Callable[[Point, bool], None], onEnd: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._onPoint, self._onEnd = onPoint, onEnd
        self._markups: Any = None
        self._viewTags: list[tuple[Any, int]] = []

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
        layouts = slicer.util.getNodesByClass("vtkMRMLLayoutNode")
        for layout in layouts:
            self.addObserver(layout, vtk.vtkCommand.ModifiedEvent, self._onLayout)
        self._watchViews()

    def stop(self) -> None:
        """Give the mouse back."""
        markups = self._markups
        if markups is None:
            return
        self._markups = None
        self.removeObservers()
        self._leaveViews()
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
        self._onPoint((point[0], point[1], point[2]), True)

    def _watchViews(self) -> None:
        for interactor, sliceNode in sliceViews():
            for event in ("LeftButtonPressEvent", "LeftButtonReleaseEvent"):
                observation: list[int] = []
                call = self._ctrlCall(interactor, sliceNode, event, observation)
                observation.append(interactor.AddObserver(event, call, BEFORE_SLICER))
                self._viewTags.append((interactor, observation[0]))

    def _ctrlCall(
        self, interactor: Any, sliceNode: Any, event: str, observation: list[int]
    ) -> Callable[[Any, str], None]:
        def onButton(_caller: Any, _event: str) -> None:
            if not interactor.GetControlKey() or interactor.GetShiftKey() or interactor.GetAltKey():
                return
            interactor.GetCommand(observation[0]).SetAbortFlag(1)
            if event == "LeftButtonReleaseEvent":
                x, y = interactor.GetEventPosition()
                r, a, s, _w = sliceNode.GetXYToRAS().MultiplyPoint((x, y, 0.0, 1.0))
                qt.QTimer.singleShot(0, lambda: self._onPoint((r, a, s), False))

        return onButton

    def _leaveViews(self) -> None:
        tags, self._viewTags = self._viewTags, []
        for interactor, tag in tags:
            interactor.RemoveObserver(tag)

    def _onLayout(self, caller: Any, event: str) -> None:
        """Another layout may have other views; they are there when the application is idle."""
        qt.QTimer.singleShot(0, self._watchAgain)

    def _watchAgain(self) -> None:
        self._leaveViews()
        if self.isActive:
            self._watchViews()

    def _onMode(self, caller: Any, event: str) -> None:
        if caller.GetCurrentInteractionMode() != caller.Place:
            self.stop()

    def _onClose(self, caller: Any, event: str) -> None:
        self.stop()
