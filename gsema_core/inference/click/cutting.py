"""Cut off a part of an outline that a user does not want, where that changes least.

A voxel that a user clicked on as "not aneurysm" takes a part of the outline with it: what hangs on
the outline by less than the clicks inside do. The border is a minimum cut (Boykov & Jolly, ICCV
2001) between balls around both kinds of clicks, each the largest that fits into the outline there:
faces between voxels cost what the network believes in them, so that the cut lies in a narrow place,
such as a neck, or where the network doubts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from gsema_core.grids.axis_interpolation import Floats
from gsema_core.grids.boxes import Box, bounding_box, box_of, common_box, grown
from gsema_core.grids.components import connected_components

MARGIN = 24
"""Voxels around the clicks that a cut may lie in: 12 mm at the bundled teacher's spacing, as wide
as a large sac. A cut costs with its box. Ours."""

CAPACITY = 100
"""What a face costs where the network is sure, to count in whole numbers; 1 where it doubts."""

LARGEST_CUT = 0.4
"""Of the surface of what a cut leaves: a hemisphere on its vessel has a third. With more, the cut
has only cut out the clicks inside; what the clicks outside point at is taken off instead. Ours."""

UNCUTTABLE = 10**7
"""More than all faces of a box together."""

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Depth = npt.NDArray[np.float64]
"""Distances in voxels, such as those of a mask's voxels from what is around it."""


def cut_off(
    component: Mask, aneurysm: Floats, inside: npt.ArrayLike, outside: npt.ArrayLike
) -> Mask:
    """The part of a component that stays when clicks outside are cut off.

    Args:
        component: (k, j, i) the outline.
        aneurysm: (k, j, i) the probability of an aneurysm.
        inside: (n, 3) voxel positions k, j, i of clicks in the aneurysm, at least one.
        outside: (m, 3) of clicks on what is not part of it, at least one.

    Returns:
        (k, j, i) with the component's voxel nearest to each click inside. Where a click outside
        has the same nearest voxel, that is kept too: the grid cannot tell the two apart.
    """
    seeds, unwanted = (_nearest_voxels(component, points) for points in (inside, outside))
    around = common_box(box_of(voxel, (1, 1, 1)) for voxel in (*seeds, *unwanted))
    box = grown(around, (MARGIN,) * 3, bounding_box(component))
    start = [side.start for side in box]
    own = _kept(component[box], aneurysm[box], seeds - start, unwanted - start)
    kept = component.copy()
    kept[box] = own
    pieces, _ = connected_components(kept)
    return np.isin(pieces, pieces[tuple(seeds.T)]) & kept


def _kept(mask: Mask, aneurysm: Floats, seeds: Integers, unwanted: Integers) -> Mask:
    """The side of the seeds of the minimum cut of a box."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
    own = np.where(_nearer(mask.shape, seeds, unwanted), depth, 0.0)
    middles = np.array([_climb(own, seed) for seed in seeds])
    wanted = np.concatenate([middles, seeds])
    halfway = np.linalg.norm(unwanted[:, None] - wanted, axis=-1).min(axis=1) / 2
    sink = _balls(mask, unwanted, np.minimum(_radii(depth, unwanted), halfway))
    for voxel in unwanted:
        if (_climb(depth, voxel) == [_climb(depth, seed) for seed in seeds]).all(axis=1).any():
            sink |= _beyond(mask, voxel, wanted)
    source = _balls(mask, middles, _radii(depth, middles)) & ~sink
    source[tuple(seeds.T)], sink[tuple(seeds.T)] = True, False
    if not sink.any():
        return mask
    graph, first, last = _graph(mask, aneurysm, source, sink)
    flow = csgraph.maximum_flow(graph, first, last).flow
    rest = graph - flow
    rest.data = np.maximum(rest.data, 0)
    rest.eliminate_zeros()
    # What can still be filled from the wanted side is backwards what reaches the unwanted one:
    # of cuts that cost the same, the one that takes least off.
    lost = csgraph.breadth_first_order(rest.T.tocsr(), last, return_predecessors=False)
    kept = np.ones(graph.shape[0], dtype=bool)
    kept[lost] = False
    result = np.zeros(mask.shape, dtype=bool)
    result[mask] = kept[: int(mask.sum())]
    bite = mask & ~sink
    return (
        bite if _faces(result, mask & ~result) > LARGEST_CUT * _faces(result, ~result) else result
    )


def _faces(one: Mask, other: Mask) -> int:
    """How many faces two masks share; the border of the box is none."""
    count = 0
    for axis in range(3):
        first, second = np.moveaxis(one, axis, 0), np.moveaxis(other, axis, 0)
        count += int((first[:-1] & second[1:]).sum() + (first[1:] & second[:-1]).sum())
    return count


def _graph(
    mask: Mask, aneurysm: Floats, source: Mask, sink: Mask
) -> tuple[sparse.csr_matrix, int, int]:
    """The voxels of a mask joined by their faces, with a node for each kind of click at the end."""
    count = int(mask.sum())
    numbers = np.full(mask.shape, -1, dtype=np.int64)
    numbers[mask] = np.arange(count)
    rows, columns, costs = [], [], []
    for axis in range(3):
        one, other = (
            tuple(part if a == axis else slice(None) for a in range(3))
            for part in (slice(None, -1), slice(1, None))
        )
        both = mask[one] & mask[other]
        rows.append(numbers[one][both])
        columns.append(numbers[other][both])
        belief = np.minimum(aneurysm[one], aneurysm[other])[both]
        costs.append(1 + np.rint(CAPACITY * belief).astype(np.int64))
    row, column, cost = (np.concatenate(parts) for parts in (rows, columns, costs))
    first, last = count, count + 1
    starts, ends = numbers[source], numbers[sink]
    row, column, cost = (
        np.concatenate(parts)
        for parts in (
            (row, column, np.full(len(starts), first), ends),
            (column, row, starts, np.full(len(ends), last)),
            (cost, cost, np.full(len(starts) + len(ends), UNCUTTABLE)),
        )
    )
    graph = sparse.csr_matrix(
        (cost.astype(np.int32), (row.astype(np.int32), column.astype(np.int32))),
        shape=(count + 2, count + 2),
    )
    return graph, first, last


def _nearest_voxels(mask: Mask, points: npt.ArrayLike) -> Integers:
    """(n, 3) the mask's voxel nearest to each point."""
    voxels = np.argwhere(mask)
    places = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return np.array([voxels[((voxels - at) ** 2).sum(axis=1).argmin()] for at in places])


def _nearer(shape: tuple[int, ...], seeds: Integers, unwanted: Integers) -> Mask:
    """The voxels that are nearer to a seed than to what is unwanted."""
    voxels = np.indices(shape, dtype=np.float32)

    def away(points: Integers) -> Depth:
        each = [((voxels - at[:, None, None, None]) ** 2).sum(axis=0) for at in points]
        return np.asarray(np.min(each, axis=0), np.float64)

    return np.asarray(away(seeds) < away(unwanted))


def _climb(depth: Depth, voxel: Integers) -> Integers:
    """From a voxel to deeper neighbors, until none is deeper."""
    while True:
        box: Box = tuple(slice(max(0, n - 1), n + 2) for n in voxel)
        near = depth[box]
        best = np.add(np.unravel_index(near.argmax(), near.shape), [side.start for side in box])
        if depth[tuple(best)] <= depth[tuple(voxel)]:
            return voxel
        voxel = best


def _beyond(mask: Mask, voxel: Integers, wanted: Integers) -> Mask:
    """What lies behind a voxel, seen from the wanted one that is nearest, and nearer to no other.

    Without a narrow place between the two, the least cut would be a hole around the voxel.
    """
    away = np.linalg.norm(wanted - voxel, axis=1)
    nearest = wanted[np.where(away > 0, away, np.inf).argmin()]
    offsets = np.argwhere(mask) - voxel
    behind = offsets @ (voxel - nearest) >= 0
    for place in wanted[away > 0]:
        behind &= (offsets**2).sum(axis=1) < ((offsets + voxel - place) ** 2).sum(axis=1)
    result = np.zeros(mask.shape, dtype=bool)
    result[mask] = behind
    return result


def _radii(depth: Depth, centers: Integers) -> Depth:
    """Of the largest balls around centers that fit in, in voxels."""
    return np.asarray(depth[tuple(centers.T)]) - 0.5


def _balls(mask: Mask, centers: Integers, radii: Depth) -> Mask:
    """The voxels of a mask in balls, which have their center at least."""
    balls = np.zeros(mask.shape, dtype=bool)
    whole = box_of((0, 0, 0), mask.shape)
    for center, radius in zip(centers, radii, strict=True):
        box = grown(box_of(center, (1, 1, 1)), (int(np.ceil(radius)),) * 3, whole)
        away = np.indices([side.stop - side.start for side in box])
        away += np.array([side.start for side in box] - center)[:, None, None, None]
        balls[box] |= (away**2).sum(axis=0) <= radius**2
        balls[tuple(center)] = True
    return np.asarray(balls & mask)
