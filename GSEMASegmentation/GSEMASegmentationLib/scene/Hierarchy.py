"""The subject hierarchy: Slicer's tree of patients, studies and folders."""

from __future__ import annotations

from typing import Any

import slicer


def subjectHierarchy() -> Any:
    """The scene's subject hierarchy node."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def placeBeside(node: Any, volumeNode: Any) -> None:
    """Put a node into the folder (patient, study) that the volume lies in."""
    hierarchy = subjectHierarchy()
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    item = hierarchy.GetItemByDataNode(node)
    if volumeItem and item:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(volumeItem))


def placeOutput(node: Any, volumeNode: Any) -> None:
    """Put a segmentation beside the volume, unless somebody has put it into a folder already."""
    hierarchy = subjectHierarchy()
    item = hierarchy.GetItemByDataNode(node)
    if hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID():
        placeBeside(node, volumeNode)
