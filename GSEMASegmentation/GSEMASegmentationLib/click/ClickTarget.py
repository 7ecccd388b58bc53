"""Which segment takes the aneurysm of a click."""

from __future__ import annotations

import re
from typing import Any

from slicer.i18n import tr as _

from gsema_core.labels import ANEURYSM, NAMES
from GSEMASegmentationLib.scene.SegmentationOutput import ANEURYSM_ID, aneurysmName
from GSEMASegmentationLib.scene.SegmentMasks import (
    imageArray,
    isEmpty,
    maskInBox,
    segmentImage,
    voxelMm3,
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
        return ANEURYSM_ID, aneurysmName(1, 1)
    segmentation = outputNode.GetSegmentation()
    ours = [one for one in segmentation.GetSegmentIDs() if _number(one) is not None]
    shares = {one: _share(image, outputNode, one) for one in ours}
    best = max(shares, key=lambda one: shares[one], default=None)
    if best is None or shares[best] < SAME_ANEURYSM:
        best = next((one for one in ours if isEmpty(outputNode, one)), None)
    if best is not None:
        return best, segmentation.GetSegment(best).GetName()
    count = segmentation.GetNumberOfSegments()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(count)]
    taken = [number for one in ours if (number := _number(one)) is not None]
    taken += [number for name in names if (number := _numberOfName(name)) is not None]
    number = max(taken, default=0) + 1
    segmentId = ANEURYSM_ID if number == 1 else f"{ANEURYSM_ID}_{number}"
    return segmentId, aneurysmName(number, number)


def _share(image: Any, outputNode: Any, segmentId: str) -> float:
    """The part of the smaller of two that both have in common."""
    common = int((maskInBox(outputNode, segmentId, image) & (imageArray(image) != 0)).sum())
    if common == 0:
        return 0.0
    other = segmentImage(outputNode, segmentId)
    sizes = [imageArray(one).sum() * voxelMm3(one) for one in (image, other)]
    return float(common * voxelMm3(image) / min(sizes))


def _number(segmentId: str) -> int | None:
    """Which of our own aneurysms has this id."""
    match = re.fullmatch(rf"{ANEURYSM_ID}(?:_(\d+))?", segmentId)
    return None if match is None else int(match[1] or 1)


def _numberOfName(name: str) -> int | None:
    match = re.fullmatch(rf"{re.escape(_(NAMES[ANEURYSM]))}(?: (\d+))?", name)
    return None if match is None else int(match[1] or 1)
