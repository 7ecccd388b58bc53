"""The label map of a click, verified, into a segmentation."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.click.ClickChange import ClickChange, Moment
from GSEMASegmentationLib.click.ClickPoints import Clicks
from GSEMASegmentationLib.scene.Coordinates import ijkToRas
from GSEMASegmentationLib.scene.LabelImport import readLabels
from GSEMASegmentationLib.scene.MaskText import imageFrom, imageText
from GSEMASegmentationLib.scene.OutputState import OutputState
from GSEMASegmentationLib.scene.SegmentationOutput import describe, newOutput
from GSEMASegmentationLib.scene.SegmentMasks import orientedImage, segmentImage


def readClick(path: Path, volumeNode: Any, box: Mapping[str, Any]) -> Any:
    """Read the worker's label map of a box and check it against the volume's grid.

    Args:
        path: the worker's output.
        volumeNode: the volume that was clicked into.
        box: what the worker says of it: ``start_ijk`` and ``size_ijk``.

    Returns:
        The aneurysm, 0 and 1, at its place on the volume's grid (vtkOrientedImageData).

    Raises:
        UserError: the file is missing or damaged, lies elsewhere, or is not one aneurysm.
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
    return orientedImage(mask, (i, j, k), ijkToRas(volumeNode))


def importClick(
    image: Any,
    volumeNode: Any,
    outputNode: Any,
    target: tuple[str, str],
    clicks: Clicks,
) -> ClickChange:
    """Put the aneurysm of a click into a segmentation; the scene changes completely or not at all.

    No other segment is touched. A segmentation that has segments already gets no 3D surfaces from
    a click: its owner may have turned them off.

    Args:
        image: the aneurysm, as ``readClick`` gives it.
        volumeNode: the volume that was clicked into.
        outputNode: the segmentation, None for a new one.
        target: id and name of the segment, as ``ClickTarget`` gives them.
        clicks: what it is made of, in the volume's own frame (LPS).
    """
    segmentId, name = target
    state = None if outputNode is None else OutputState.of(outputNode)
    node = newOutput(volumeNode) if outputNode is None else outputNode
    before = Moment.of(node, segmentId)
    start = before.start
    if before.isThere and not before.clicks.inside:
        start = imageText(before.image)
    segment = slicer.vtkSegment()
    if before.isThere:
        segment.DeepCopyMetadata(node.GetSegmentation().GetSegment(segmentId))
    else:
        describe(segment, ANEURYSM, name)
    after = Moment(True, image, clicks, start)
    change = ClickChange(volumeNode, node, segmentId, segment, before, after, state)
    change.make()
    change.after = replace(after, image=segmentImage(node, segmentId))
    return change


def removeClicks(volumeNode: Any, node: Any, segmentId: str) -> ClickChange:
    """Put an aneurysm back to before its first click; one that a click has begun goes away.

    Args:
        volumeNode: the volume that was clicked into.
        node: the segmentation.
        segmentId: a segment that was made of clicks.
    """
    before = Moment.of(node, segmentId)
    try:
        after = Moment(True, imageFrom(before.start)) if before.start else Moment()
    except (ValueError, KeyError, TypeError, zlib.error):  # somebody has changed the text
        after = Moment(True, before.image)
    segment = slicer.vtkSegment()
    segment.DeepCopyMetadata(node.GetSegmentation().GetSegment(segmentId))
    state = OutputState.of(node)
    change = ClickChange(volumeNode, node, segmentId, segment, before, after, state)
    change.make()
    return change


def _expected(volumeNode: Any, startIjk: tuple[int, int, int], size: list[int]) -> Any:
    """A volume node outside of the scene, with the grid that the box must have and no voxels."""
    matrix, move = ijkToRas(volumeNode), vtk.vtkMatrix4x4()
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
