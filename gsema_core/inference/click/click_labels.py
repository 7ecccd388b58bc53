"""The aneurysm that a click found, from the working grid to the scan's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.boxes import (
    Box,
    bounding_box,
    box_geometry,
    box_of,
    common_box,
    covering_box,
    grown,
    moved,
)
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.field import Field, Mask
from gsema_core.inference.click.finding import Finding
from gsema_core.inference.click.obeying import obey
from gsema_core.inference.click.points import Point, nearest_voxel
from gsema_core.inference.deciding.original_grid import probability_to_original
from gsema_core.inference.deciding.walls import Wall, find_wall, lumen_factor, reach
from gsema_core.intensities.prepared_scan import PreparedScan
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL

MARGIN_MM = 5.0
"""How far around an aneurysm its vessels are restored, for measuring. Ours, for speed: the
neck and the parent vessel beside it lie within."""

WALL_VOXELS = 4
"""How far a wall is looked for around an aneurysm, on the working grid. Ours: within a voxel or two
a network's lumen falls from one half to where the scan is not asked."""


class Restored(NamedTuple):
    """An aneurysm on the scan's own grid.

    Attributes:
        labels: uint8, in a box of the scan's grid.
        box: where they lie in it.
        notes: what was changed to obey the clicks, one sentence each.
    """

    labels: Volume
    box: Box
    notes: tuple[str, ...] = ()


def restore(
    finding: Finding,
    scan: PreparedScan,
    vessels: bool = True,
    walls: bool = False,
) -> Restored | None:
    """Bring an aneurysm and the vessels around it back to the scan's own grid.

    Nothing but a box is interpolated. A voxel of the scan belongs to the aneurysm if the
    probability, linear between the working grid's voxels, reaches the threshold. Voxels of other
    components count as 0, which changes nothing beside this one: between two components there is
    always a voxel below the threshold. Vessel is what is likelier vessel than background. Where the
    finding obeys clicks, the aneurysm holds those inside and none of those outside, whatever was
    interpolated (``click.obeying``).

    Args:
        finding: the aneurysm and its probabilities.
        scan: what was looked at.
        vessels: False leaves them out, which saves most of the time.
        walls: whether they are drawn by the scan's own voxels (``inference.deciding.walls``).

    Returns:
        Background, vessel and this one aneurysm (uint8) with ``MARGIN_MM`` around the aneurysm,
        as far as scan and windows go, and their box in the scan's grid; without vessels the box
        ends with the aneurysm. None where there is no aneurysm, or one so small that it lies
        between the scan's voxels.
    """
    field, outline = finding.field, finding.outline
    if outline.component is None:
        return None
    extent = _extent(finding, scan)
    wall = _wall_around(finding, scan, extent) if walls else None
    inner = _Resampled.of(
        finding, scan, _grown(finding, extent, 1 if wall is None else WALL_VOXELS), wall
    )
    if inner is None:
        return None
    sac, notes = _sac(inner, finding, scan)
    if not sac.any():
        return None
    if not vessels:
        only = Volume(sac * np.uint8(ANEURYSM), inner.geometry)
        return Restored(only, inner.target, notes)

    wide = _Resampled.of(finding, scan, _grown(finding, extent, _margin(scan)), wall)
    assert wide is not None  # the wider box has all voxels of the narrow one
    elsewhere = ~outline.component & (field.aneurysm >= outline.threshold)
    vessel = np.where(elsewhere, np.float32(0), field.vessel)
    if outline.cut is not None:
        vessel[outline.cut] = _lumen_of(field)[outline.cut]
    likelier = wide.share(vessel) > 1 - wide.share(_lumen_of(field))
    labels = np.where(likelier, np.uint8(VESSEL), np.uint8(BACKGROUND))
    labels[moved(inner.target, [-side.start for side in wide.target])][sac] = ANEURYSM
    return Restored(Volume(labels, wide.geometry), wide.target, notes)


def _sac(inner: _Resampled, finding: Finding, scan: PreparedScan) -> tuple[Mask, tuple[str, ...]]:
    """The aneurysm's voxels in a box of the scan, and what was changed to obey the clicks."""
    outline = finding.outline
    mask = inner.share(outline.sac) >= outline.threshold
    if not finding.obeys:
        pieces, count = connected_components(mask)
        sizes = np.bincount(pieces.reshape(-1), minlength=2)[1:]
        return (pieces == 1 + sizes.argmax()) & (count > 0), ()
    start = [side.start for side in inner.target]

    def voxels(points: Sequence[Point]) -> npt.NDArray[np.int64]:
        return np.array(
            [np.subtract(nearest_voxel(point, scan.geometry), start) for point in points], np.int64
        ).reshape(-1, 3)

    return obey(mask, voxels(finding.wanted), voxels(finding.clicks.outside))


def only_aneurysm(labels: Volume, box: Box) -> tuple[Volume, Box]:
    """The aneurysm alone, in the smallest box that holds it."""
    mask = labels.array == ANEURYSM
    tight = bounding_box(mask)
    array = mask[tight].astype(np.uint8) * np.uint8(ANEURYSM)
    geometry = box_geometry(labels.geometry, tight)
    return Volume(array, geometry), moved(tight, [side.start for side in box])


def _lumen_of(field: Field) -> Floats:
    """The probability (k, j, i) of vessel or aneurysm."""
    return np.asarray(field.vessel + field.aneurysm)


@dataclass(frozen=True, eq=False)
class _Resampled:
    """A box of a field's values on the scan's own grid.

    Attributes:
        source: the box in the field.
        grid: its voxels.
        target: the box that it fills in the scan's grid.
        geometry: of the target.
        factor: by which the wall changes what the target's voxels hold of lumen.
    """

    source: Box
    grid: Geometry
    target: Box
    geometry: Geometry
    factor: Floats | float

    @classmethod
    def of(
        cls, finding: Finding, scan: PreparedScan, source: Box, wall: Wall | None
    ) -> _Resampled | None:
        """None where no voxel of the scan has its center in the box."""
        field = finding.field
        grid = box_geometry(scan.working.geometry, moved(source, field.start_kji))
        target = covering_box(grid, scan.geometry)
        if target is None:
            return None
        geometry = box_geometry(scan.geometry, target)
        plain = cls(source, grid, target, geometry, 1.0)
        if wall is None:
            return plain
        lumen, level, contrast = map(plain.share, (_lumen_of(field), wall.level, wall.contrast))
        return replace(plain, factor=lumen_factor(lumen, scan.scaled(target), level, contrast))

    def share(self, values: Floats) -> Floats:
        """A class's probability in the field, linear on the scan's grid, with the wall moved."""
        fine = probability_to_original(values[self.source], self.grid, self.geometry).array
        return np.asarray(fine * self.factor)


def _wall_around(finding: Finding, scan: PreparedScan, extent: Box) -> Wall:
    """The wall (k, j, i) in the finding's field, measured where it is needed and 0 elsewhere."""
    spacing_mm = scan.working.geometry.spacing[0]
    lumen = _lumen_of(finding.field)
    whole = box_of((0, 0, 0), lumen.shape)
    box = grown(extent, (_margin(scan) + reach(spacing_mm),) * 3, whole)
    image = scan.working.array[moved(box, finding.field.start_kji)]
    near = find_wall(lumen[box], image, spacing_mm)
    wall = Wall(np.zeros_like(lumen), np.zeros_like(lumen))
    wall.level[box], wall.contrast[box] = near.level, near.contrast
    return wall


def _margin(scan: PreparedScan) -> int:
    return math.ceil(MARGIN_MM / scan.working.geometry.spacing[0])


def _extent(finding: Finding, scan: PreparedScan) -> Box:
    """The box in the field of the outline, and of the clicks that it has to hold."""
    assert finding.outline.component is not None
    box = bounding_box(finding.outline.component)
    if not finding.obeys:
        return box
    working, start = scan.working.geometry, finding.field.start_kji
    limit = np.array(finding.field.seen.shape) - 1
    for point in finding.wanted:
        # The voxel of the scan that a click lies in may be half a voxel away.
        i, j, k = nearest_voxel(point, scan.geometry)[::-1]
        center = working.world_to_index(scan.geometry.index_to_world((i, j, k)))[::-1] - start
        first, last = (np.clip(f(center), 0, limit) for f in (np.floor, np.ceil))
        box = common_box([box, box_of(first, last - first + 1)])
    return box


def _grown(finding: Finding, extent: Box, margin: int) -> Box:
    return grown(extent, (margin,) * 3, box_of((0, 0, 0), finding.field.seen.shape))
