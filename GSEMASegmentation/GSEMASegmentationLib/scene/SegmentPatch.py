"""Voxels of several segments changed together, in boxes of their own grids, and put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer

from GSEMASegmentationLib.scene.SegmentLayer import setVoxels
from GSEMASegmentationLib.scene.SegmentMasks import (
    LABELMAP,
    SURFACE,
    boxSlices,
    gridOf,
    imageArray,
    maskInBox,
    orientedImage,
    segmentImage,
)


@dataclass(frozen=True, eq=False)
class SegmentPatch:
    """How one segment changes within a box; outside of it, nothing is looked at or changed.

    Attributes:
        segmentId: which one.
        grid: vtkMatrix4x4 of the segment's grid.
        startIjk: index of the box's first voxel.
        before: (k, j, i) bool, where the segment is in the box before the change.
        after: the same after it.
    """

    segmentId: str
    grid: Any
    startIjk: tuple[int, int, int]
    before: np.ndarray
    after: np.ndarray

    @property
    def reversed(self) -> SegmentPatch:
        """The way back."""
        return replace(self, before=self.after, after=self.before)

    @property
    def box(self) -> Any:
        """The box as an image without voxels."""
        box = slicer.vtkOrientedImageData()
        box.SetGeometryFromImageToWorldMatrix(self.grid)
        ends = zip(self.startIjk, self.before.shape[::-1], strict=True)
        box.SetExtent([n for first, count in ends for n in (first, first + count - 1)])
        return box

    def fits(self, segmentationNode: Any) -> bool:
        """Whether the segment is there, on this grid, and in the box as it was before."""
        segment = segmentationNode.GetSegmentation().GetSegment(self.segmentId)
        if segment is None:
            return False
        image, box = segment.GetRepresentation(LABELMAP), self.box
        isEmpty = image is None or image.IsEmpty()
        match = slicer.vtkOrientedImageDataResample.DoGeometriesMatch
        if not (isEmpty or match(image, box)):
            return False
        return bool(np.array_equal(maskInBox(segmentationNode, self.segmentId, box), self.before))


def applyPatches(
    segmentationNode: Any,
    patches: Sequence[SegmentPatch],
    makeSurfaces: Callable[[], None] | None = None,
) -> None:
    """Change the segments, with their surfaces; the others stay, whatever layer they share.

    Voxels are written in place where that is possible: a copy of a large label map would cost
    time and memory. A segment whose voxels are in the way of another one, or which grows beyond
    its label map, gets a label map of its own (see ``SegmentLayer``).

    Args:
        segmentationNode: a segmentation that is stored as label maps.
        patches: each of them fits.
        makeSurfaces: makes the segments' surfaces, where it is known how to do so in less time
            than all anew.
    """
    for patch in patches:
        _write(segmentationNode, patch, patch.before & ~patch.after, 0)
    for patch in patches:
        _grow(segmentationNode, patch)
    segmentation = segmentationNode.GetSegmentation()
    ids = [patch.segmentId for patch in patches]
    if makeSurfaces is not None:
        makeSurfaces()
    elif segmentation.ContainsRepresentation(SURFACE):
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.ReconvertAllRepresentations(segmentationNode, ids)
    for segmentId in ids:
        segmentation.InvokeEvent(segmentation.SourceRepresentationModified, segmentId)
        segmentation.InvokeEvent(segmentation.RepresentationModified, segmentId)


def _grow(segmentationNode: Any, patch: SegmentPatch) -> None:
    added = patch.after & ~patch.before
    if not added.any():
        return
    segmentation = segmentationNode.GetSegmentation()
    segment = segmentation.GetSegment(patch.segmentId)
    if _isFree(segment, patch, added):
        _write(segmentationNode, patch, added, segment.GetLabelValue())
        return
    old = segmentImage(segmentationNode, patch.segmentId)
    setVoxels(segmentationNode, patch.segmentId, _together(old, patch), old)


def _isFree(segment: Any, patch: SegmentPatch, mask: np.ndarray) -> bool:
    """Whether the segment's label map reaches as far as the mask, and has nobody else there."""
    image = segment.GetRepresentation(LABELMAP)
    if image is None or image.IsEmpty() or image.GetPointData().GetScalars() is None:
        return False
    where = np.argwhere(mask)[:, ::-1] + patch.startIjk
    extent = np.array(image.GetExtent())
    if (where.min(axis=0) < extent[::2]).any() or (where.max(axis=0) > extent[1::2]).any():
        return False
    i, j, k = (where - extent[::2]).T
    return not imageArray(image)[k, j, i].any()


def _write(segmentationNode: Any, patch: SegmentPatch, mask: np.ndarray, value: int) -> None:
    """Set these voxels of the segment's label map, without an event but with a new time."""
    if not mask.any():
        return
    segment = segmentationNode.GetSegmentation().GetSegment(patch.segmentId)
    image = segment.GetRepresentation(LABELMAP)
    extent = np.array(image.GetExtent())
    i, j, k = (np.argwhere(mask)[:, ::-1] + patch.startIjk - extent[::2]).T
    imageArray(image)[k, j, i] = value
    # The image's own event would have Slicer drop the surfaces of all segments.
    image.GetPointData().GetScalars().Modified()


def _together(old: Any, patch: SegmentPatch) -> Any:
    """A segment's voxels and those of the patch, in one image."""
    low, size = np.array(patch.startIjk), np.array(patch.after.shape[::-1])
    high = low + size
    start, end = low, high
    if old is not None:
        extent = np.array(old.GetExtent())
        start, end = np.minimum(low, extent[::2]), np.maximum(high, extent[1::2] + 1)
    mask = np.zeros((end - start)[::-1], bool)
    whole = np.stack([start, end - 1], axis=1).ravel()
    if old is not None:
        mask[boxSlices(extent[::2], extent[1::2] + 1, whole)] = imageArray(old) != 0
    mask[boxSlices(low, high, whole)] |= patch.after
    return orientedImage(mask, start, gridOf(old) if old is not None else patch.grid)
