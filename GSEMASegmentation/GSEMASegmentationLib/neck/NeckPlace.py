"""Where a neck is cut: planes in a segmentation's frame, and the box of voxels around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.measure.SegmentDrawing import wholeGrid
from GSEMASegmentationLib.scene.Coordinates import checkLinear, toWorld

MARGIN_MM = 5.0
"""So far around the aneurysm, and around the middle of a plane, its vessel is looked at; twice the
width of most parent vessels. Ours."""

FARTHEST_MM = 25.0
"""A plane further from the aneurysm cuts something else; giant aneurysms are larger. Ours."""

Plane = tuple[np.ndarray, np.ndarray]
"""A point in mm and a unit normal, both (3,), in RAS."""


def planeFromWorld(node: Any, origin: Sequence[float], normal: Sequence[float]) -> Plane:
    """A plane of the world in a node's own frame; its normal stays across it, also if stretched.

    Raises:
        UserError: it is no plane, or the node lies under a transform that is not linear.
    """
    checkLinear(node)
    matrix = slicer.util.arrayFromVTKMatrix(toWorld(node))
    point, across = (np.array([float(value) for value in one]) for one in (origin, normal))
    length = 0.0
    if np.isfinite([*point, *across]).all():
        point = np.linalg.inv(matrix) @ [*point, 1.0]
        across = matrix[:3, :3].T @ across
        length = float(np.linalg.norm(across))
    if length == 0:
        raise UserError(_("This is no plane: give a point in mm (RAS) and a normal that is not 0."))
    return point[:3], across / length


def boxAround(node: Any, grid: Any, extent: np.ndarray, plane: Plane | None, name: str) -> Any:
    """A box around an aneurysm and a plane's middle, as far as the segmented volume goes.

    Raises:
        UserError: the plane is too far away.
    """
    margin = np.ceil(MARGIN_MM / np.array(boxOf(grid, extent).GetSpacing())).astype(int)
    low, high = extent[::2], extent[1::2]
    if plane is not None:
        index = (np.linalg.inv(slicer.util.arrayFromVTKMatrix(grid)) @ [*plane[0], 1.0])[:3]
        spacing = np.array(boxOf(grid, extent).GetSpacing())
        away = np.maximum(np.maximum(low - index, index - high), 0) * spacing
        if float(np.linalg.norm(away)) > FARTHEST_MM:
            raise UserError(
                _(
                    "The plane is {distance:.0f} mm from {name}: move its middle to the neck."
                ).format(distance=float(np.linalg.norm(away)), name=name)
            )
        low = np.minimum(low, np.floor(index).astype(int))
        high = np.maximum(high, np.ceil(index).astype(int))
    low, high = low - margin, high + margin
    whole = wholeGrid(node)
    match = slicer.vtkOrientedImageDataResample.DoGeometriesMatch
    if whole is not None and match(boxOf(grid, extent), whole):
        limits = np.array(whole.GetExtent())
        # A hand may have drawn beyond the volume.
        low = np.maximum(low, np.minimum(limits[::2], extent[::2]))
        high = np.minimum(high, np.maximum(limits[1::2], extent[1::2]))
    return boxOf(grid, np.stack([low, high], axis=1).ravel())


def boxOf(grid: Any, extent: np.ndarray) -> Any:
    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(grid)
    box.SetExtent([int(n) for n in extent])
    return box
