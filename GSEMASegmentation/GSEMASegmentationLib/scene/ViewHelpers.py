"""What the views show, and showing a place in all of them; without views nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
from vtk.util import numpy_support

from GSEMASegmentationLib.scene.Camera import Look, lookAt, openDirection
from GSEMASegmentationLib.scene.Coordinates import Point, toWorld

ANTERIOR = np.array([0.0, 1.0, 0.0])

HIDDEN_KEY = "GSEMASegmentation.neckHidden"
"""Attribute of a node that is hidden while its aneurysm is rejected: a neck plane, or clicks."""

MOST_POINTS = 5_000
"""Of a surface; more make the choice of a direction no better, only slower. Ours."""

LUMEN_MM = 5.0
"""Half the width of a wide cerebral artery: so far around is averaged to get from a wall into the
vessel. Ours."""


def shownVolume() -> Any:
    """The volume in the background of the slice views, the red one first; or None."""
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    order = ("Red", "Yellow", "Green")
    composites.sort(key=lambda one: (*order, one.GetLayoutName()).index(one.GetLayoutName()))
    shown = (slicer.mrmlScene.GetNodeByID(one.GetBackgroundVolumeID() or "") for one in composites)
    return next((node for node in shown if node is not None), None)


def hideWhether(node: Any, isHidden: bool) -> None:
    """Hide a node, or show one that was hidden so; what the user has hidden stays hidden."""
    if isHidden == (node.GetAttribute(HIDDEN_KEY) is not None):
        return
    node.SetAttribute(HIDDEN_KEY, "1" if isHidden else None)
    node.SetDisplayVisibility(not isHidden)


def sliceViews() -> list[tuple[Any, Any]]:
    """The slice views of the layout: the interactor (VTK) and the slice node of each."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return []
    views = [manager.sliceWidget(name).sliceView() for name in manager.sliceViewNames()]
    return [(view.renderWindow().GetInteractor(), view.mrmlSliceNode()) for view in views]


def centerViews(ras: Sequence[float]) -> None:
    """Center all slice views on a point, and let the 3D views look at it from where they are.

    Args:
        ras: the point in mm, in the world's RAS coordinates.
    """
    centerSlices(ras)
    for cameraNode in _cameras():
        position, focus = cameraNode.GetPosition(), cameraNode.GetFocalPoint()
        moved = [p + new - old for p, new, old in zip(position, ras, focus, strict=True)]
        cameraNode.SetPosition(*moved)
        cameraNode.SetFocalPoint(*ras)
        cameraNode.ResetClippingRange()


def centerSlices(ras: Sequence[float]) -> None:
    """Center all slice views on a point of the world (mm, RAS)."""
    mode = slicer.vtkMRMLSliceNode.CenteredJumpSlice
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras, mode)


def showAneurysm(segmentationNode: Any, ras: Point, diameterMm: float) -> None:
    """Let the 3D views show the whole segmentation, this aneurysm in the middle and in front.

    Args:
        segmentationNode: its surfaces are what the views have to show.
        ras: the aneurysm's middle, mm, in the world's RAS coordinates.
        diameterMm: its largest.
    """
    surfaces = _surfacePoints(segmentationNode)
    if not surfaces:
        return
    focus = np.array(ras)
    own = min(surfaces, key=lambda one: np.linalg.norm(surfaces[one].mean(axis=0) - focus))
    others = [points for one, points in surfaces.items() if one != own]
    direction = openDirection(focus, diameterMm / 2, np.concatenate([np.empty((0, 3)), *others]))
    _turn(focus, direction, np.concatenate(list(surfaces.values())))


def showVessels(segmentationNode: Any) -> None:
    """Let the 3D views show the whole segmentation from the front, the slices cut a vessel."""
    surfaces = _surfacePoints(segmentationNode)
    if not surfaces:
        return
    points = np.concatenate(list(surfaces.values()))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    _turn(middle, ANTERIOR, points)
    nearest = points[np.linalg.norm(points - middle, axis=1).argmin()]
    around = points[np.linalg.norm(points - nearest, axis=1) <= LUMEN_MM]
    centerSlices(around.mean(axis=0).tolist())


def _turn(focus: np.ndarray, direction: np.ndarray, points: np.ndarray) -> None:
    for cameraNode in _cameras():
        look: Look = lookAt(focus, direction, points, cameraNode.GetViewAngle())
        cameraNode.SetPosition(*look.position)
        cameraNode.SetFocalPoint(*look.focus)
        cameraNode.SetViewUp(0.0, 0.0, 1.0)
        cameraNode.SetParallelScale(look.radius)
        cameraNode.ResetClippingRange()


def _cameras() -> list[Any]:
    """The camera of each 3D view."""
    logic = slicer.modules.cameras.logic()
    views = slicer.util.getNodesByClass("vtkMRMLViewNode")
    return [camera for view in views if (camera := logic.GetViewActiveCameraNode(view))]


def _surfacePoints(segmentationNode: Any) -> dict[str, np.ndarray]:
    """By segment: points (n, 3) of its surface in the world (mm, RAS); without empty ones."""
    matrix = slicer.util.arrayFromVTKMatrix(toWorld(segmentationNode))
    found = {}
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        surface = segmentationNode.GetClosedSurfaceInternalRepresentation(segmentId)
        if surface is not None and surface.GetNumberOfPoints():
            points = numpy_support.vtk_to_numpy(surface.GetPoints().GetData())
            points = points[:: max(1, len(points) // MOST_POINTS)]
            found[segmentId] = points @ matrix[:3, :3].T + matrix[:3, 3]
    return found
