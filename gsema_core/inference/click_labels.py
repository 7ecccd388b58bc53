"""The aneurysm that a click found, from the working grid to the scan's own."""

from __future__ import annotations

import math

import numpy as np

from gsema_core.inference.click import Finding
from gsema_core.inference.prepared import PreparedScan
from gsema_core.inference.surroundings import Field, Floats
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.volumes import Volume, probability_to_original
from gsema_core.volumes.boxes import (
    Box,
    bounding_box,
    box_geometry,
    box_of,
    covering_box,
    grown,
    moved,
)
from gsema_core.volumes.components import connected_components

MARGIN_MM = 5.0
"""How far around an aneurysm its vessels are restored, for measuring. Ours, for speed: the
neck and the parent vessel beside it lie within."""


def restore(
    finding: Finding, scan: PreparedScan, vessels: bool = True
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
    interpolated = _on_scans_grid(sac, _box_around(finding, 1), field, scan)
    if interpolated is None:
        return None
    probability, box = interpolated
    pieces, count = connected_components(probability >= finding.threshold)
    if count == 0:
        return None
    largest = pieces == 1 + np.bincount(pieces.reshape(-1))[1:].argmax()
    if not vessels:
        only = largest * np.uint8(ANEURYSM)
        return Volume(only, box_geometry(scan.geometry, box)), box

    balance = field.probabilities[VESSEL] - field.probabilities[BACKGROUND]
    margin = math.ceil(MARGIN_MM / scan.working.geometry.spacing[0])
    balance = np.where(elsewhere, np.float32(0), balance)
    interpolated = _on_scans_grid(balance, _box_around(finding, margin), field, scan)
    assert interpolated is not None  # the wider box has all voxels of the narrow one
    likelier, wide = interpolated
    labels = np.where(likelier > 0, np.uint8(VESSEL), np.uint8(BACKGROUND))
    labels[moved(box, [-side.start for side in wide])][largest] = ANEURYSM
    return Volume(labels, box_geometry(scan.geometry, wide)), wide


def only_aneurysm(labels: Volume, box: Box) -> tuple[Volume, Box]:
    """The aneurysm alone, in the smallest box that holds it."""
    mask = labels.array == ANEURYSM
    tight = bounding_box(mask)
    array = mask[tight].astype(np.uint8) * np.uint8(ANEURYSM)
    geometry = box_geometry(labels.geometry, tight)
    return Volume(array, geometry), moved(tight, [side.start for side in box])


def _box_around(finding: Finding, margin: int) -> Box:
    assert finding.component is not None
    whole = box_of((0, 0, 0), finding.component.shape)
    return grown(bounding_box(finding.component), (margin,) * 3, whole)


def _on_scans_grid(
    values: Floats, box: Box, field: Field, scan: PreparedScan
) -> tuple[Floats, Box] | None:
    """A box of a field's values, linear on the scan's own grid, and the box that they fill there.

    Returns:
        None where no voxel of the scan has its center in the box.
    """
    source = box_geometry(scan.working.geometry, moved(box, field.start_kji))
    target = covering_box(source, scan.geometry)
    if target is None:
        return None
    wanted = box_geometry(scan.geometry, target)
    return probability_to_original(values[box], source, wanted).array, target
