"""The aneurysm's probability as a volume beside the scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.Bending import frameOf
from GSEMASegmentationLib.scene.Hierarchy import placeBeside
from GSEMASegmentationLib.scene.LabelImport import checkGrid
from GSEMASegmentationLib.scene.VolumeFiles import readVolume

REFERENCE = "GSEMA_AneurysmProbability"
"""The role by which a segmentation knows its probability volume."""


def readProbability(path: Path, volumeNode: Any) -> Any:
    """Read the worker's probability map into a node outside the scene.

    Raises:
        UserError: it is missing or damaged, on another grid, or has other values than 0 to 1.
    """
    node = slicer.vtkMRMLScalarVolumeNode()
    if not readVolume(path, node):
        raise UserError(_("The worker left no readable probabilities: nothing was imported."))
    checkGrid(node, volumeNode)
    array = slicer.util.arrayFromVolume(node)
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise UserError(_("The result has probabilities beyond 0 and 1: it was not imported."))
    return node


def showProbability(read: Any, volumeNode: Any, segmentationNode: Any) -> Any:
    """Put what was read into the scene, in place of the segmentation's one before."""
    node = segmentationNode.GetNodeReference(REFERENCE)
    if node is None:
        name = _("{volume} aneurysm probability").format(volume=volumeNode.GetName())
        unique = slicer.mrmlScene.GenerateUniqueName(name)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", unique)
        segmentationNode.SetNodeReferenceID(REFERENCE, node.GetID())
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(0.0, 1.0)
    node.CopyOrientation(read)
    node.SetAndObserveImageData(read.GetImageData())
    frame = frameOf(volumeNode)
    node.SetAndObserveTransformNodeID(frame.GetID() if frame is not None else None)
    placeBeside(node, volumeNode)
    return node
