"""The worker's label map, verified before anything of it reaches the scene."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import BACKGROUND, NAMES
from GSEMASegmentationLib.scene.Coordinates import ijkToRas
from GSEMASegmentationLib.scene.VolumeFiles import readVolume

TOLERANCE = 0.01
"""How far, in voxels, a corner of the label map may lie from the volume's; ours: files round their
geometry to about ten digits, and a wrong grid is off by half a voxel or more."""


def readLabels(path: Path, volumeNode: Any) -> np.ndarray:
    """Read a label map and check it against the volume that it was made from.

    Args:
        path: the worker's output.
        volumeNode: the segmented volume.

    Returns:
        The label values, (k, j, i), uint8.

    Raises:
        UserError: the file is missing or damaged, lies on another grid than the volume, or has
            values that are no labels.
    """
    labelNode = slicer.vtkMRMLLabelMapVolumeNode()  # never added to the scene
    if not readVolume(path, labelNode):
        raise UserError(_("The worker left no readable result: look into the log and try again."))
    checkGrid(labelNode, volumeNode)
    array = slicer.util.arrayFromVolume(labelNode)
    if not np.isfinite(array).all():
        raise UserError(_("The result has voxels that are not numbers: it was not imported."))
    unknown = sorted(set(np.unique(array).tolist()) - {BACKGROUND, *NAMES})
    if unknown:
        raise UserError(
            _("The result has the unknown labels {labels}: it was not imported.").format(
                labels=", ".join(f"{value:g}" for value in unknown[:5])
            )
        )
    return array.astype(np.uint8)


def checkGrid(labelNode: Any, volumeNode: Any) -> None:
    """Raise UserError unless the voxels of both lie at the same places."""
    dimensions = volumeNode.GetImageData().GetDimensions()
    found = labelNode.GetImageData().GetDimensions()
    rasToIjk, labelToVolume = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetRASToIJKMatrix(rasToIjk)
    vtk.vtkMatrix4x4.Multiply4x4(rasToIjk, ijkToRas(labelNode), labelToVolume)
    corners = np.array([*itertools.product(*((0, count - 1) for count in found), (1.0,))])
    moved = corners @ slicer.util.arrayFromVTKMatrix(labelToVolume).T
    offset = np.abs(moved - corners).max()
    if found != dimensions or offset > TOLERANCE:
        raise UserError(
            _(
                "The result lies on another grid than {name}: it was not imported; was the "
                "volume changed in the meantime?"
            ).format(name=volumeNode.GetName())
        )
