"""Labels into a segmentation node: our own segments, and nothing else of the scene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, COLORS, NAMES, VESSEL
from gsema_core.terminology import terminology_entry
from GSEMASegmentationLib.scene.OutputState import OutputState, removeWithDisplays
from GSEMASegmentationLib.scene.SegmentMasks import LABELMAP, SURFACE, orientedImage

VESSEL_ID = "GSEMA_Vessel"
ANEURYSM_ID = "GSEMA_Aneurysm"
"""Of the largest aneurysm; the others have "_2", "_3", ... behind it."""

VESSEL_OPACITY_3D = 0.5
"""So that an aneurysm behind a vessel is seen; ours."""


@dataclass(frozen=True)
class SegmentContent:
    """One segment as it shall be.

    Attributes:
        segmentId: our own id, by which the segment is found again.
        label: its value in the label map, which decides color and terminology.
        name: shown to the user.
        mask: where it is, (k, j, i) on the volume's grid, bool; a part of the grid will do.
        start: voxel (k, j, i) of the volume at which the mask begins.
    """

    segmentId: str
    label: int
    name: str
    mask: np.ndarray
    start: tuple[int, int, int] = (0, 0, 0)


def segmentsOf(labels: np.ndarray) -> list[SegmentContent]:
    """The vessels as one segment, and each aneurysm, the largest first.

    Both kinds are there even where nothing was found. The order is that of
    ``measure_aneurysms``: by the number of voxels, then by the first voxel.
    """
    from gsema_core.grids.components import connected_components  # scipy: not at start-up

    contents = [SegmentContent(VESSEL_ID, VESSEL, _(NAMES[VESSEL]), labels == VESSEL)]
    mask, start = _cropped(labels == ANEURYSM)
    components, count = connected_components(mask)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    for number, component in enumerate(np.argsort(-sizes, kind="stable") + 1, start=1):
        segmentId = ANEURYSM_ID if number == 1 else f"{ANEURYSM_ID}_{number}"
        name = aneurysmName(number, count)
        contents.append(SegmentContent(segmentId, ANEURYSM, name, components == component, start))
    if count == 0:
        contents.append(SegmentContent(ANEURYSM_ID, ANEURYSM, aneurysmName(1, 1), mask, start))
    return contents


def aneurysmName(number: int, count: int) -> str:
    """What the segment of an aneurysm is called: numbered only where there are several."""
    name = _(NAMES[ANEURYSM])
    return name if count == 1 else _("{name} {number}").format(name=name, number=number)


def staleSegments(segmentationNode: Any, contents: Sequence[SegmentContent]) -> list[str]:
    """The ids of aneurysms of an earlier run in this output that the new run does not have."""
    if segmentationNode is None:
        return []
    kept = {content.segmentId for content in contents}
    return [
        segmentId
        for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs()
        if re.fullmatch(rf"{ANEURYSM_ID}(_\d+)?", segmentId) and segmentId not in kept
    ]


def checkOutput(segmentationNode: Any, volumeNode: Any) -> None:
    """Raise UserError if segments of this volume cannot be put into an existing segmentation."""
    if segmentationNode is None or segmentationNode.GetSegmentation().GetNumberOfSegments() == 0:
        return
    name = segmentationNode.GetName()
    if segmentationNode.GetSegmentation().GetSourceRepresentationName() != LABELMAP:
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


def importSegments(
    contents: Sequence[SegmentContent],
    volumeNode: Any,
    segmentationNode: Any,
    stale: Sequence[str] = (),
) -> Any:
    """Put segments into a segmentation, or into a new one, and return its node.

    The scene is changed completely or not at all.

    Args:
        contents: the segments; those with the same ids are replaced, all others stay.
        volumeNode: the volume on whose grid the masks lie.
        segmentationNode: the output, or None for a new node.
        stale: ids of segments that go away.
    """
    if segmentationNode is None:
        node = newOutput(volumeNode)
        try:
            _fill(node, contents, volumeNode)
        except Exception:
            removeWithDisplays(node)
            raise
        return node
    state, backup = OutputState.of(segmentationNode), slicer.vtkSegmentation()
    backup.DeepCopy(segmentationNode.GetSegmentation())
    try:
        for segmentId in stale:
            segmentationNode.GetSegmentation().RemoveSegment(segmentId)
        _fill(segmentationNode, contents, volumeNode)
    except Exception:
        segmentationNode.GetSegmentation().DeepCopy(backup)
        state.restore()
        raise
    return segmentationNode


def newOutput(volumeNode: Any) -> Any:
    """An empty segmentation node, called after the volume."""
    name = _("{volume} aneurysms").format(volume=volumeNode.GetName())
    unique = slicer.mrmlScene.GenerateUniqueName(name)
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", unique)


def adopt(node: Any, volumeNode: Any) -> None:
    """Give an empty segmentation the volume's grid and transform; others belong to their owner."""
    if node.GetSegmentation().GetNumberOfSegments() == 0:
        node.GetSegmentation().SetSourceRepresentationName(LABELMAP)
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        transform = volumeNode.GetParentTransformNode()
        node.SetAndObserveTransformNodeID(transform.GetID() if transform else None)


def describe(segment: Any, label: int, name: str) -> None:
    """Give a segment our name, color and terminology."""
    segment.SetName(name)
    segment.SetColor(COLORS[label])
    segment.SetTag(segment.GetTerminologyEntryTagName(), terminology_entry(label))
    # Name and color are ours, not made from the terminology and changing with it.
    segment.SetNameAutoGenerated(False)
    segment.SetColorAutoGenerated(False)


def _fill(node: Any, contents: Sequence[SegmentContent], volumeNode: Any) -> None:
    segmentation = node.GetSegmentation()
    adopt(node, volumeNode)
    hadVessel = segmentation.GetSegment(VESSEL_ID) is not None
    wasModifying = node.StartModify()
    try:
        for content in contents:
            _setSegment(node, content, volumeNode)
    finally:
        node.EndModify(wasModifying)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    if segmentation.GetSegment(VESSEL_ID) is not None and not hadVessel:
        node.GetDisplayNode().SetSegmentOpacity3D(VESSEL_ID, VESSEL_OPACITY_3D)
    if segmentation.ContainsRepresentation(SURFACE):
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.ReconvertAllRepresentations(node, [content.segmentId for content in contents])
    else:
        node.CreateClosedSurfaceRepresentation()
    placeOutput(node, volumeNode)


def _setSegment(node: Any, content: SegmentContent, volumeNode: Any) -> None:
    segmentation = node.GetSegmentation()
    if segmentation.GetSegment(content.segmentId) is None:
        segmentation.AddEmptySegment(content.segmentId, content.name, COLORS[content.label])
        describe(segmentation.GetSegment(content.segmentId), content.label, content.name)
    elif _isOurName(segmentation.GetSegment(content.segmentId).GetName()):
        segmentation.GetSegment(content.segmentId).SetName(content.name)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not content.mask.any():
        logic.ClearSegment(node, content.segmentId)
        return
    image = _orientedImage(content, volumeNode)
    if not logic.SetBinaryLabelmapToSegment(
        image, node, content.segmentId, logic.MODE_REPLACE, image.GetExtent()
    ):
        raise UserError(
            _("The segment {name} could not be written into {node}.").format(
                name=content.name, node=node.GetName()
            )
        )


def _isOurName(name: str) -> bool:
    """Whether the user left a segment the name that it was given here."""
    base = re.escape(_(NAMES[ANEURYSM]))
    return re.fullmatch(rf"{base}( \d+)?", name) is not None


def _cropped(mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The part of a (k, j, i) mask that is not empty, and at which voxel it begins."""
    if not mask.any():
        return mask[:1, :1, :1], (0, 0, 0)
    inside = [
        np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        for axis in range(3)
    ]
    k, j, i = (int(indices[0]) for indices in inside)
    box = tuple(slice(int(indices[0]), int(indices[-1]) + 1) for indices in inside)
    return mask[box], (k, j, i)


def _orientedImage(content: SegmentContent, volumeNode: Any) -> Any:
    """The mask's bounding box as Slicer's oriented image, at its place on the volume's grid."""
    mask, offset = _cropped(content.mask)
    k, j, i = (first + more for first, more in zip(content.start, offset, strict=True))
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return orientedImage(mask, (i, j, k), matrix)


def placeBeside(node: Any, volumeNode: Any) -> None:
    """Put a node into the subject-hierarchy folder (patient, study) that the volume lies in."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    item = hierarchy.GetItemByDataNode(node)
    if volumeItem and item:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(volumeItem))


def placeOutput(node: Any, volumeNode: Any) -> None:
    """Put a segmentation beside the volume, unless somebody has put it into a folder already."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(node)
    if hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID():
        placeBeside(node, volumeNode)
