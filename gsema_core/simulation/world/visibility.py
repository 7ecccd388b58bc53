"""What of an artery tree a scan shows: contrast within the field, labels where it is visible."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM
from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.trees.injection import sac_share

Floats = npt.NDArray[np.float32]
Box = tuple[npt.NDArray[Any], npt.NDArray[Any]]

VISIBLE = 0.2
"""Contrast, as a share of the field's brightest arteries, below which nothing is labelled: a reader
would not see it beside them (that of a pilot)."""

FILLED = 0.35
"""Contrast from which an aneurysm is shown well enough to be one that the plan counts (ours)."""

BRIGHTEST = 95.0
"""Percentile of the contrast of arteries within the field that counts as 1."""

WIDE_MM = 0.8
"""Least radius of the arteries that set it: thin ends are dim by themselves."""

SPECK_MM3 = 10.0
"""Smaller loose pieces of what is visible are left out of the image and the labels (ours)."""


def within(tree: ArteryTree, box: Box) -> npt.NDArray[np.bool_]:
    """(N,) which voxels of the tree lie in a box."""
    return np.asarray(np.all((tree.voxels >= box[0]) & (tree.voxels < box[1]), axis=1))


def shown(tree: ArteryTree, filling: Floats, box: Box) -> Floats | None:
    """The filling as a share of the field's brightest arteries; invisible contrast falls off.

    Args:
        tree: the arteries.
        filling: (N,) contrast of an injection.
        box: the field of view.

    Returns:
        (N,) up to 1.3, below `VISIBLE` falling quickly to 0, or None where the field shows none.
    """
    inside = within(tree, box)
    wide = inside & (tree.radius >= WIDE_MM)
    chosen = wide if wide.sum() > 100 else inside
    top = float(np.percentile(filling[chosen], BRIGHTEST)) if chosen.any() else 0.0
    if top < 1e-3:
        return None
    share = np.minimum(filling / np.float32(top), np.float32(1.3))
    faint = share * (share / VISIBLE) ** 2
    share = np.where(share < VISIBLE, faint, share).astype(np.float32)
    return _without_specks(tree, share)


def _without_specks(tree: ArteryTree, share: Floats) -> Floats:
    """Nothing where what is visible hangs together in no more than a speck, over the whole tree."""
    seen = share >= VISIBLE
    if not seen.any():
        return share
    low, high = tree.voxels[seen].min(axis=0), tree.voxels[seen].max(axis=0) + 1
    mask = np.zeros(high - low, bool)
    places = tuple((tree.voxels[seen] - low).T)
    mask[places] = True
    part = connected_components(mask)[0][places]
    small = np.bincount(part)[part] * tree.spacing**3 < SPECK_MM3
    share = share.copy()
    share[np.flatnonzero(seen)[small]] = 0.0
    return share


def fill_volume(
    tree: ArteryTree,
    share: Floats,
    labels: npt.NDArray[np.uint8],
    box: Box,
    rng: np.random.Generator,
) -> Floats:
    """The contrast within a box of a changed label map.

    What a change added is filled as the nearest voxel of the tree is, a new sac evenly.

    Args:
        tree: the arteries before the change.
        share: (N,) contrast of the tree's voxels.
        labels: (k, j, i) the whole map after it.
        box: the part wanted.
        rng: draws how a new sac is filled.

    Returns:
        (k, j, i) of the box; 0 outside the lumen.
    """
    part = labels[_slices(box)]
    volume = np.zeros(part.shape, np.float32)
    inside = within(tree, box)
    volume[tuple((tree.voxels[inside] - box[0]).T)] = share[inside]
    volume[part == 0] = 0.0
    lumen = np.argwhere(part > 0)
    new = lumen[tree.number_at(lumen + box[0]) < 0]
    if len(new):
        nearest = cKDTree(tree.voxels).query(new + box[0])[1]
        volume[tuple(new.T)] = share[nearest]
        sacs, count = connected_components(part == ANEURYSM)
        added = sacs[tuple(new.T)]
        for number in range(1, count + 1):
            if (added == number).any():
                sac = sacs == number
                volume[sac] = np.median(volume[sac]) * sac_share(rng)
    return volume


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(int(low), int(high)) for low, high in zip(*box, strict=True))
