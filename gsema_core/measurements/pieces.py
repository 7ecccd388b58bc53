"""Measuring what somebody has drawn as one aneurysm: each of its pieces is one by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.boxes import Box, box_geometry, grown
from gsema_core.grids.components import connected_components
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.aneurysms import Aneurysm, measure_aneurysms
from gsema_core.measurements.parent_vessel import REACH_MM

VESSEL_BIT, ANEURYSM_BIT = 1, 2
"""What the voxels of a drawing are made of; where segments overlap, a voxel has both."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What was drawn as an aneurysm, with the vessels around it.

    Args:
        voxels: (k, j, i) of ``VESSEL_BIT`` and ``ANEURYSM_BIT``: a box around what was drawn, with
            ``margin_voxels`` on every side where the scan goes on.
        geometry: the grid of the box.
        limits: (k, j, i) the part of the box in which the scan lies. What is drawn may reach
            beyond it; without a scan, it is the whole box.
    """

    voxels: Bytes
    geometry: Geometry
    limits: Box


def margin_voxels(spacing: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How far around an aneurysm measuring looks at vessels, in voxels along each axis."""
    return np.ceil(REACH_MM / np.asarray(spacing)).astype(int)


def measure_pieces(drawing: Drawing, smallest_mm3: float) -> list[Aneurysm]:
    """Measure each connected piece of a drawing by itself, the largest first.

    Args:
        drawing: what was drawn.
        smallest_mm3: smaller pieces are specks, except for the largest piece.

    Returns:
        Their measurements; the index is the piece's rank, voxel indices are those of the drawing.
    """
    measured = []
    for rank, (piece, box) in enumerate(_pieces(drawing, smallest_mm3), start=1):
        around = grown(box, margin_voxels(drawing.geometry.spacing)[::-1], _limits(drawing, box))
        labels = np.where(drawing.voxels[around] & VESSEL_BIT, VESSEL, 0).astype(np.uint8)
        labels[_within(box, around)][piece] = ANEURYSM
        (found,) = measure_aneurysms(Volume(labels, box_geometry(drawing.geometry, around)))
        i, j, k = found.centroid_ijk
        start = [side.start for side in around[::-1]]
        place = (i + start[0], j + start[1], k + start[2])
        measured.append(replace(found, index=rank, centroid_ijk=place))
    return measured


def _pieces(drawing: Drawing, smallest_mm3: float) -> Iterator[tuple[npt.NDArray[np.bool_], Box]]:
    """Each piece in its own box, and that box; the largest first, without the specks."""
    mask = (drawing.voxels & ANEURYSM_BIT) != 0
    components, count = connected_components(mask)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(components)
    for rank, index in enumerate(np.argsort(-sizes, kind="stable")):
        if rank > 0 and sizes[index] * drawing.geometry.voxel_volume_mm3 < smallest_mm3:
            return
        box = boxes[index]
        yield components[box] == index + 1, box


def _limits(drawing: Drawing, box: Box) -> Box:
    """As far as the surroundings of a piece go: to the scan's border, or to the piece's own."""
    return tuple(
        slice(min(limit.start, side.start), max(limit.stop, side.stop))
        for limit, side in zip(drawing.limits, box, strict=True)
    )


def _within(box: Box, around: Box) -> Box:
    """The box as slices of one around it."""
    return tuple(
        slice(side.start - outer.start, side.stop - outer.start)
        for side, outer in zip(box, around, strict=True)
    )
