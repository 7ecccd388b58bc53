"""One rule for where an aneurysm ends and its vessel begins: a taut membrane across the neck.

Experts and label maps divide sac and vessel each in their own way, often along ragged lines. The
rule moves the given division, within a band around it, to the surface S across the lumen that makes

    area(S) + stiffness * integral of |way to the given division| over what changes sides

least. The first term alone would slide off a broad neck onto the dome, where sections are smaller;
the second holds the membrane near what was given. The least is found exactly, as a cut of least
capacity in a graph of voxels (Boykov & Kolmogorov, "Computing geodesics and minimal surfaces via
graph cuts", ICCV 2003), whose edges to 26 neighbors are weighted so that a cut's capacity is about
the surface's area in any direction (their equation for 3D).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from gsema_core.grids.boxes import bounding_box, box_of, grown
from gsema_core.grids.components import NEIGHBORS_26, connected_components
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.simulation.trees.voxel_graph import OFFSETS

Mask = npt.NDArray[np.bool_]

BAND = 0.6
"""Half of the band's width, as a share of the neck's radius (ours)."""

NARROWEST_BAND_VOXELS = 2.5
"""The same at a narrow neck: less could not move a line that is off by two voxels (ours)."""

STIFFNESS = 10.0
"""Times one over the squared radius of the neck. A hemisphere on a plane, whose sections shrink as
1 - (h / r)^2, keeps its base from 2 on. Of 4, 10 and 25 tried on 13 sacs of the IntrA trees, 4 cut
a quarter off small broad ones and pulled the neck of one down into its parent, 25 left the lines
half as ragged as they were; 10 did neither."""

SOLID_ANGLES = {1: 0.0457780, 2: 0.0369806, 3: 0.0351956}
"""Share of the sphere nearest to one of the 26 directions, by the number of axes that it takes."""

PER_VOXEL_FACE = 10000
"""Capacities are whole numbers: so many for the area of a voxel's face."""


def divide(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Divide every aneurysm of a label map from its vessel anew.

    Nothing but what is vessel or aneurysm near a neck changes; the lumen stays. Aneurysms that
    touch no vessel stay as they are.

    Args:
        labels: (k, j, i): 0 background, 1 vessel, 2 aneurysm; isotropic voxels.

    Returns:
        A new label map.

    Example:
        >>> divide(np.array([[[1, 1, 2, 2, 0]]], np.uint8)).tolist()
        [[[1, 1, 2, 2, 0]]]
    """
    divided = labels.copy()
    sacs = np.zeros(labels.shape, np.int32)
    if (labels == ANEURYSM).any():
        around = bounding_box(labels == ANEURYSM)  # a whole tree is large, its sacs are few
        sacs[around] = connected_components(labels[around] == ANEURYSM)[0]
    for number, found in enumerate(ndimage.find_objects(sacs), start=1):
        radius = _neck_radius(sacs[found] == number, labels, found)
        margin = int(np.ceil(max(BAND * radius, NARROWEST_BAND_VOXELS))) + 2
        box = grown(found, (margin,) * 3, box_of((0, 0, 0), labels.shape))
        sac = sacs[box] == number
        if not radius:
            continue
        new = _cut(sac, divided[box] == VESSEL, radius)
        part = divided[box]
        part[sac & ~new] = VESSEL
        part[new] = ANEURYSM
    return divided


def _neck_radius(sac: Mask, labels: npt.NDArray[np.uint8], box: tuple[slice, ...]) -> float:
    """Radius in voxels of a circle about as large as the opening; 0 where there is none."""
    wide = grown(box, (1, 1, 1), box_of((0, 0, 0), labels.shape))
    low = [inner.start - outer.start for inner, outer in zip(box, wide, strict=True)]
    mask = np.zeros([side.stop - side.start for side in wide], bool)
    mask[box_of(low, sac.shape)] = sac
    opening = ndimage.binary_dilation(mask) & (labels[wide] == VESSEL)
    return float(np.sqrt(opening.sum() / np.pi))


def _cut(sac: Mask, vessel: Mask, radius: float) -> Mask:
    """The sac's mask as the membrane bounds it; lengths in voxels."""
    # From a voxel's center to the division, which lies half a voxel before the nearest one beyond.
    way = np.where(
        sac,
        ndimage.distance_transform_edt(~vessel),
        ndimage.distance_transform_edt(~sac),
    )
    way = np.maximum(way - 0.5, 0.0)
    free = (sac | vessel) & (way < max(BAND * radius, NARROWEST_BAND_VOXELS))
    flow = _graph(sac, vessel, free, way, STIFFNESS / radius**2)
    graph, count = flow
    result = maximum_flow(graph, count, count + 1)
    residual = graph - result.flow
    residual.data[residual.data < 0] = 0
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, count, return_predecessors=False)
    inside = np.zeros(count + 2, bool)
    inside[reached] = True
    new = sac & ~free
    new[free] = inside[:count]
    return _tidy(new, sac | vessel, sac)


def _graph(
    sac: Mask, vessel: Mask, free: Mask, way: npt.NDArray[np.float64], stiffness: float
) -> tuple[Any, int]:
    """Capacities between the free voxels, the source (sac) and the sink (vessel)."""
    count = int(free.sum())
    source, sink = count, count + 1
    numbers = np.full(free.shape, -1)
    numbers[sac & ~free], numbers[vessel & ~free] = source, sink
    numbers[free] = np.arange(count)
    padded = np.pad(numbers, 1, constant_values=-1)
    ones, others, capacities = [], [], []
    middle = padded[1:-1, 1:-1, 1:-1]
    for offset in OFFSETS:
        neighbor = padded[box_of(offset + 1, free.shape)]
        joined = (middle >= 0) & (neighbor >= 0) & (middle != neighbor)
        joined &= (middle < count) | (neighbor < count)
        for step in _steps_between(offset):
            joined &= padded[box_of(step + 1, free.shape)] >= 0
        axes = int(np.abs(offset).sum())
        weight = 4.0 * SOLID_ANGLES[axes] / np.sqrt(axes)
        ones.append(middle[joined])
        others.append(neighbor[joined])
        capacities.append(np.full(int(joined.sum()), weight))
    one, other = np.concatenate(ones), np.concatenate(others)
    area = np.concatenate(capacities)
    held = stiffness * way[free]
    was_sac = sac[free]
    node = np.arange(count)
    rows = [one, other, np.full(int(was_sac.sum()), source), node[~was_sac]]
    columns = [other, one, node[was_sac], np.full(int((~was_sac).sum()), sink)]
    values = np.concatenate([area, area, held[was_sac], held[~was_sac]]) * PER_VOXEL_FACE
    row, column = np.concatenate(rows), np.concatenate(columns)
    kept = (row != sink) & (column != source)  # nothing flows out of the sink or into the source
    matrix = coo_matrix(
        (np.round(values[kept]).astype(np.int32), (row[kept], column[kept])), (count + 2,) * 2
    )
    return matrix.tocsr().astype(np.int32), count


def _steps_between(offset: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """The other voxels of the block that a voxel and a diagonal neighbor span.

    Only where all of it is lumen do the two count as neighbors: else those of the sac's rim would
    reach around the edge to the vessel beside it, and the membrane would shun the rim.
    """
    steps = itertools.product(*[{0, int(part)} for part in offset])
    return [np.array(step) for step in steps if any(step) and step != tuple(offset.tolist())]


def _tidy(new: Mask, lumen: Mask, sac: Mask) -> Mask:
    """One piece of aneurysm, and no crumb of the old one left as a vessel inside it."""
    pieces, count = connected_components(new)
    if count == 0:
        return sac
    if count > 1:
        new = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    rest, _ = connected_components(lumen & ~new)
    outside = np.unique(rest[lumen & ~sac])
    crumbs = (rest > 0) & ~np.isin(rest, outside)
    return np.asarray(new | (crumbs & ndimage.binary_dilation(new, NEIGHBORS_26, 2)))
