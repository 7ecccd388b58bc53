"""The entry "Segment aneurysms" in the context menu of volumes in Slicer's data tree."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import slicer.util
from AbstractScriptedSubjectHierarchyPlugin import AbstractScriptedSubjectHierarchyPlugin
from slicer.i18n import tr as _


class GSEMASegmentationSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Owns no items of the tree; what is not here, Slicer's base class does.

    Args:
        scriptedPlugin: the C++ side, a qSlicerSubjectHierarchyScriptedPlugin.
    """

    filePath = __file__

    def __init__(self, scriptedPlugin: Any) -> None:
        scriptedPlugin.name = "GSEMASegmentation"
        super().__init__(scriptedPlugin)
        self.segmentAction = qt.QAction(_("Segment aneurysms"), scriptedPlugin)
        self.segmentAction.objectName = "GSEMASegmentationSegmentAction"
        self.segmentAction.connect("triggered()", self.onSegment)

    def canOwnSubjectHierarchyItem(self, itemID: int) -> float:
        return 0.0

    def roleForPlugin(self) -> str:
        return "N/A"

    def itemContextMenuActions(self) -> list[Any]:
        return [self.segmentAction]

    def showContextMenuActionsForItem(self, itemID: int) -> None:
        """Slicer hides all actions before it asks."""
        if _volumeOf(itemID) is not None:
            self.segmentAction.visible = True

    def onSegment(self) -> None:
        """Open the module with the item's volume and start."""
        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        volumeNode = _volumeOf(handler.currentItem())
        if volumeNode is None:
            return
        slicer.util.selectModule("GSEMASegmentation")
        slicer.util.getModuleWidget("GSEMASegmentation").segmentVolume(volumeNode)


def _volumeOf(itemID: int) -> Any:
    """The volume of an item; None where it is the scene, a label map or anything else."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    node = hierarchy.GetItemDataNode(itemID) if itemID else None
    return node if node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode" else None
