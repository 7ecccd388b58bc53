"""The choices of the segmentation panel that are saved with a scene."""

from __future__ import annotations

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class GSEMASegmentationParameterNode:
    """The choices that belong to a case.

    inputVolume - The angiography.
    outputSegmentation - Where the segments go; none for a new segmentation.
    settings - What differs from the defaults, as JSON; ``SettingRows`` reads and writes it.
    keepProbability - Whether the aneurysm's probability becomes a volume of the scene.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    settings: str
    keepProbability: bool = False
