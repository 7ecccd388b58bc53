"""Boxes of voxels cut out of a grid, so that a few voxels of a large scan cost little."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gsema_core.grids.geometry import Geometry

Box = tuple[slice, ...]
"""Slices along (k, j, i)."""


def box_of(start_kji: Iterable[int], shape_kji: Iterable[int]) -> Box:
    """The box that begins at a voxel and has a shape."""
    sides = zip(start_kji, shape_kji, strict=True)
    return tuple(slice(int(first), int(first) + int(length)) for first, length in sides)


def box_geometry(geometry: Geometry, box: Box) -> Geometry:
    """The grid of a box's voxels."""
    size = [side.stop - side.start for side in box[::-1]]
    origin = geometry.index_to_world([side.start for side in box[::-1]])
    return Geometry(tuple(size), geometry.spacing, tuple(origin), geometry.direction)


def covering_box(source: Geometry, target: Geometry) -> Box | None:
    """The smallest box of ``target``'s voxels whose centers may lie in ``source``.

    Returns:
        None where no voxel of the target does.
    """
    ends = np.array([[-0.5] * 3, np.array(source.size) - 0.5])
    corners = np.stack(np.meshgrid(*ends.T), axis=-1).reshape(-1, 3)
    places = target.world_to_index(source.index_to_world(corners))
    # A millionth of a voxel is rounding, not a reason to leave a voxel out.
    first = np.maximum(np.ceil(places.min(axis=0) - 1e-6), 0).astype(int)
    last = np.minimum(np.floor(places.max(axis=0) + 1e-6), np.array(target.size) - 1).astype(int)
    if (last < first).any():
        return None
    return box_of(first[::-1], (last - first + 1)[::-1])


def bounding_box(mask: npt.NDArray[np.bool_]) -> Box:
    """The smallest box around the voxels of a mask that has any."""
    sides = []
    for axis in range(3):
        others = tuple({0, 1, 2} - {axis})
        filled = np.flatnonzero(mask.any(axis=others))
        side = slice(int(filled[0]), int(filled[-1]) + 1)
        sides.append(side)
        mask = mask[(slice(None),) * axis + (side,)]  # the next axes have less to look at
    return tuple(sides)


def grown(box: Box, margin_kji: Iterable[int], limit: Box) -> Box:
    """A box with a margin on every side, as far as ``limit`` goes."""
    return tuple(
        slice(max(end.start, side.start - margin), min(end.stop, side.stop + margin))
        for side, margin, end in zip(box, margin_kji, limit, strict=True)
    )


def common_box(boxes: Iterable[Box]) -> Box:
    """The smallest box around one or more boxes."""
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )


def moved(box: Box, offset_kji: npt.ArrayLike) -> Box:
    """A box moved by some voxels along (k, j, i)."""
    sides = zip(box, np.asarray(offset_kji), strict=True)
    return tuple(slice(side.start + int(shift), side.stop + int(shift)) for side, shift in sides)
