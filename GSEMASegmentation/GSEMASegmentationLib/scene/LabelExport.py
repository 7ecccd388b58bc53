"""A segmentation's vessels and aneurysms as one label map in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, VESSEL
from GSEMASegmentationLib.scene.Coordinates import checkLinear, toWorld
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    boxOn,
    gridOf,
    maskInBox,
    segmentImage,
    wholeGrid,
)
from GSEMASegmentationLib.scene.VolumeFiles import exportVolume

AROUND = 2
"""Voxels around segments that lie on no volume's grid, so that nothing of them is at a border."""

SKEW = 1e-3
"""How far the axes of a grid may be from perpendicular, as the product of two unit vectors."""


def exportLabels(segmentationNode: Any, path: Path) -> None:
    """Write what shows vessels (1) and aneurysms (2), where it is in the world, as NRRD.

    ``segmentsShowing`` says what counts; where both overlap, it is an aneurysm. The grid is that
    of the segmented volume, so that its border is the scan's; where the segments have another one,
    theirs, with nothing at its border.

    Raises:
        UserError: there is no such voxel, a parent transform bends or shears, or the file could
            not be written.
    """
    checkLinear(segmentationNode)
    labels = [
        (segmentId, label)
        for label in (VESSEL, ANEURYSM)
        for segmentId in segmentsShowing(segmentationNode, label)
    ]
    box = _box(segmentationNode, [segmentId for segmentId, _label in labels])
    voxels = np.zeros(box.GetDimensions()[::-1], np.uint8)
    for segmentId, label in labels:
        voxels[maskInBox(segmentationNode, segmentId, box)] = label
    exportVolume(_volumeOf(voxels, box, segmentationNode), path)


def _box(segmentationNode: Any, segmentIds: list[str]) -> Any:
    images = [segmentImage(segmentationNode, segmentId) for segmentId in segmentIds]
    images = [image for image in images if image is not None]
    if not images:
        raise UserError(
            _("{name} has no vessel and no aneurysm: segment or draw them first.").format(
                name=segmentationNode.GetName()
            )
        )
    match = slicer.vtkOrientedImageDataResample.DoGeometriesMatch
    grid = gridOf(images[0])
    boxes = [image if match(image, images[0]) else boxOn(grid, image) for image in images]
    own = np.array([box.GetExtent() for box in boxes])
    low, high = own[:, ::2].min(axis=0) - AROUND, own[:, 1::2].max(axis=0) + AROUND
    whole = wholeGrid(segmentationNode)
    if whole is not None and match(whole, images[0]):
        extent = np.array(whole.GetExtent())
        inside = (low + AROUND >= extent[::2]).all() and (high - AROUND <= extent[1::2]).all()
        if inside:  # else a hand has drawn beyond the volume
            low, high = extent[::2], extent[1::2]
    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(grid)
    box.SetExtent([int(n) for pair in zip(low, high, strict=True) for n in pair])
    return box


def _volumeOf(voxels: np.ndarray, box: Any, segmentationNode: Any) -> Any:
    """A volume node outside the scene; its grid is that of the box in the world."""
    matrix = slicer.util.arrayFromVTKMatrix(toWorld(segmentationNode))
    matrix = matrix @ slicer.util.arrayFromVTKMatrix(gridOf(box))
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    if abs(axes.T @ axes - np.eye(3)).max() > SKEW:
        raise UserError(
            _("{name} lies under a transform that shears it: harden it first.").format(
                name=segmentationNode.GetName()
            )
        )
    matrix[:3, 3] = matrix[:3, :3] @ box.GetExtent()[::2] + matrix[:3, 3]
    image = vtk.vtkImageData()
    image.SetDimensions(*box.GetDimensions())
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(voxels.ravel(), deep=True))
    volume = slicer.vtkMRMLScalarVolumeNode()
    volume.SetAndObserveImageData(image)
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    return volume
