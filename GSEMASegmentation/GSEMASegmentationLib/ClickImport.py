"""The label map of a click, verified, into a segmentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, NAMES
from GSEMASegmentationLib.ClickChange import SURFACE, ClickChange, displaysOf
from GSEMASegmentationLib.LabelImport import readLabels
from GSEMASegmentationLib.SegmentationOutput import (
    ANEURYSM_ID,
    SegmentContent,
    aneurysmName,
    importSegments,
)
from GSEMASegmentationLib.SegmentMasks import (
    imageArray,
    maskInBox,
    orientedImage,
    segmentImage,
    voxelMm3,
)

SAME_ANEURYSM = 0.5
"""A click found an aneurysm that is there already if the two share at least this part of the
smaller one. Ours: outlines of one aneurysm at different thresholds lie within each other, while two
aneurysms that touch share a few voxels of their borders."""


@dataclass(frozen=True, eq=False)
class ClickMask:
    """An aneurysm on the volume's grid.

    Attributes:
        mask: bool, (k, j, i), only its box.
        startIjk: voxel of the volume at which the mask begins.
    """

    mask: np.ndarray
    startIjk: tuple[int, int, int]


def readClick(path: Path, volumeNode: Any, box: Mapping[str, Any]) -> ClickMask:
    """Read the worker's label map of a box and hold it against the volume's grid.

    Args:
        path: the worker's output.
        volumeNode: the volume that was clicked into.
        box: what the worker says of it: ``start_ijk`` and ``size_ijk``.

    Raises:
        UserError: the file is missing or damaged, lies elsewhere, has other labels or nothing.
    """
    try:
        i, j, k = (int(n) for n in box["start_ijk"])
        size = [int(n) for n in box["size_ijk"]]
        limits = volumeNode.GetImageData().GetDimensions()
        ends = [first + count for first, count in zip((i, j, k), size, strict=True)]
        isInside = min(i, j, k) >= 0 and all(a <= b for a, b in zip(ends, limits, strict=True))
    except (KeyError, TypeError, ValueError):
        isInside = False
    if not isInside or min(size) < 1:
        raise UserError(
            _("The result lies outside {name}: it was not imported; try again.").format(
                name=volumeNode.GetName()
            )
        )
    labels = readLabels(path, _expected(volumeNode, (i, j, k), size))
    mask = labels == ANEURYSM
    if not mask.any() or (labels[~mask] != 0).any():
        raise UserError(
            _("The result is not one aneurysm: it was not imported; look into the log.")
        )
    return ClickMask(mask, (i, j, k))


def importClick(found: ClickMask, volumeNode: Any, outputNode: Any) -> ClickChange:
    """Put the aneurysm of a click into a segmentation; the scene changes completely or not at all.

    It replaces the one of our own aneurysms that it shares most voxels with, if it is the same one
    (``SAME_ANEURYSM``); else it fills an aneurysm of ours that is empty; else it is added.
    No other segment is touched.

    Args:
        found: the aneurysm.
        volumeNode: the volume that was clicked into.
        outputNode: the segmentation, None for a new one.
    """
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    image = orientedImage(found.mask, found.startIjk, matrix)
    segmentId, name = _target(image, outputNode)
    segmentation = outputNode.GetSegmentation() if outputNode is not None else None
    isNew = segmentation is None or segmentation.GetSegment(segmentId) is None
    before = None if isNew else segmentImage(outputNode, segmentId)
    hadSurface = segmentation is not None and segmentation.ContainsRepresentation(SURFACE)
    displays = displaysOf(outputNode)
    i, j, k = found.startIjk
    content = SegmentContent(segmentId, ANEURYSM, name, found.mask, (k, j, i))
    node = importSegments([content], volumeNode, outputNode)
    created = [one for one in displaysOf(node) if one not in displays]
    if outputNode is None:
        created.append(node)
    after = segmentImage(node, segmentId)
    return ClickChange(node, segmentId, isNew, before, after, created, hadSurface)


def _expected(volumeNode: Any, startIjk: tuple[int, int, int], size: list[int]) -> Any:
    """A volume node outside of the scene, with the grid that the box must have and no voxels."""
    matrix, move = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    for row, first in enumerate(startIjk):
        move.SetElement(row, 3, first)
    vtk.vtkMatrix4x4.Multiply4x4(matrix, move, matrix)
    image = vtk.vtkImageData()
    image.SetDimensions(size)
    box = slicer.vtkMRMLScalarVolumeNode()
    box.SetName(volumeNode.GetName())
    box.SetAndObserveImageData(image)
    box.SetIJKToRASMatrix(matrix)
    return box


def _target(image: Any, outputNode: Any) -> tuple[str, str]:
    """The id and the name of the segment that takes the aneurysm."""
    if outputNode is None:
        return ANEURYSM_ID, aneurysmName(1, 1)
    segmentation = outputNode.GetSegmentation()
    ours = [one for one in segmentation.GetSegmentIDs() if _number(one) is not None]
    shares = {one: _share(image, outputNode, one) for one in ours}
    best = max(shares, key=lambda one: shares[one], default=None)
    if best is None or shares[best] < SAME_ANEURYSM:
        best = next((one for one in ours if segmentImage(outputNode, one) is None), None)
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
