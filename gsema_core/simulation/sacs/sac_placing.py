"""Putting one sac on a wall, and the reasons not to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import pdist

from gsema_core.grids.components import NEIGHBORS_26, connected_components
from gsema_core.labels import ANEURYSM
from gsema_core.measurements.diameter import largest_diameter
from gsema_core.simulation.sacs.sac_shape import Floats, SacShape, frame_along
from gsema_core.simulation.sacs.sac_sites import Box, SacSite
from gsema_core.simulation.trees.artery_tree import ArteryTree

SUNK_MM = 0.25
"""How far the neck's plane lies inside the wall, so that no gap is left (a pilot's)."""

STUB_VOXELS = 2.0
"""How much deeper than the wall's sagitta the neck is continued inwards (a pilot's)."""

LEAST_HEIGHT_MM, LEAST_HEIGHT_SHARE = 1.3, 0.5
"""A sac is at least so high, and so high against its diameter; less is a flat cap that no scan
would show (a pilot's). Sacs under 2 mm are at least 0.65 of their diameter high (ours)."""

LEAST_MM3, LEAST_SPHERE = 4.0, 0.2
"""A sac has at least this volume, and this share of a sphere of its diameter (a pilot's). Small
sacs have half of that sphere instead of 4 mm3, which is a sphere of 2 mm (ours)."""

SIZE_ERROR = 0.3
"""How far the diameter may differ from the one wanted, where the wall cuts into a sac (ours)."""

TOUCH = 0.06
"""Share of the lumen near a sac that may lie away from its neck (a pilot's)."""

APART_VOXELS = 2
"""Nearer lumen counts as touching: a scan would not tell them apart."""

EDGE_MM = 2.0
"""A sac lies at least so far inside the field of view (ours)."""

MOUTH = 0.4
"""The least open area, as a share of the neck's (ours)."""

WRAPPING_MM = 7.0
"""From this diameter on a sac at a bifurcation may lie on the branches that leave there (ours)."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A sac on a tree's grid.

    Args:
        voxels: (n, 3) k, j, i, which were no lumen.
        diameter_mm: its largest one.
        neck_mm: the neck's width.
        volume_mm3: its volume.
        height_mm: how far it stands out from the wall.
    """

    voxels: npt.NDArray[np.integer[Any]]
    diameter_mm: float
    neck_mm: float
    volume_mm3: float
    height_mm: float


def place_sac(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    site: SacSite,
    shape: SacShape,
    diameter_mm: float,
    rng: np.random.Generator,
) -> Placed | str:
    """Find the voxels of a sac at a site; nothing is changed.

    Args:
        tree: the arteries.
        labels: as they are now.
        box: the field of view.
        site: where.
        shape: which.
        diameter_mm: what its largest diameter is to be.
        rng: turns it around its axis and makes it flatter or longer by up to a quarter.

    Returns:
        The sac, or why there is none.
    """
    middle = site.point + site.outward * (site.wall_mm - SUNK_MM) / tree.spacing
    # One that is hardly higher than a cap is not made flatter still.
    flattest = 1.15 * LEAST_HEIGHT_SHARE * shape.diameter_mm / shape.height_mm
    stretch = float(rng.uniform(np.clip(flattest, 0.85, 1.2), 1.25))
    longer = pdist(shape.points * (stretch, 1.0, 1.0)).max() / pdist(shape.points).max()
    scale = diameter_mm / shape.diameter_mm / longer
    neck_mm = shape.neck_radius_mm * scale
    frame = frame_along(site.outward, rng)
    points = middle + shape.points * (scale * stretch, scale, scale) @ frame / tree.spacing
    hindrance = _hindrance(tree, labels, box, site, points, middle, neck_mm)
    if hindrance:
        return hindrance
    corner, mask = _mask(labels, site, shape, scale, stretch, frame, middle, tree.spacing)
    new = mask & (labels[_slices(corner, mask.shape)] == 0)
    pieces, count = connected_components(new)
    if count == 0:
        return "nothing beyond the wall"
    sizes = np.bincount(pieces.ravel())[1:]
    if sizes.max() < 0.8 * sizes.sum():
        return "in pieces"
    new = pieces == 1 + sizes.argmax()
    voxels = np.argwhere(new) + corner
    placed = _measured(new, voxels, middle, site.outward, 2 * neck_mm, tree.spacing)
    if _leaves(voxels, box, EDGE_MM / tree.spacing):
        return "out of the box"
    if abs(placed.diameter_mm / diameter_mm - 1) > SIZE_ERROR:
        return "of another size"
    if is_cap(placed, diameter_mm):
        return "a flat cap"
    return _contact(tree, labels, site, new, corner, middle, neck_mm, diameter_mm) or placed


def _contact(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    site: SacSite,
    new: npt.NDArray[np.bool_],
    corner: npt.NDArray[Any],
    middle: Floats,
    neck_mm: float,
    diameter_mm: float,
) -> str | None:
    """What is wrong with how a sac touches the lumen."""
    part = labels[_slices(corner, new.shape)]
    lumen = part > 0
    near = ndimage.binary_dilation(new, NEIGHBORS_26, iterations=APART_VOXELS) & lumen
    if (part[near] == ANEURYSM).any():
        return "beside another aneurysm"
    mouth = (ndimage.binary_dilation(new) & lumen).sum() * tree.spacing**2
    if mouth < max(MOUTH * np.pi * neck_mm**2, 4 * tree.spacing**2):
        return "mouth closed"
    touching = np.argwhere(near) + corner
    if _touches_elsewhere(tree, touching, middle, neck_mm, site, diameter_mm):
        return "touches lumen away from its neck"
    return None


def _leaves(places: npt.NDArray[Any], box: Box, edge: float) -> bool:
    return bool((places < box[0] + edge).any() or (places >= box[1] - edge).any())


def _hindrance(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    site: SacSite,
    points: Floats,
    middle: Floats,
    neck_mm: float,
) -> str | None:
    """What a few points of the sac tell already, before its voxels are worked out."""
    if _leaves(points, box, EDGE_MM / tree.spacing):
        return "out of the box"
    places = np.clip(np.round(points).astype(int), 0, np.subtract(labels.shape, 1))
    away = np.linalg.norm(points - middle, axis=1) * tree.spacing
    hit = (labels[tuple(places.T)] > 0) & (away > neck_mm + 1.0 + site.radius_mm)
    return "touches lumen away from its neck" if hit.mean() > TOUCH else None


def is_cap(placed: Placed, diameter_mm: float) -> bool:
    """Whether a sac is too flat or too small to be told from a bulge of the wall."""
    sphere = np.pi / 6 * diameter_mm**3
    least = max(min(LEAST_MM3, 0.5 * sphere), LEAST_SPHERE * sphere)
    height = max(min(LEAST_HEIGHT_MM, 0.65 * diameter_mm), LEAST_HEIGHT_SHARE * diameter_mm)
    return placed.height_mm < height or placed.volume_mm3 < least


def _mask(
    labels: npt.NDArray[np.uint8],
    site: SacSite,
    shape: SacShape,
    scale: float,
    stretch: float,
    frame: Floats,
    middle: Floats,
    spacing: float,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The sac and what continues its neck to the lumen, in a box, and the box's corner."""
    ends = middle + shape.points * (scale * stretch, scale, scale) @ frame / spacing
    margin = (
        shape.neck_radius_mm * scale + 1.5
    ) / spacing  # of the stub, and of a point's own size
    corner = np.maximum(np.floor(ends.min(axis=0) - margin), 0).astype(int)
    stop = np.minimum(np.ceil(ends.max(axis=0) + margin) + 1, labels.shape).astype(int)
    grid = np.stack(np.meshgrid(*map(np.arange, corner, stop), indexing="ij"), axis=-1)
    own = (grid - middle) @ frame.T * spacing  # mm along the sac's axis and across
    neck, radius = shape.neck_radius_mm * scale, site.radius_mm
    sagitta = radius - np.sqrt(max(radius**2 - min(neck, radius) ** 2, 0.0))
    deepest = min(site.wall_mm, sagitta + STUB_VOXELS * spacing)
    height, aside = own[..., 0], np.hypot(own[..., 1], own[..., 2])
    source = own / scale
    # Beneath its plane the neck is continued as it is just above.
    source[..., 0] = np.maximum(height / (scale * stretch), 0.6 * shape.spacing)
    continued = (height >= 0) | ((height > -deepest) & (aside < 1.3 * neck + spacing))
    return corner, (shape.signed_mm(source) < 0) & continued


def _measured(
    mask: npt.NDArray[np.bool_],
    voxels: npt.NDArray[np.integer[Any]],
    middle: Floats,
    outward: Floats,
    neck_mm: float,
    spacing: float,
) -> Placed:
    edge: Floats = np.argwhere(mask & ~ndimage.binary_erosion(mask)) * np.float64(spacing)
    first, second = largest_diameter(edge, np.full(3, spacing))
    heights = (voxels - middle) @ outward * spacing
    return Placed(
        voxels, float(np.linalg.norm(second - first)), neck_mm, len(voxels) * spacing**3,
        float(np.percentile(heights, 95)) + spacing / 2,
    )  # fmt: skip


def _touches_elsewhere(
    tree: ArteryTree,
    touching: npt.NDArray[np.integer[Any]],
    middle: Floats,
    neck_mm: float,
    site: SacSite,
    diameter_mm: float,
) -> bool:
    away = np.linalg.norm(touching - middle, axis=1) * tree.spacing
    elsewhere = away > neck_mm + 1.0 + 0.6 * site.radius_mm
    if site.place == "bifurcation" and diameter_mm >= WRAPPING_MM and elsewhere.any():
        limit = 0.8 * diameter_mm + 3.0
        way = dijkstra(tree.graph, directed=False, indices=site.voxel, limit=limit)
        numbers = tree.number_at(touching)
        elsewhere &= ~((numbers >= 0) & np.isfinite(way[numbers]))
    return bool(elsewhere.mean() > TOUCH)


def _slices(corner: npt.NDArray[Any], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(int(low), int(low) + size) for low, size in zip(corner, shape, strict=True))
