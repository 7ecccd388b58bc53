"""Label maps of parametric vessel trees with one or two saccular aneurysms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.grids import Geometry, Volume
from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM, BACKGROUND, VESSEL
from gsema_core.simulation.sacs.parametric_sac import Ball, draw_sac
from gsema_core.simulation.vessel_tree import VesselTree, grow_vessel_tree

Mask = npt.NDArray[np.bool_]

SECOND_SAC = 0.25
"""Share of phantoms with two sacs; about a fifth of patients have several aneurysms."""

TRIES = 12
"""Sites compared for each sac; the one that overlaps the fewest arteries is taken (ours)."""


SMALLEST_MM, COARSEST_MM = 16.0, 2.0
"""Where a 3 mm sac still fits in, and where it still covers voxels."""


def make_phantom(seed: int, size_mm: float = 64.0, spacing_mm: float = 0.4) -> Volume:
    """Return a label map: 0 background, 1 vessel, 2 aneurysm.

    All vessels and sacs form one component (26 neighbors), and there is always an aneurysm.

    Args:
        seed: the same seed gives the same voxels.
        size_mm: side of the cube. The anatomy scales with it, but not the widths of the arteries.
        spacing_mm: isotropic; the cube's middle is the world's origin.

    Raises:
        UserError: the field is too small or the spacing too coarse.
    """
    if not (size_mm >= SMALLEST_MM and 0 < spacing_mm <= COARSEST_MM):
        raise UserError(
            f"A phantom of {size_mm} mm at {spacing_mm} mm is not possible: choose a size from "
            f"{SMALLEST_MM:g} mm on and a spacing up to {COARSEST_MM:g} mm."
        )
    rng = np.random.default_rng(seed)
    size = round(size_mm / spacing_mm)
    origin = -(size - 1) / 2 * spacing_mm
    geometry = Geometry((size,) * 3, (spacing_mm,) * 3, (origin,) * 3)
    labels = _draw(geometry, rng, size_mm)
    while not (labels == ANEURYSM).any():  # on a coarse grid a small sac can drown in a vessel
        labels = _draw(geometry, rng, size_mm)
    return Volume(labels, geometry)


def _draw(geometry: Geometry, rng: np.random.Generator, size_mm: float) -> npt.NDArray[np.uint8]:
    tree = grow_vessel_tree(rng, size_mm)
    vessel = _draw_tree(tree, geometry)
    sac = np.zeros_like(vessel)
    for _ in range(2 if rng.random() < SECOND_SAC else 1):
        sac |= _best_sac(tree, vessel, sac, geometry, rng, size_mm)
    labels = np.where(vessel, VESSEL, np.where(sac, ANEURYSM, BACKGROUND)).astype(np.uint8)
    return _without_islands(labels)


def _draw_tree(tree: VesselTree, geometry: Geometry) -> Mask:
    """Union of balls along the centerlines; never thinner than the grid can hold."""
    spacing = geometry.spacing[0]
    mask = np.zeros(geometry.shape, bool)
    for branch in tree.branches:
        for point, radius in zip(branch.points, branch.radii, strict=True):
            # Half a voxel's diagonal is 0.87 spacings: such a ball always holds a voxel center.
            width = max(float(radius), 0.9 * spacing)
            _paint(mask, Ball(point, np.eye(3)[2], width, width), geometry)
    return mask


def _best_sac(
    tree: VesselTree,
    vessel: Mask,
    others: Mask,
    geometry: Geometry,
    rng: np.random.Generator,
    size_mm: float,
) -> Mask:
    """The sac, of several draws, of which the smallest share lies in what is already there."""
    taken = vessel | others
    best, least = np.zeros_like(vessel), np.inf
    for _ in range(TRIES):
        mask = np.zeros_like(vessel)
        for ball in draw_sac(tree, rng, size_mm):
            _paint(mask, ball, geometry)
        if not (mask & vessel).any():  # a coarse grid can lose the neck
            continue
        overlap = float((mask & taken).sum() / mask.sum())
        if overlap < least:
            best, least = mask, overlap
    return best


def _paint(mask: Mask, ball: Ball, geometry: Geometry) -> None:
    """Set the voxels whose centers lie in the ball."""
    middle = geometry.world_to_index(ball.center)[::-1]
    reach = max(ball.along, ball.across) / geometry.spacing[0]
    box = tuple(
        slice(max(0, int(np.floor(m - reach))), min(n, int(np.ceil(m + reach)) + 1))
        for m, n in zip(middle, mask.shape, strict=True)
    )
    if any(part.stop <= part.start for part in box):
        return
    k, j, i = np.meshgrid(*(np.arange(part.start, part.stop) for part in box), indexing="ij")
    points = np.stack([i, j, k], axis=-1) * geometry.spacing[0] + np.array(geometry.origin)
    mask[box] |= ball.contains(points)


def _without_islands(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Keep the largest component; a vessel that the field's faces cut off is an island."""
    components, _ = connected_components(labels > 0)
    sizes = np.bincount(components.ravel())[1:]
    return np.where(components == 1 + sizes.argmax(), labels, 0).astype(np.uint8)
