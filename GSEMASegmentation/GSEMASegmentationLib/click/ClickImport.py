"""The label map of a click, verified, into a segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.click.ClickChange import ClickChange
from GSEMASegmentationLib.click.ClickTarget import targetSegment
from GSEMASegmentationLib.scene.Coordinates import ijkToRas
from GSEMASegmentationLib.scene.Hierarchy import placeOutput
from GSEMASegmentationLib.scene.LabelImport import readLabels
from GSEMASegmentationLib.scene.OutputState import OutputState
from GSEMASegmentationLib.scene.OwnSegmentation import markMadeOf
from GSEMASegmentationLib.scene.SegmentationOutput import adopt, describe, newOutput
from GSEMASegmentationLib.scene.SegmentLayer import setVoxels
from GSEMASegmentationLib.scene.SegmentMasks import LABELMAP, orientedImage, segmentImage


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


def importClick(image: Any, volumeNode: Any, outputNode: Any) -> ClickChange:
    """Put the aneurysm of a click into a segmentation; the scene changes completely or not at all.

    Of the aneurysms that this module has made, it replaces the one that it overlaps most, if that
    is the same aneurysm (``ClickTarget.SAME_ANEURYSM``). Otherwise it fills one that is empty, or
    becomes a new segment. No other segment is touched. A segmentation that has segments already
    gets no 3D surfaces from a click: its owner may have turned them off.

    Args:
        image: the aneurysm, as ``readClick`` gives it.
        volumeNode: the volume that was clicked into.
        outputNode: the segmentation, None for a new one.
    """
    segmentId, name = targetSegment(image, outputNode)
    state = None if outputNode is None else OutputState.of(outputNode)
    node = newOutput(volumeNode) if outputNode is None else outputNode
    isNew = node.GetSegmentation().GetSegment(segmentId) is None
    before = None if isNew else segmentImage(node, segmentId)
    change = ClickChange(volumeNode, node, segmentId, isNew, before, None, state)
    try:
        if isNew:
            _add(node, segmentId, name, image, volumeNode)
        else:
            setVoxels(node, segmentId, image, before)
    except Exception:
        change.revert()
        raise
    if state is None or state.madeOfId is None:
        markMadeOf(node, volumeNode)
    change.after = segmentImage(node, segmentId)
    return change


def _add(node: Any, segmentId: str, name: str, image: Any, volumeNode: Any) -> None:
    """Add the aneurysm; only what was empty gets surfaces, a display and a place."""
    segmentation = node.GetSegmentation()
    wasEmpty = segmentation.GetNumberOfSegments() == 0
    adopt(node, volumeNode)
    segment = slicer.vtkSegment()
    describe(segment, ANEURYSM, name)
    segment.AddRepresentation(LABELMAP, image)
    segmentation.AddSegment(segment, segmentId)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    if wasEmpty:
        node.CreateClosedSurfaceRepresentation()
        placeOutput(node, volumeNode)


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
