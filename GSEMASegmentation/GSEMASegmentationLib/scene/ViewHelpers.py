"""Showing a place in all views of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import slicer.util


def centerViews(ras: Sequence[float]) -> None:
    """Center all slice views on a point, and let the 3D views look at it from where they are.

    Args:
        ras: the point in mm, in the world's RAS coordinates.
    """
    mode = slicer.vtkMRMLSliceNode.CenteredJumpSlice
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras, mode)
    logic = slicer.modules.cameras.logic()
    for viewNode in slicer.util.getNodesByClass("vtkMRMLViewNode"):
        cameraNode = logic.GetViewActiveCameraNode(viewNode)
        if cameraNode is not None:
            _lookAt(cameraNode, ras)


def _lookAt(cameraNode: Any, ras: Sequence[float]) -> None:
    position, focus = cameraNode.GetPosition(), cameraNode.GetFocalPoint()
    moved = [p + new - old for p, new, old in zip(position, ras, focus, strict=True)]
    cameraNode.SetPosition(*moved)
    cameraNode.SetFocalPoint(*ras)
    cameraNode.ResetClippingRange()
