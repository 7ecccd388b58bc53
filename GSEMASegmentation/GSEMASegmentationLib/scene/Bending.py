"""Transforms that bend a volume: by nothing that matters, or so that it has to be hardened."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from vtk.util import numpy_support

from GSEMASegmentationLib.scene.Hierarchy import placeBeside

NEGLIGIBLE_VOXELS = 0.1
"""Slicer's DICOM import puts series whose slices lie a little irregularly under a transform that
sets them right; below a tenth of a voxel it is the rounding of positions in the files. Ours."""

_GRIDS = (
    ("vtkOrientedGridTransform", "GetDisplacementGrid"),
    ("vtkOrientedBSplineTransform", "GetCoefficientData"),
)


def isNegligible(transform: Any, volumeNode: Any) -> bool:
    """Whether a transform node moves nothing by a tenth of the volume's smallest voxel side."""
    largest = largestDisplacement(transform)
    return largest is not None and largest < NEGLIGIBLE_VOXELS * min(volumeNode.GetSpacing())


def largestDisplacement(transform: Any) -> float | None:
    """How far a transform node moves a point to its parent at most, mm.

    Of a grid it is the longest of its vectors, of B-splines that of their coefficients, between
    which they stay. None where that is not known: transforms of other kinds, and composed ones.
    """
    for kind, getter in _GRIDS:
        for find in (transform.GetTransformToParentAs, transform.GetTransformFromParentAs):
            found = find(kind, False)
            if found is None or not _isOnlyBending(found):
                continue
            image = getattr(found, getter)()
            scalars = image.GetPointData().GetScalars() if image is not None else None
            if scalars is not None:
                vectors = numpy_support.vtk_to_numpy(scalars)
                scale, shift = found.GetDisplacementScale(), _shift(found)
                return float(np.linalg.norm(scale * vectors + shift, axis=1).max())
    return None


def _isOnlyBending(found: Any) -> bool:
    """B-splines may come with a matrix besides."""
    matrix = found.GetBulkTransformMatrix() if hasattr(found, "GetBulkTransformMatrix") else None
    return matrix is None or bool(matrix.IsIdentity())


def _shift(found: Any) -> float:
    return float(found.GetDisplacementShift()) if hasattr(found, "GetDisplacementShift") else 0.0


def frameOf(node: Any) -> Any:
    """The transform node under which a node counts as lying; None for the world.

    It is the parent, or the parent's parent where the parent moves nothing that matters: results of
    a volume are then put beside it, not under a transform that most modules refuse.
    """
    parent = node.GetParentTransformNode()
    if (
        parent is not None
        and not parent.IsLinear()
        and node.IsA("vtkMRMLVolumeNode")
        and isNegligible(parent, node)
    ):
        return parent.GetParentTransformNode()
    return parent


def isBent(node: Any) -> bool:
    """Whether a node lies under a transform that bends by more than what does not matter."""
    frame = frameOf(node)
    return frame is not None and not frame.IsTransformToWorldLinear()


def hardenedCopy(volumeNode: Any) -> Any:
    """A new volume in the scene: this one, resampled by the transforms above it; it stays as it is.

    The copy has about the same voxels, lies under no transform, and beside the volume.
    """
    name = _("{volume} hardened").format(volume=volumeNode.GetName())
    copy = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volumeNode, name)
    copy.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    copy.HardenTransform()
    placeBeside(copy, volumeNode)
    return copy
