"""Surfaces of an aneurysm and its vessel that follow a plane while it moves.

Slicer makes a segment's surface anew from all of its voxels: a second for the vessels of a scan of
512 x 512 x 512. While a plane moves, the aneurysm's is made from its own box, with the same result,
and the vessel's is made anew where voxels have changed and joined to the rest of the surface that
was there. When the plane rests, the whole is made once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util import numpy_support

from GSEMASegmentationLib.neck.NeckPlace import boxOf
from GSEMASegmentationLib.scene.SegmentMasks import (
    LABELMAP,
    SURFACE,
    cropped,
    maskInBox,
    orientedImage,
)
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch

INFLUENCE_VOXELS = 12
"""So far from a change, smoothing moves a surface by less than 0.001 voxels (measured: 0.0002 mm
of voxels of 0.125 mm)."""

ROOM_VOXELS = 4
"""What is made anew reaches so much further than it must, so that small moves need no other part of
the rest. Ours."""


class NeckSurfaces:
    """Keeps both surfaces of one neck up to date.

    Args:
        node: the segmentation.
        sacId: the aneurysm's segment.
        vesselId: the vessel's segment.
    """

    def __init__(self, node: Any, sacId: str, vesselId: str) -> None:
        self.node, self.ids = node, (sacId, vesselId)
        self._sacId, self._vesselId = self.ids
        self._forget()

    def update(self, patches: Sequence[SegmentPatch]) -> None:
        """Follow a change that was made: the aneurysm's patch, and the vessel's."""
        segmentation = self.node.GetSegmentation()
        if not segmentation.ContainsRepresentation(SURFACE):
            return
        if segmentation.GetConversionParameter("Joint smoothing") == "1":
            self._remake([self._sacId, self._vesselId])
            return
        sac, vessel = patches
        mask, start = cropped(sac.after)
        if mask.size:
            first = np.add(sac.startIjk, start[::-1])
            self._setSurface(self._sacId, _surfaceOf(self.node, mask, first, sac.grid))
        self._followVessel(vessel)

    def makeWhole(self) -> None:
        """Make the vessel's surface from all of its voxels."""
        if self._joined is not None and slicer.mrmlScene.IsNodePresent(self.node):
            segment = self.node.GetSegmentation().GetSegment(self._vesselId)
            # Nothing is to be done where somebody has turned surfaces off, or made it anew.
            if segment is not None and segment.GetRepresentation(SURFACE) is self._joined:
                self._remake([self._vesselId])
        self._forget()

    def _forget(self) -> None:
        self._whole: Any = None  # the vessel's surface before the first change
        self._joined: Any = None  # the one that was put in its place
        self._outside: Any = None  # the part of the whole that is not made anew
        self._extent = np.array([0, -1] * 3)  # of what is made anew

    def _followVessel(self, patch: SegmentPatch) -> None:
        changed = np.argwhere(patch.before != patch.after)[:, ::-1] + patch.startIjk
        if len(changed) == 0:
            return
        segment = self.node.GetSegmentation().GetSegment(self._vesselId)
        present = segment.GetRepresentation(SURFACE)
        if present is not self._joined:  # somebody else has made it since
            self._forget()
        if present is None or present.GetNumberOfPolys() == 0:
            self._remake([self._vesselId])
            return
        self._whole = self._whole or present
        low = changed.min(axis=0) - INFLUENCE_VOXELS
        high = changed.max(axis=0) + INFLUENCE_VOXELS
        self._makeRoom(low, high, patch.grid)
        margin = np.tile([-INFLUENCE_VOXELS, INFLUENCE_VOXELS], 3)
        box = boxOf(patch.grid, self._extent + margin)
        mask = maskInBox(self.node, self._vesselId, box)
        local = _surfaceOf(self.node, mask, box.GetExtent()[::2], patch.grid)
        parts = [self._outside, _part(local, self._extent, patch.grid, isInside=True)]
        self._joined = _together(parts)
        self._setSurface(self._vesselId, self._joined)

    def _makeRoom(self, low: np.ndarray, high: np.ndarray, grid: Any) -> None:
        """Have what is made anew reach these voxels."""
        extent = self._extent
        if self._outside is not None:
            if (extent[::2] <= low).all() and (extent[1::2] >= high).all():
                return
            low, high = np.minimum(extent[::2], low), np.maximum(extent[1::2], high)
        self._extent = np.stack([low - ROOM_VOXELS, high + ROOM_VOXELS], axis=1).ravel()
        self._outside = _part(self._whole, self._extent, grid, isInside=False)

    def _remake(self, segmentIds: list[str]) -> None:
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.ReconvertAllRepresentations(self.node, segmentIds)
        for segmentId in segmentIds:
            self._tell(segmentId)

    def _setSurface(self, segmentId: str, surface: Any) -> None:
        segment = self.node.GetSegmentation().GetSegment(segmentId)
        segment.AddRepresentation(SURFACE, surface)
        self._tell(segmentId)

    def _tell(self, segmentId: str) -> None:
        segmentation = self.node.GetSegmentation()
        segmentation.InvokeEvent(segmentation.RepresentationModified, segmentId)


def _surfaceOf(node: Any, mask: np.ndarray, startIjk: Sequence[int], grid: Any) -> Any:
    """The surface of voxels as Slicer makes it with the segmentation's settings."""
    segmentation, segment = slicer.vtkSegmentation(), slicer.vtkSegment()
    settings = node.GetSegmentation().SerializeAllConversionParameters()
    segmentation.SetSourceRepresentationName(LABELMAP)
    segmentation.DeserializeConversionParameters(settings)
    segment.AddRepresentation(LABELMAP, orientedImage(mask, startIjk, grid))
    segmentation.AddSegment(segment, "one")
    segmentation.CreateRepresentation(SURFACE, True)
    return segment.GetRepresentation(SURFACE)


def _part(surface: Any, extent: np.ndarray, grid: Any, isInside: bool) -> Any:
    """The triangles of a surface of which most corners lie within an extent, or the others."""
    if surface is None or surface.GetNumberOfPolys() == 0:
        return vtk.vtkPolyData()
    toIndex = np.linalg.inv(slicer.util.arrayFromVTKMatrix(grid))
    points = numpy_support.vtk_to_numpy(surface.GetPoints().GetData())
    index = points @ toIndex[:3, :3].T + toIndex[:3, 3]
    within = ((index > extent[::2]) & (index < extent[1::2])).all(axis=1)
    corners = numpy_support.vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    chosen = corners[(within[corners].sum(axis=1) >= 2) == isInside]
    triangles = vtk.vtkCellArray()
    triangles.SetData(3, numpy_support.numpy_to_vtkIdTypeArray(chosen.ravel(), deep=True))
    part = vtk.vtkPolyData()
    part.SetPoints(surface.GetPoints())
    part.GetPointData().ShallowCopy(surface.GetPointData())
    part.SetPolys(triangles)
    return part


def _together(parts: Sequence[Any]) -> Any:
    append = vtk.vtkAppendPolyData()
    for part in parts:
        append.AddInputData(part)
    append.Update()
    return append.GetOutput()
