"""The last resort for clicks that an answer does not obey: change as few voxels as possible."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.components import NEIGHBORS_26, connected_components

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


def obey(mask: Mask, inside: Integers, outside: Integers) -> tuple[Mask, tuple[str, ...]]:
    """Make a mask one piece that holds some voxels and does not hold others.

    It keeps the pieces with voxels that are wanted, or else the largest one; what is missing is
    joined by the shortest way around the unwanted voxels.

    Args:
        mask: (k, j, i) of the aneurysm.
        inside: (n, 3) voxels k, j, i that are wanted.
        outside: (m, 3) that are not, none of them wanted; they may lie beyond the mask.

    Returns:
        The piece, and a sentence for each kind of change.
    """
    free = np.ones(mask.shape, dtype=bool)
    within = ((outside >= 0) & (outside < mask.shape)).all(axis=1)
    free[tuple(outside[within].T)] = False
    taken = int((mask & ~free).sum())
    pieces, count = connected_components(mask & free)
    wanted = [int(pieces[tuple(voxel)]) for voxel in inside]
    held = sorted({number for number in wanted if number})
    if not held and count:
        held = [1 + int(np.bincount(pieces.reshape(-1))[1:].argmax())]
    parts = [pieces == number for number in held]
    for voxel in inside[[number == 0 for number in wanted]]:
        parts.append(np.zeros_like(mask))
        parts[-1][tuple(voxel)] = True
    if not parts:
        return np.zeros_like(mask), ()
    largest = int(np.argmax([part.sum() for part in parts]))
    result = parts.pop(largest)
    before = result.sum() + sum(int((part & mask).sum()) for part in parts)
    for part in parts:
        result = result | part | _way(result, part, free)
    added = int(result.sum() - before)
    notes = []
    if taken:
        notes.append(f"{taken} voxel(s) marked as not aneurysm were taken off.")
    if added:
        notes.append(f"{added} voxel(s) were added to hold all points marked as aneurysm.")
    return result, tuple(notes)


def _way(one: Mask, other: Mask, free: Mask) -> Mask:
    """The voxels of a shortest way from a mask to another, through what is free."""
    steps = np.where(one, 0, -1)
    reached, step = one, 0
    while not (reached & other).any():
        wider = ndimage.binary_dilation(reached, NEIGHBORS_26) & free
        if (wider == reached).all():
            return np.zeros_like(one)  # unwanted voxels all around: no way
        step += 1
        steps[wider & ~reached] = step
        reached = wider
    way = np.zeros_like(one)
    voxel = np.argwhere(reached & other)[0]
    while step > 0:
        way[tuple(voxel)] = True
        box = tuple(slice(max(0, n - 1), n + 2) for n in voxel)
        step -= 1
        back = np.argwhere(steps[box] == step)
        corner = np.array([side.start for side in box])
        voxel = (back + corner)[np.abs(back + corner - voxel).sum(axis=1).argmin()]
    return way
