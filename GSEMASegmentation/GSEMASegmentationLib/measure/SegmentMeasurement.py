"""Measuring the aneurysms of a segmentation as it is now, also after edits by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import slicer.util

from gsema_core.inference.settings import SegmentationSettings
from gsema_core.labels import ANEURYSM, VESSEL
from GSEMASegmentationLib.scene.Coordinates import checkLinear, toWorld
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    boxSlices,
    gridOf,
    imageArray,
    maskInBox,
    segmentImage,
    voxelMm3,
)

if TYPE_CHECKING:  # scipy: not at start-up
    from gsema_core.measurements import Aneurysm

SMALLEST_PIECE_MM3 = SegmentationSettings().minimum_aneurysm_mm3
"""Smaller second pieces of a segment are specks of a brush, not aneurysms; the same limit as for
noise in a segmentation."""

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class MeasuredAneurysm:
    """One row of the table.

    Attributes:
        segmentId: the segment that it is, or is a piece of.
        name: the segment's; further pieces have a number behind it.
        aneurysm: its measurements; positions and lines are those of the world, in LPS.
    """

    segmentId: str
    name: str
    aneurysm: Aneurysm


Memory = dict[str, tuple[Any, list[MeasuredAneurysm]]]
"""By segment: what it was when it was measured (see ``_stateOf``), and its rows."""


def measureSegments(segmentationNode: Any, memory: Memory | None = None) -> list[MeasuredAneurysm]:
    """Measure every aneurysm of a segmentation, the largest first.

    ``segmentsShowing`` says which segments are aneurysms and vessels. A segment of several pieces
    gives a row for each (see ``SMALLEST_PIECE_MM3``). Sizes are in the mm of the segmentation
    itself: a parent transform moves positions and lines, and changes sizes only once it is
    hardened.

    Args:
        segmentationNode: the segmentation.
        memory: the rows of the last measurement; those of segments that have not changed since
            are taken from it. It is updated.

    Raises:
        UserError: the parent transform is not linear.
    """
    checkLinear(segmentationNode)
    memory = {} if memory is None else memory
    before = dict(memory)
    memory.clear()
    for segmentId in segmentsShowing(segmentationNode, ANEURYSM):
        state = _stateOf(segmentationNode, segmentId)
        known = before.get(segmentId)
        if known is None or known[0] != state:
            known = state, _measuredPieces(segmentationNode, segmentId)
        memory[segmentId] = known
    measured = [row for _state, rows in memory.values() for row in rows]
    measured.sort(key=lambda one: -one.aneurysm.volume_ml)
    return [
        replace(one, aneurysm=replace(one.aneurysm, index=index))
        for index, one in enumerate(measured, start=1)
    ]


def _stateOf(segmentationNode: Any, segmentId: str) -> tuple[Any, ...]:
    """All that the rows of a segment depend on; VTK never gives the same time to two changes."""
    segmentation = segmentationNode.GetSegmentation()
    source = segmentation.GetSourceRepresentationName()
    times: list[tuple[Any, ...]] = []
    for one in (segmentId, *segmentsShowing(segmentationNode, VESSEL)):
        segment = segmentation.GetSegment(one)
        voxels = segment.GetRepresentation(source)
        times.append((one, voxels and voxels.GetMTime(), segment.GetLabelValue()))
    matrix = slicer.util.arrayFromVTKMatrix(toWorld(segmentationNode)).tobytes()
    name = segmentation.GetSegment(segmentId).GetName()
    return segmentationNode.GetID(), name, times, matrix, _gridText(segmentation)


def _measuredPieces(segmentationNode: Any, segmentId: str) -> list[MeasuredAneurysm]:
    name, rows = segmentationNode.GetSegmentation().GetSegment(segmentId).GetName(), []
    for number, piece in enumerate(_pieces(segmentationNode, segmentId), start=1):
        title = name if number == 1 else f"{name} ({number})"
        rows.append(MeasuredAneurysm(segmentId, title, _measured(segmentationNode, piece)))
    return rows


@dataclass(frozen=True, eq=False)
class _Piece:
    """A connected piece of a segment: bool (k, j, i), its first voxel (i, j, k), and its grid."""

    mask: np.ndarray
    start: np.ndarray
    grid: Any


def _pieces(segmentationNode: Any, segmentId: str) -> Iterator[_Piece]:
    """The largest first; without the specks."""
    from scipy import ndimage

    from gsema_core.grids.components import connected_components

    image = segmentImage(segmentationNode, segmentId)
    if image is None:
        return
    components, _ignored = connected_components(imageArray(image) != 0)
    sizes = np.bincount(components.ravel())[1:]
    boxes = ndimage.find_objects(components)
    first = np.array(image.GetExtent()[::2])
    for rank, index in enumerate(np.argsort(-sizes, kind="stable")):
        if rank > 0 and sizes[index] * voxelMm3(image) < SMALLEST_PIECE_MM3:
            return
        box = boxes[index]
        start = first + [side.start for side in reversed(box)]
        yield _Piece(components[box] == index + 1, start, gridOf(image))


def _measured(segmentationNode: Any, piece: _Piece) -> Aneurysm:
    from gsema_core.grids import Volume
    from gsema_core.measurements import measure_aneurysms

    box = _surroundings(segmentationNode, piece)
    start = np.array(box.GetExtent()[::2])
    labels = np.zeros(box.GetDimensions()[::-1], np.uint8)
    for segmentId in segmentsShowing(segmentationNode, VESSEL):
        labels[maskInBox(segmentationNode, segmentId, box)] = VESSEL
    inside = boxSlices(piece.start, piece.start + piece.mask.shape[::-1], box.GetExtent())
    labels[inside][piece.mask] = ANEURYSM
    (found,) = measure_aneurysms(Volume(labels, _geometry(box)))
    return _inWorld(found, segmentationNode, start)


def _surroundings(segmentationNode: Any, piece: _Piece) -> Any:
    """A box without voxels around a piece, as far as measuring looks at vessels.

    Where the grid is that of the segmented volume, the box ends with the volume, so that what is
    cut off by its border is known to be.
    """
    from gsema_core.measurements.parent_vessel import REACH_MM

    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(piece.grid)
    margin = np.ceil(REACH_MM / np.array(box.GetSpacing())).astype(int)
    low = piece.start - margin
    high = piece.start + piece.mask.shape[::-1] - 1 + margin
    whole = _wholeGrid(segmentationNode)
    if whole is not None and slicer.vtkOrientedImageDataResample.DoGeometriesMatch(box, whole):
        extent = np.array(whole.GetExtent())
        # A hand may have drawn beyond the volume.
        low = np.maximum(low, np.minimum(extent[::2], piece.start))
        last = piece.start + piece.mask.shape[::-1] - 1
        high = np.minimum(high, np.maximum(extent[1::2], last))
    box.SetExtent([int(n) for pair in zip(low, high, strict=True) for n in pair])
    return box


def _wholeGrid(segmentationNode: Any) -> Any:
    """The grid of the volume that was segmented, which the segmentation remembers; or None."""
    text, whole = _gridText(segmentationNode.GetSegmentation()), slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, whole, False):
        return None
    return whole


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


def _inWorld(aneurysm: Aneurysm, segmentationNode: Any, start: np.ndarray) -> Aneurysm:
    """Positions and lines through the parent transform; indices from the grid's first voxel."""
    matrix = toWorld(segmentationNode)
    lpsToWorld = LPS_RAS @ slicer.util.arrayFromVTKMatrix(matrix) @ LPS_RAS

    def moved(point: Any) -> Any:
        x, y, z, _ones = (lpsToWorld @ [*point, 1.0]).tolist()
        return x, y, z

    def turned(normal: Any) -> Any:
        """A plane's normal goes by the inverse transpose, so that it stays across the plane."""
        direction = np.linalg.inv(lpsToWorld[:3, :3]).T @ normal
        return tuple((direction / np.linalg.norm(direction)).tolist())

    center, normal = aneurysm.neck_center_lps, aneurysm.neck_normal_lps
    lines = ("diameter_line_lps", "height_line_lps", "neck_line_lps")
    ends = {name: getattr(aneurysm, name) for name in lines}
    return replace(
        aneurysm,
        centroid_lps=moved(aneurysm.centroid_lps),
        centroid_ijk=tuple((start + aneurysm.centroid_ijk).tolist()),
        neck_center_lps=None if center is None else moved(center),
        neck_normal_lps=None if normal is None else turned(normal),
        **{
            name: None if line is None else tuple(moved(point) for point in line)
            for name, line in ends.items()
        },
    )
