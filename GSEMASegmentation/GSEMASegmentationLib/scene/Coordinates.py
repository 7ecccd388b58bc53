"""Positions and transforms: the world of Slicer's views (RAS) and the frames of files (LPS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.Bending import frameOf, isBent

Point = tuple[float, float, float]
"""A position in mm."""


def lpsFromWorld(ras: Sequence[float], node: Any) -> Point:
    """A point of the world in a node's own frame, without its parent transform, as files have it.

    Args:
        ras: mm, RAS, as Slicer's views show it.
        node: a volume or another node under a linear transform, or under none.
    """
    right, anterior, superior = _moved(ras, matrixBetween(None, frameOf(node)))
    return -right, -anterior, superior


def worldFromLps(lps: Sequence[float], node: Any) -> Point:
    """A point in a node's own frame, as files have it, in the world (RAS)."""
    left, posterior, superior = (float(value) for value in lps)
    return _moved((-left, -posterior, superior), toWorld(node))


def toWorld(node: Any) -> Any:
    """The vtkMatrix4x4 from a node's own frame to the world."""
    return matrixBetween(frameOf(node), None)


def matrixBetween(source: Any, target: Any) -> Any:
    """The vtkMatrix4x4 from under one linear transform node to under another; None: the world.

    Raises:
        UserError: one of them bends.
    """
    for node in (source, target):
        if node is not None and not node.IsTransformToWorldLinear():
            raise UserError(
                _("The transform {name} is not linear: harden it first.").format(
                    name=node.GetName()
                )
            )
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(source, target, matrix)
    return matrix


def ijkToRas(volumeNode: Any) -> Any:
    """The vtkMatrix4x4 from a volume's voxels to its own frame."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return matrix


def checkLinear(node: Any) -> None:
    """Raise UserError if a node lies under a transform that bends it by what matters."""
    if isBent(node):
        raise UserError(
            _("{name} lies under the non-linear transform {transform}: harden it first.").format(
                name=node.GetName(), transform=node.GetParentTransformNode().GetName()
            )
        )


def _moved(point: Sequence[float], matrix: Any) -> Point:
    x, y, z = matrix.MultiplyPoint((*point, 1.0))[:3]
    return x, y, z
