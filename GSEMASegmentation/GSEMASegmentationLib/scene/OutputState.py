"""What a segmentation node was before something was put into it, apart from its segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from GSEMASegmentationLib.scene.Hierarchy import subjectHierarchy
from GSEMASegmentationLib.scene.OwnSegmentation import MADE_OF_ROLE
from GSEMASegmentationLib.scene.SegmentMasks import SURFACE


@dataclass(frozen=True, eq=False)
class OutputState:
    """The links of a segmentation node to the rest of the scene, so that they can be put back.

    Attributes:
        node: the segmentation.
        source: name of the representation that it is stored in.
        geometry: the grid that it was made for, as Slicer writes it down.
        volumeId: the volume that this grid comes from.
        madeOfId: the volume that this module had made it of, see ``OwnSegmentation``.
        transformId: its parent transform.
        parentItem: the subject-hierarchy item above it.
        displays: its display nodes.
        hadSurface: whether it had 3D surfaces.
    """

    node: Any
    source: str
    geometry: str
    volumeId: str | None
    madeOfId: str | None
    transformId: str | None
    parentItem: int
    displays: tuple[Any, ...]
    hadSurface: bool

    @classmethod
    def of(cls, node: Any) -> OutputState:
        segmentation, hierarchy = node.GetSegmentation(), subjectHierarchy()
        return cls(
            node,
            segmentation.GetSourceRepresentationName(),
            segmentation.GetConversionParameter(_geometryName()),
            node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()),
            node.GetNodeReferenceID(MADE_OF_ROLE),
            node.GetTransformNodeID(),
            hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)),
            tuple(displaysOf(node)),
            segmentation.ContainsRepresentation(SURFACE),
        )

    def restore(self) -> None:
        """Put the links back; call it when the segments are as they were."""
        node, segmentation = self.node, self.node.GetSegmentation()
        if not self.hadSurface:
            segmentation.RemoveRepresentation(SURFACE)
        if segmentation.GetNumberOfSegments() == 0:
            segmentation.SetSourceRepresentationName(self.source)
        segmentation.SetConversionParameter(_geometryName(), self.geometry)
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), self.volumeId)
        node.SetNodeReferenceID(MADE_OF_ROLE, self.madeOfId)
        node.SetAndObserveTransformNodeID(self.transformId)
        hierarchy = subjectHierarchy()
        if self.parentItem:
            hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), self.parentItem)
        for display in displaysOf(node):
            if display not in self.displays:
                slicer.mrmlScene.RemoveNode(display)


def displaysOf(node: Any) -> list[Any]:
    """A node's display nodes."""
    return [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]


def removeWithDisplays(node: Any) -> None:
    """Take a node and its display nodes out of the scene."""
    for one in (*displaysOf(node), node):
        slicer.mrmlScene.RemoveNode(one)


def _geometryName() -> str:
    return str(slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName())
