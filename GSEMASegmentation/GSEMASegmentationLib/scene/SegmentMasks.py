"""The voxels of single segments, without a copy of all that a segmentation holds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support

LABELMAP = "Binary labelmap"
SURFACE = "Closed surface"
"""Slicer's names of the representations: the voxels, and what 3D views show."""

VOXELS_A_STEP = 2**22
"""Voxels that are looked through at once, so that a search may end early; ours."""


def segmentImage(segmentationNode: Any, segmentId: str) -> Any:
    """A segment's voxels (0 and 1) in the smallest box of its own grid, or None where it is empty.

    Args:
        segmentationNode: stored as label maps or as surfaces; it is not changed.
        segmentId: the segment.

    Returns:
        A vtkOrientedImageData in the segmentation's own frame, without its parent transform.
    """
    image, value = _labelmapOf(segmentationNode, segmentId)
    if image is None:
        return None
    mask, offset = cropped(imageArray(image) == value)
    if mask.size == 0:
        return None
    return orientedImage(mask, np.add(image.GetExtent()[::2], offset[::-1]), gridOf(image))


def maskInBox(segmentationNode: Any, segmentId: str, box: Any) -> np.ndarray:
    """Where a segment is within a box, which may lie on any grid; nearest voxels.

    Args:
        segmentationNode: stored as label maps or as surfaces; it is not changed.
        segmentId: the segment.
        box: a vtkOrientedImageData whose grid and extent count; its voxels do not.

    Returns:
        bool, (k, j, i).
    """
    image, value = _labelmapOf(segmentationNode, segmentId)
    if image is None:
        return np.zeros(box.GetDimensions()[::-1], dtype=bool)
    if slicer.vtkOrientedImageDataResample.DoGeometriesMatch(image, box):
        return _cut(image, box) == value
    found = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, box, found, False
    )
    return np.asarray(imageArray(found) == value)


def isEmpty(segmentationNode: Any, segmentId: str) -> bool:
    """Whether a segment has no voxels; of a large label map, no more is read than needed."""
    image, value = _labelmapOf(segmentationNode, segmentId)
    if image is None:
        return True
    flat = imageArray(image).reshape(-1)
    steps = range(0, flat.size, VOXELS_A_STEP)
    return not any((flat[first : first + VOXELS_A_STEP] == value).any() for first in steps)


def orientedImage(mask: np.ndarray, startIjk: Any, ijkToRas: Any) -> Any:
    """A (k, j, i) mask as Slicer's oriented image, at its place on a grid.

    Args:
        mask: the voxels.
        startIjk: index of the first voxel.
        ijkToRas: vtkMatrix4x4 of the grid.
    """
    depth, height, width = mask.shape
    i, j, k = (int(n) for n in startIjk)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i, i + width - 1, j, j + height - 1, k, k + depth - 1)
    image.SetGeometryFromImageToWorldMatrix(ijkToRas)
    voxels = np.ascontiguousarray(mask, dtype=np.uint8).ravel()
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(voxels, deep=True))
    return image


def cropped(mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The part of a (k, j, i) mask that is not empty, and the voxel (k, j, i) it begins at.

    Of an empty mask nothing is left.
    """
    start = [0, 0, 0]
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (0, -1)
        mask = mask[(slice(None),) * axis + (slice(first, last + 1),)]
        start[axis] = first
    return mask, (start[0], start[1], start[2])


def imageArray(image: Any) -> np.ndarray:
    """The voxels (k, j, i) of an oriented image, shared with it."""
    scalars = image.GetPointData().GetScalars()
    return np.asarray(numpy_support.vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1]))


def voxelMm3(image: Any) -> float:
    """The volume of a voxel, mm3."""
    return math.prod(image.GetSpacing())


def gridOf(image: Any) -> Any:
    """An oriented image's vtkMatrix4x4 from index to position."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return matrix


def segmentGrid(segmentationNode: Any, segmentId: str) -> np.ndarray | None:
    """(4, 4) from a segment's voxels to the segmentation's own frame; None for no voxels."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    image = None if segment is None else segment.GetRepresentation(LABELMAP)
    return None if image is None else np.array(slicer.util.arrayFromVTKMatrix(gridOf(image)))


def boxOn(grid: Any, image: Any) -> Any:
    """The box on another grid that covers an image, with a voxel around it."""
    bounds = np.array(image.GetExtent()).reshape(3, 2) + np.array([-0.5, 0.5])
    corners = np.stack(np.meshgrid(*bounds, [1.0]), axis=-1).reshape(-1, 4)
    toIndex = np.linalg.inv(slicer.util.arrayFromVTKMatrix(grid))
    places = corners @ slicer.util.arrayFromVTKMatrix(gridOf(image)).T @ toIndex.T
    low = np.floor(places.min(axis=0)[:3]).astype(int) - 1
    high = np.ceil(places.max(axis=0)[:3]).astype(int) + 1
    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(grid)
    box.SetExtent([int(n) for pair in zip(low, high, strict=True) for n in pair])
    return box


def wholeGrid(segmentationNode: Any) -> Any:
    """The grid of the volume that was segmented, which the segmentation remembers; or None."""
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    text = segmentationNode.GetSegmentation().GetConversionParameter(name)
    whole = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, whole, False):
        return None
    return whole


def _labelmapOf(segmentationNode: Any, segmentId: str) -> tuple[Any, int]:
    """The label map that has the segment, perhaps among others, and the segment's value in it."""
    segmentation = segmentationNode.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    image, value = segment.GetRepresentation(LABELMAP), segment.GetLabelValue()
    if image is None and segmentation.GetSourceRepresentationName() != LABELMAP:
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        image, value = slicer.vtkOrientedImageData(), 1
        if not logic.GetSegmentBinaryLabelmapRepresentation(
            segmentationNode, segmentId, image, False
        ):
            image = None
    if image is None or image.IsEmpty() or image.GetPointData().GetScalars() is None:
        return None, value
    return image, value


def _cut(image: Any, box: Any) -> np.ndarray:
    """The voxels of an image in a box on the same grid; 0 where the image does not reach."""
    found = np.zeros(box.GetDimensions()[::-1], imageArray(image).dtype)
    here, there = np.array(image.GetExtent()), np.array(box.GetExtent())
    low = np.maximum(here[::2], there[::2])
    high = np.minimum(here[1::2], there[1::2]) + 1
    if (low < high).all():
        found[boxSlices(low, high, there)] = imageArray(image)[boxSlices(low, high, here)]
    return found


def boxSlices(low: np.ndarray, high: np.ndarray, extent: Any) -> tuple[slice, ...]:
    """The voxels from ``low`` to before ``high`` (i, j, k) in the array of an extent."""
    sides = zip(low - extent[::2], high - extent[::2], strict=True)
    return tuple(slice(first, end) for first, end in sides)[::-1]
