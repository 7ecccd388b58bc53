"""Fusiform aneurysms: a piece of an artery that is widened, more to one side or all around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse.csgraph import connected_components as graph_components, dijkstra

from gsema_core.grids.components import NEIGHBORS_26
from gsema_core.simulation.sacs.sac_placing import APART_VOXELS, EDGE_MM, TOUCH
from gsema_core.simulation.sacs.sac_sites import Box
from gsema_core.simulation.trees.artery_tree import ArteryTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer[Any]]

STEP_MM = 0.8
"""Way along the artery of one piece, whose middle gives a point of the centerline (ours)."""

WIDER = (1.6, 2.6)
"""Range of how many times wider than the artery the widest place is (ours; from 1.5 on a widening
is called an aneurysm)."""

ASIDE = (0.0, 0.9)
"""Range of the shift to one side, as a share of what the radius grows by: 0 widens all around, 1
leaves the other wall where it was (ours)."""

PARTING = 1.4
"""Radius of a ball in the middle of an artery that leaves two sides of it, in radii (ours)."""

LEAST_MM3 = 4.0
"""Least volume of what is added, as of a sac."""


@dataclass(frozen=True, eq=False)
class _Segment:
    """A piece of an artery without branches.

    Args:
        way: (n,) mm along it from its middle, rising.
        points: (n, 3) its centerline in voxels.
        radius_mm: (n,) interpolated between those of its two ends.
        voxels: numbers of the tree's voxels near it.
    """

    way: Floats
    points: Floats
    radius_mm: Floats
    voxels: Ints


@dataclass(frozen=True, eq=False)
class Widened:
    """What a widening adds to the lumen.

    Args:
        sac: (n, 3) k, j, i beyond the artery's normal radius.
        vessel: (n, 3) within it, where the artery was narrower.
        widest_mm: diameter of the widest place.
    """

    sac: Ints
    vessel: Ints
    widest_mm: float


def widen(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    voxel: int,
    length_mm: float,
    rng: np.random.Generator,
) -> Widened | str:
    """Widen an artery around one of its medial voxels; nothing is changed.

    The aneurysm is what lies beyond the radius that the artery would have, interpolated between the
    two ends of the piece: the artery runs on within it.

    Args:
        tree: the arteries.
        labels: as they are now.
        box: the field of view.
        voxel: its number.
        length_mm: of the piece.
        rng: draws how wide, and to which side.

    Returns:
        What is added, or why nothing is.
    """
    widest = length_mm / 2 / float(tree.radius[voxel])  # a ball that is as wide as the piece long
    if widest < WIDER[0]:
        return "as wide as long"
    segment = _segment(tree, voxel, length_mm)
    if segment is None:
        return "divides or ends within the length"
    bulge = np.cos(np.pi * np.clip(segment.way / length_mm, -0.5, 0.5)) ** 2
    more = segment.radius_mm * (rng.uniform(WIDER[0], min(widest, WIDER[1])) - 1.0) * bulge
    along = segment.points[-1] - segment.points[0]
    aside = rng.standard_normal(3)
    aside -= (aside @ along) / (along @ along) * along
    aside *= rng.uniform(*ASIDE) / np.linalg.norm(aside)
    middles = segment.points + more[:, None] * aside / tree.spacing
    radii = segment.radius_mm + more
    pad = float(radii.max()) / tree.spacing + 3
    corner = np.maximum(np.floor(segment.points.min(axis=0) - 2 * pad), 0).astype(int)
    stop = np.minimum(np.ceil(segment.points.max(axis=0) + 2 * pad), labels.shape).astype(int)
    wide = _balls(corner, stop, middles, radii / tree.spacing)
    normal = _balls(corner, stop, segment.points, segment.radius_mm / tree.spacing)
    lumen = labels[tuple(map(slice, corner, stop))] > 0
    sac = wide & ~normal & ~lumen
    voxels = np.argwhere(sac) + corner
    if len(voxels) * tree.spacing**3 < LEAST_MM3:
        return "too little"
    edge = EDGE_MM / tree.spacing
    if (voxels < box[0] + edge).any() or (voxels >= box[1] - edge).any():
        return "out of the box"
    near = ndimage.binary_dilation(sac, NEIGHBORS_26, iterations=APART_VOXELS) & lumen
    touching = tree.number_at(np.argwhere(near) + corner)
    if not np.isin(touching, segment.voxels).mean() >= 1 - TOUCH:
        return "touches lumen of another artery"
    vessel = np.argwhere(wide & normal & ~lumen) + corner
    return Widened(voxels, vessel, 2 * float(radii.max()))


def _segment(tree: ArteryTree, voxel: int, length_mm: float) -> _Segment | None:
    """The artery around a voxel, as far as half of the length to both sides; None where it divides.

    Pieces of equal way are cut from the lumen on either side; each must hang together.
    """
    reach = length_mm / 2 + STEP_MM
    way = dijkstra(tree.graph, directed=False, indices=voxel, limit=reach + STEP_MM)
    near = np.flatnonzero(np.isfinite(way))
    # A ball must reach well beyond the wall to part the artery's two sides from each other.
    middle = PARTING * float(tree.radius[voxel]) + tree.spacing
    if middle >= length_mm / 2:
        return None
    far = near[way[near] > middle]
    count, side = graph_components(tree.graph[far][:, far], directed=False)
    if count != 2 or tree.in_sac[near].any():
        return None
    ways, points, radii = [0.0], [tree.voxels[voxel].astype(float)], [float(tree.radius[voxel])]
    for number, sign in ((0, -1.0), (1, 1.0)):
        own = far[side == number]
        if way[own].max() < reach:
            return None
        for start in np.arange(middle, reach, STEP_MM):
            piece = own[(way[own] >= start) & (way[own] < start + STEP_MM)]
            if not len(piece):
                return None
            if graph_components(tree.graph[piece][:, piece], directed=False)[0] > 1:
                return None
            ways.append(sign * (start + STEP_MM / 2))
            points.append(tree.voxels[piece].mean(axis=0))
            radii.append(float(tree.radius[piece].max()))
    order = np.argsort(ways)
    coarse = np.array(ways)[order]
    ends = coarse[[0, -1]], np.array(radii)[order][[0, -1]]
    fine = np.arange(coarse[0], coarse[-1], tree.spacing / 2)
    line = np.stack([np.interp(fine, coarse, axis) for axis in np.array(points)[order].T], axis=-1)
    line = ndimage.gaussian_filter1d(line, STEP_MM / (tree.spacing / 2), axis=0, mode="nearest")
    return _Segment(fine, line, np.interp(fine, *ends), near)


def _balls(corner: Ints, stop: Ints, middles: Floats, radii: Floats) -> npt.NDArray[np.bool_]:
    """The union of balls (voxels) in a box."""
    mask = np.zeros(stop - corner, bool)
    for middle, radius in zip(middles - corner, radii, strict=True):
        low = np.maximum(np.floor(middle - radius), 0).astype(int)
        high = np.minimum(np.ceil(middle + radius) + 1, mask.shape).astype(int)
        axes = np.ogrid[tuple(map(slice, low, high))]
        squared = sum((axis - m) ** 2 for axis, m in zip(axes, middle, strict=True))
        mask[tuple(map(slice, low, high))] |= squared <= radius**2
    return mask
