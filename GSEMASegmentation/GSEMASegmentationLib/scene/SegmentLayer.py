"""A segment in a label map of its own.

Slicer keeps segments that do not overlap in one label map. Writing into that, or adding to it,
costs a pass over all of its voxels: a second at 512 x 512 x 512, and nothing in a small one. A
segment may as well have a label map of its own, as large as itself; Slicer makes such ones where
segments overlap, and reads, edits and saves them like the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from GSEMASegmentationLib.scene.SegmentMasks import (
    LABELMAP,
    SURFACE,
    boxSlices,
    gridOf,
    imageArray,
    orientedImage,
)


def setVoxels(segmentationNode: Any, segmentId: str, image: Any, before: Any) -> None:
    """Give a segment other voxels, in a label map of its own; its surface follows.

    Args:
        segmentationNode: a segmentation that is stored as label maps.
        segmentId: one of its segments.
        image: 0 and 1 (vtkOrientedImageData), which then belongs to the segment; None for nothing.
        before: the segment's voxels so far, as ``segmentImage`` gives them.
    """
    segmentation = segmentationNode.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    old, value = segment.GetRepresentation(LABELMAP), segment.GetLabelValue()
    segments = map(segmentation.GetSegment, segmentation.GetSegmentIDs())
    isShared = sum(one.GetRepresentation(LABELMAP) is old for one in segments) > 1
    if before is not None and isShared:
        # Without an event: nobody else has changed, and all surfaces would be made anew.
        _erase(old, value, before.GetExtent())
    if image is None:  # a voxel of nothing: surfaces cannot be made from no image at all
        image = orientedImage(np.zeros((1, 1, 1)), old.GetExtent()[::2], gridOf(old))
    segment.AddRepresentation(LABELMAP, image)
    segment.SetLabelValue(1)
    if segmentation.ContainsRepresentation(SURFACE):
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.ReconvertAllRepresentations(segmentationNode, [segmentId])


def _erase(labelmap: Any, value: int, extent: Any) -> None:
    low, high = np.array(extent[::2]), np.array(extent[1::2]) + 1
    part = imageArray(labelmap)[boxSlices(low, high, labelmap.GetExtent())]
    part[part == value] = 0
