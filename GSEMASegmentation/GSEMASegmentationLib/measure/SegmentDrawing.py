"""What measuring a segment depends on, taken out of the scene."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import slicer.util

from gsema_core.labels import VESSEL
from GSEMASegmentationLib.measure.Judgement import TAG, Judgement, judgementOf
from GSEMASegmentationLib.scene.Coordinates import toWorld
from GSEMASegmentationLib.scene.PatchChange import tagOf
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    boxSlices,
    gridOf,
    imageArray,
    maskInBox,
    segmentImage,
    wholeGrid,
)

if TYPE_CHECKING:  # scipy: not at start-up
    from gsema_core.measurements.pieces import Drawing

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

GRID_DECIMALS = 5
"""Digits of mm to which two grids are called the same: files round them. Ours."""


@dataclass(frozen=True, eq=False)
class SegmentDrawing:
    """A segment as it is now; nothing of it is shared with the scene.

    Attributes:
        segmentId: which one.
        name: what it is called.
        drawing: its voxels with the vessels around; None where it is empty.
        startIjk: index of the drawing's first voxel on the segment's grid.
        lpsToWorld: (4, 4) the segmentation's parent transform.
        judgement: what the user has decided of it.
    """

    segmentId: str
    name: str
    drawing: Drawing | None
    startIjk: np.ndarray
    lpsToWorld: np.ndarray
    judgement: Judgement | None = None

    def fingerprint(self) -> str:
        """The same for the same name, status, voxels and place, also after saving and loading."""
        status = "" if self.judgement is None else self.judgement.status
        content = hashlib.blake2b(f"{self.name}\n{status}".encode(), digest_size=16)
        place = self.lpsToWorld.ravel()
        if self.drawing is not None:
            grid, voxels = self.drawing.geometry, self.drawing.voxels
            place = np.r_[place, grid.size, grid.spacing, grid.origin, grid.direction]
            content.update(str(self.drawing.limits).encode())
            content.update(np.ascontiguousarray(voxels).data)
        # Adding 0 turns a negative zero into a plain one.
        content.update((place.round(GRID_DECIMALS) + 0).data)
        return content.hexdigest()


def stateOf(segmentationNode: Any, segmentId: str) -> tuple[Any, ...]:
    """All that a segment's drawing depends on; VTK never gives the same time to two changes."""
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    times: list[tuple[Any, ...]] = []
    for one in (segmentId, *segmentsShowing(segmentationNode, VESSEL)):
        segment = segmentation.GetSegment(one)
        voxels = segment.GetRepresentation(source)
        times.append((one, voxels and voxels.GetMTime(), segment.GetLabelValue()))
    matrix = slicer.util.arrayFromVTKMatrix(toWorld(segmentationNode)).tobytes()
    name = segmentation.GetSegment(segmentId).GetName()
    judgement = tagOf(segmentation.GetSegment(segmentId), TAG)
    grid = _gridText(segmentation)
    return segmentationNode.GetID(), segmentId, name, tuple(times), matrix, grid, judgement


def drawingOf(segmentationNode: Any, segmentId: str) -> SegmentDrawing:
    """Take a segment out of the scene, with the vessels around it.

    ``segmentsShowing`` says which segments are vessels. At 512 x 512 x 512 voxels it takes about
    a tenth of a second, nearly all of it to find the segment in its label map.
    """
    name = segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()
    world = LPS_RAS @ slicer.util.arrayFromVTKMatrix(toWorld(segmentationNode)) @ LPS_RAS
    image = segmentImage(segmentationNode, segmentId)
    judgement = judgementOf(segmentationNode, segmentId)
    if image is None:
        start = np.array(judgement.startIjk if judgement is not None else (0, 0, 0))
        return SegmentDrawing(segmentId, name, None, start, world, judgement)
    box, limits = _surroundings(segmentationNode, image)
    drawing = _drawing(segmentationNode, image, box, limits)
    start = np.array(box.GetExtent()[::2])
    return SegmentDrawing(segmentId, name, drawing, start, world, judgement)


def _drawing(segmentationNode: Any, image: Any, box: Any, limits: np.ndarray) -> Drawing:
    from gsema_core.measurements.pieces import ANEURYSM_BIT, VESSEL_BIT, Drawing

    voxels = np.zeros(box.GetDimensions()[::-1], np.uint8)
    for segmentId in segmentsShowing(segmentationNode, VESSEL):
        voxels[maskInBox(segmentationNode, segmentId, box)] = VESSEL_BIT
    here = np.array(image.GetExtent())
    part = voxels[boxSlices(here[::2], here[1::2] + 1, box.GetExtent())]
    part[imageArray(image) != 0] |= ANEURYSM_BIT
    return Drawing(
        voxels, _geometry(box), boxSlices(limits[::2], limits[1::2] + 1, box.GetExtent())
    )


def _surroundings(segmentationNode: Any, image: Any) -> tuple[Any, np.ndarray]:
    """A box without voxels around a segment, as far as measuring looks at vessels, and its limits.

    Where the grid is that of the segmented volume, the box ends with the volume, so that what is
    cut off by its border is known to be.
    """
    from gsema_core.measurements.pieces import margin_voxels

    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(gridOf(image))
    margin = margin_voxels(box.GetSpacing())
    own = np.array(image.GetExtent())
    low, high = own[::2] - margin, own[1::2] + margin
    limits = np.stack([low, high], axis=1).ravel()
    whole = wholeGrid(segmentationNode)
    if whole is not None and slicer.vtkOrientedImageDataResample.DoGeometriesMatch(box, whole):
        limits = np.array(whole.GetExtent())
        # A hand may have drawn beyond the volume.
        low = np.maximum(low, np.minimum(limits[::2], own[::2]))
        high = np.minimum(high, np.maximum(limits[1::2], own[1::2]))
    box.SetExtent([int(n) for pair in zip(low, high, strict=True) for n in pair])
    return box, limits


def _gridText(segmentation: Any) -> str:
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    return str(segmentation.GetConversionParameter(name))


def _geometry(box: Any) -> Any:
    """An oriented image's grid in ITK's terms; its first voxel is (0, 0, 0)."""
    from gsema_core.grids import Geometry

    spacing = box.GetSpacing()
    matrix = LPS_RAS @ slicer.util.arrayFromVTKMatrix(gridOf(box))
    origin = matrix @ [*box.GetExtent()[::2], 1.0]
    direction = matrix[:3, :3] / spacing
    return Geometry(box.GetDimensions(), spacing, tuple(origin[:3]), tuple(direction.ravel()))
