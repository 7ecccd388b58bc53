"""Labels into a segmentation node: our own segments, and nothing else of the scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from gsema_core.errors import UserError
from gsema_core.labels import COLORS, NAMES
from gsema_core.terminology import terminology_entry

_LABELMAP = "Binary labelmap"
_SURFACE = "Closed surface"


@dataclass(frozen=True)
class SegmentContent:
    """One segment as it shall be.

    Attributes:
        segmentId: our own id, by which the segment is found again.
        label: its value in the label map, which decides color and terminology.
        name: shown to the user.
        mask: where it is, (k, j, i) on the volume's grid, bool.
    """

    segmentId: str
    label: int
    name: str
    mask: np.ndarray


def segmentsOf(labels: np.ndarray) -> list[SegmentContent]:
    """One segment for each label value, also for a label that occurs nowhere."""
    return [
        SegmentContent(f"GSEMA_{name}", label, _(name), labels == label)
        for label, name in NAMES.items()
    ]


def checkOutput(segmentationNode: Any, volumeNode: Any) -> None:
    """Raise UserError if segments of this volume cannot be put into an existing segmentation."""
    if segmentationNode is None or segmentationNode.GetSegmentation().GetNumberOfSegments() == 0:
        return
    name = segmentationNode.GetName()
    if segmentationNode.GetSegmentation().GetSourceRepresentationName() != _LABELMAP:
        raise UserError(
            _(
                "The segmentation {name} is stored as surfaces: choose another output, so that its "
                "segments stay as they are."
            ).format(name=name)
        )
    if segmentationNode.GetParentTransformNode() is not volumeNode.GetParentTransformNode():
        raise UserError(
            _(
                "The segmentation {name} is not under the same transform as {volume}: choose "
                "another output, or put both under one transform."
            ).format(name=name, volume=volumeNode.GetName())
        )


def importSegments(contents: list[SegmentContent], volumeNode: Any, segmentationNode: Any) -> Any:
    """Put segments into a segmentation, or into a new one, and return its node.

    The scene is changed completely or not at all.

    Args:
        contents: the segments; those with the same ids are replaced, all others stay.
        volumeNode: the volume on whose grid the masks lie.
        segmentationNode: the output, or None for a new node.
    """
    if segmentationNode is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _newName(volumeNode))
        try:
            _fill(node, contents, volumeNode)
        except Exception:
            displays = [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
            for created in (*displays, node):
                slicer.mrmlScene.RemoveNode(created)
            raise
        return node
    backup = slicer.vtkSegmentation()
    backup.DeepCopy(segmentationNode.GetSegmentation())
    try:
        _fill(segmentationNode, contents, volumeNode)
    except Exception:
        segmentationNode.GetSegmentation().DeepCopy(backup)
        raise
    return segmentationNode


def _newName(volumeNode: Any) -> str:
    name = _("{volume} aneurysms").format(volume=volumeNode.GetName())
    return slicer.mrmlScene.GenerateUniqueName(name)


def _fill(node: Any, contents: list[SegmentContent], volumeNode: Any) -> None:
    segmentation = node.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        # Only an empty output takes the volume's grid and transform: others belong to their owner.
        segmentation.SetSourceRepresentationName(_LABELMAP)
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        transform = volumeNode.GetParentTransformNode()
        node.SetAndObserveTransformNodeID(transform.GetID() if transform else None)
    wasModifying = node.StartModify()
    try:
        for content in contents:
            _setSegment(node, content, volumeNode)
    finally:
        node.EndModify(wasModifying)
    node.CreateDefaultDisplayNodes()
    if segmentation.ContainsRepresentation(_SURFACE):
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.ReconvertAllRepresentations(node, [content.segmentId for content in contents])
    else:
        node.CreateClosedSurfaceRepresentation()
    placeBeside(node, volumeNode)


def _setSegment(node: Any, content: SegmentContent, volumeNode: Any) -> None:
    segmentation = node.GetSegmentation()
    if segmentation.GetSegment(content.segmentId) is None:
        segmentation.AddEmptySegment(content.segmentId, content.name, COLORS[content.label])
        segment = segmentation.GetSegment(content.segmentId)
        segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_entry(content.label))
        # Name and color are ours, not made from the terminology and changing with it.
        segment.SetNameAutoGenerated(False)
        segment.SetColorAutoGenerated(False)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not content.mask.any():
        logic.ClearSegment(node, content.segmentId)
        return
    image = _orientedImage(content.mask, volumeNode)
    if not logic.SetBinaryLabelmapToSegment(
        image, node, content.segmentId, logic.MODE_REPLACE, image.GetExtent()
    ):
        raise UserError(
            _("The segment {name} could not be written into {node}.").format(
                name=content.name, node=node.GetName()
            )
        )


def _orientedImage(mask: np.ndarray, volumeNode: Any) -> Any:
    """The mask's bounding box as Slicer's oriented image, at its place on the volume's grid."""
    bounds = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        bounds.append((int(inside[0]), int(inside[-1])))
    (k0, k1), (j0, j1), (i0, i1) = bounds
    box = np.ascontiguousarray(mask[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1], dtype=np.uint8)
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i0, i1, j0, j1, k0, k1)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    scalars = numpy_support.numpy_to_vtk(box.ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image


def placeBeside(node: Any, volumeNode: Any) -> None:
    """Put a node into the subject-hierarchy folder (patient, study) that the volume lies in."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    item = hierarchy.GetItemByDataNode(node)
    if volumeItem and item:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(volumeItem))
