"""Which segmentation this module has made of a volume, also in a scene that was saved."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

MADE_OF_ROLE = "GSEMASegmentation.madeOf"
"""Under this role a segmentation refers to the volume whose segments were put into it last."""


def markMadeOf(segmentationNode: Any, volumeNode: Any) -> None:
    """Remember that segments of this volume were put into a segmentation."""
    segmentationNode.SetNodeReferenceID(MADE_OF_ROLE, volumeNode.GetID())


def segmentationMadeOf(volumeNode: Any) -> Any:
    """The segmentation that this module has made of a volume, on its grid; None for none.

    Of several, the newest, which is the last one in the scene.
    """
    if volumeNode is None:
        return None
    made = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if all(
            node.GetNodeReference(role) is volumeNode
            for role in (MADE_OF_ROLE, node.GetReferenceImageGeometryReferenceRole())
        )
    ]
    return made[-1] if made else None


class OutputChoice:
    """Has the chosen output follow the chosen volume, in the panel's parameters.

    The segments of one volume must not be replaced by those of another one. A scene that is loaded
    brings both choices, one after the other.
    """

    def __init__(self) -> None:
        self._volume: Any = None

    def keep(self, parameterNode: Any) -> None:
        """Leave the choices as they are."""
        self._volume = parameterNode.inputVolume

    def follow(self, parameterNode: Any) -> bool:
        """Choose the volume's own segmentation, or none, if another volume was chosen.

        Returns:
            Whether another volume was chosen since the last call.
        """
        isOther = parameterNode.inputVolume is not self._volume
        self.keep(parameterNode)  # before the output: setting it leads back to here
        if isOther and not slicer.mrmlScene.IsImporting():
            parameterNode.outputSegmentation = segmentationMadeOf(self._volume)
        return isOther
