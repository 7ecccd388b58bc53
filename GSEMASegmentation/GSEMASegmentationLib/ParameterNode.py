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
    aneurysmThreshold - Probability from which on a voxel is aneurysm; 0 for the likeliest class.
    minimumCertainty - An aneurysm with a lower mean probability is taken for vessel.
    skipEmpty - Whether windows without anything bright are left out.
    keepProbability - Whether the aneurysm's probability becomes a volume of the scene.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    overlap: Annotated[float, WithinRange(0.0, MAXIMUM_OVERLAP)] = DEFAULTS.overlap
    minimumAneurysmMm3: Annotated[float, WithinRange(0.0, 1000.0)] = DEFAULTS.minimum_aneurysm_mm3
    aneurysmThreshold: Annotated[float, WithinRange(0.0, 0.99)] = 0.0
    minimumCertainty: Annotated[float, WithinRange(0.0, 1.0)] = DEFAULTS.minimum_certainty
    skipEmpty: bool = DEFAULTS.skip_empty
    keepProbability: bool = False
