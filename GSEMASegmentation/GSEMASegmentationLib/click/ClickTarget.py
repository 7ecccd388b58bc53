"""Which segment takes the aneurysm of a click."""

from __future__ import annotations

from typing import Any

from GSEMASegmentationLib.measure.Judgement import judgementOf
from GSEMASegmentationLib.scene.SegmentMasks import (
    imageArray,
    isEmpty,
    maskInBox,
    segmentImage,
    voxelMm3,
)
from GSEMASegmentationLib.scene.SegmentNames import (
    aneurysmId,
    aneurysmName,
    numberOfId,
    numberOfName,
)

SAME_ANEURYSM = 0.5
"""A click found an aneurysm that is there already if the two share at least this part of the
smaller one. Ours: outlines of one aneurysm at different thresholds lie within each other, while two
aneurysms that touch share a few voxels of their borders."""


def targetSegment(image: Any, outputNode: Any) -> tuple[str, str]:
    """The id and the name of the segment that takes an aneurysm.

    Args:
        image: the aneurysm (vtkOrientedImageData), 0 and 1.
        outputNode: the segmentation, None for a new one.
    """
    if outputNode is None:
        return aneurysmId(1), aneurysmName(1, 1)
    segmentation = outputNode.GetSegmentation()
    ours = [one for one in segmentation.GetSegmentIDs() if numberOfId(one) is not None]
    shares = {one: _share(image, outputNode, one) for one in ours}
    best = max(shares, key=lambda one: shares[one], default=None)
    if best is None or shares[best] < SAME_ANEURYSM:
        # A rejected aneurysm is empty too, but the place of its row is taken.
        free = [one for one in ours if judgementOf(outputNode, one) is None]
        best = next((one for one in free if isEmpty(outputNode, one)), None)
    if best is not None:
        return best, segmentation.GetSegment(best).GetName()
    names = [segmentation.GetSegment(one).GetName() for one in segmentation.GetSegmentIDs()]
    taken = [*map(numberOfId, ours), *map(numberOfName, names)]
    number = max((one for one in taken if one is not None), default=0) + 1
    return aneurysmId(number), aneurysmName(number, number)


def _share(image: Any, outputNode: Any, segmentId: str) -> float:
    """The part of the smaller of two that both have in common."""
    common = int((maskInBox(outputNode, segmentId, image) & (imageArray(image) != 0)).sum())
    if common == 0:
        return 0.0
    other = segmentImage(outputNode, segmentId)
    sizes = [imageArray(one).sum() * voxelMm3(one) for one in (image, other)]
    return float(common * voxelMm3(image) / min(sizes))
