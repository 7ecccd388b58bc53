"""The aneurysm that a click found, from the working grid to the scan's own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gsema_core.grids import Geometry, Volume
from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.boxes import (
    Box,
    bounding_box,
    box_geometry,
    box_of,
    covering_box,
    grown,
    moved,
)
from gsema_core.grids.components import connected_components
from gsema_core.inference.click.field import Field
from gsema_core.inference.click.finding import Finding
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


def restore(
    finding: Finding, scan: PreparedScan, vessels: bool = True, walls: bool = False
) -> tuple[Volume, Box] | None:
    """Bring an aneurysm and the vessels around it back to the scan's own grid.

    Nothing but a box is interpolated. A voxel of the scan belongs to the aneurysm if the
    probability, linear between the working grid's voxels, reaches the threshold. Voxels of other
    components count as 0, which changes nothing beside this one: between two components there is
    always a voxel below the threshold. Vessel is what is likelier vessel than background.

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
    field, component = finding.field, finding.component
    if component is None:
        return None
    elsewhere = ~component & (field.aneurysm >= finding.threshold)
    sac = np.where(elsewhere, np.float32(0), field.aneurysm)
    wall = _wall_around(finding, scan) if walls else None
    margin = 1 if wall is None else WALL_VOXELS
    restored = _Restored.of(finding, scan, _box_around(finding, margin), wall)
    if restored is None:
        return None
    pieces, count = connected_components(restored.share(sac) >= finding.threshold)
    if count == 0:
        return None
    largest = pieces == 1 + np.bincount(pieces.reshape(-1))[1:].argmax()
    if not vessels:
        only = largest * np.uint8(ANEURYSM)
        return Volume(only, restored.geometry), restored.target

    wide = _Restored.of(finding, scan, _box_around(finding, _margin(scan)), wall)
    assert wide is not None  # the wider box has all voxels of the narrow one
    vessel = wide.share(np.where(elsewhere, np.float32(0), field.vessel))
    likelier = vessel > 1 - wide.share(_lumen_of(field))
    labels = np.where(likelier, np.uint8(VESSEL), np.uint8(BACKGROUND))
    inner = moved(restored.target, [-side.start for side in wide.target])
    labels[inner][largest] = ANEURYSM
    return Volume(labels, wide.geometry), wide.target


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
class _Restored:
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
    ) -> _Restored | None:
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


def _wall_around(finding: Finding, scan: PreparedScan) -> Wall:
    """The wall (k, j, i) in the finding's field, measured where it is needed and 0 elsewhere."""
    spacing_mm = scan.working.geometry.spacing[0]
    box = _box_around(finding, _margin(scan) + reach(spacing_mm))
    lumen = _lumen_of(finding.field)
    image = scan.working.array[moved(box, finding.field.start_kji)]
    near = find_wall(lumen[box], image, spacing_mm)
    whole = Wall(np.zeros_like(lumen), np.zeros_like(lumen))
    whole.level[box], whole.contrast[box] = near.level, near.contrast
    return whole


def _margin(scan: PreparedScan) -> int:
    return math.ceil(MARGIN_MM / scan.working.geometry.spacing[0])


def _box_around(finding: Finding, margin: int) -> Box:
    assert finding.component is not None
    whole = box_of((0, 0, 0), finding.component.shape)
    return grown(bounding_box(finding.component), (margin,) * 3, whole)
