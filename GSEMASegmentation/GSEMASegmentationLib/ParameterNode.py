"""What of the segmentation panel is saved with a scene."""

from __future__ import annotations

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from gsema_core.inference.settings import MAXIMUM_OVERLAP, SegmentationSettings

DEFAULTS = SegmentationSettings()


@parameterNodeWrapper
class GSEMASegmentationParameterNode:
    """The choices that belong to a case.

    inputVolume - The angiography.
    outputSegmentation - Where the segments go; none for a new segmentation.
    overlap - Share of a window that its neighbor covers too.
    minimumAneurysmMm3 - Smaller findings are taken for noise.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    overlap: Annotated[float, WithinRange(0.0, MAXIMUM_OVERLAP)] = DEFAULTS.overlap
    minimumAneurysmMm3: Annotated[float, WithinRange(0.0, 1000.0)] = DEFAULTS.minimum_aneurysm_mm3
