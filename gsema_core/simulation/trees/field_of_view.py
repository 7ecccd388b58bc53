"""What part of the head a scan stores, and in how large voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.grids import Geometry
from gsema_core.simulation.trees.artery_tree import ArteryTree

SMALLEST_MM, LARGEST_MM = 40.0, 130.0
"""Sides of the field, from a magnified run on one aneurysm to a whole head."""

FINEST_MM, COARSEST_MM = 0.15, 0.6
"""Sides of a stored voxel."""

FEWEST_VOXELS, MOST_VOXELS = 1.5e6, 20e6
"""Voxels of a volume: 114^3 to 271^3 (ours: 512^3 takes ten times as long to reconstruct, and adds
nothing at the 0.5 mm of the network). Fine voxels therefore come with small fields, as they do on
a C-arm, whose matrix is fixed."""

INSIDE_MM = 3.0
"""An aneurysm that a field is drawn around lies at least so far inside of it, where it fits."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """A box along the axes of the tree's grid.

    Args:
        center: (3,) k, j, i in voxels of the tree, which may be fractions.
        size_mm: (3,) sides along k, j, i.
        spacing_mm: side of a stored voxel.
    """

    center: npt.NDArray[np.float64]
    size_mm: npt.NDArray[np.float64]
    spacing_mm: float

    def box(self, tree: ArteryTree) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The lowest indices k, j, i on the tree's grid, and those one beyond the highest."""
        half = self.size_mm / 2 / tree.spacing
        low = np.maximum(np.round(self.center - half), 0).astype(int)
        high = np.minimum(np.round(self.center + half), tree.labels.shape).astype(int)
        return low, high

    def geometry(self, tree: ArteryTree) -> Geometry:
        """A grid of the tree's spacing over the field, which may reach beyond the tree's."""
        size = np.maximum(1, np.round(self.size_mm / tree.spacing)).astype(int)[::-1]
        middle = tree.geometry.index_to_world(self.center[::-1])
        axes = tree.geometry.direction_matrix
        origin = middle - axes @ ((size - 1) / 2 * tree.spacing)
        spacing = (tree.spacing,) * 3
        return Geometry(tuple(size), spacing, tuple(origin), tree.geometry.direction)

    def to_dict(self) -> dict[str, Any]:
        """For a record."""
        return {
            "center_kji": [round(float(value), 1) for value in self.center],
            "size_mm": [round(float(value), 2) for value in self.size_mm],
            "spacing_mm": round(self.spacing_mm, 4),
        }


def draw_field(
    tree: ArteryTree,
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
    rng: np.random.Generator,
    largest_mm: float = LARGEST_MM,
) -> FieldOfView:
    """Draw a field anywhere around what is to lie in it.

    Args:
        tree: the arteries.
        low, high: (3,) k, j, i of the box around it: a sac, or one voxel of a vessel.
        rng: draws everything.
        largest_mm: sides up to this.
    """
    side = np.exp(rng.uniform(*np.log([SMALLEST_MM, largest_mm])))
    size = np.clip(side * rng.uniform(0.85, 1.15, 3), SMALLEST_MM, largest_mm)
    middle, extent = (np.add(low, high) - 1) / 2, np.subtract(high, low) * tree.spacing
    reach = np.maximum((size - extent) / 2 - INSIDE_MM, 0.0) / tree.spacing
    center = middle + rng.uniform(-1.0, 1.0, 3) * reach
    # A field beyond the arteries shows nothing: where it can, it stays within their extent.
    half = size / 2 / tree.spacing
    lowest, highest = tree.voxels.min(axis=0) + half, tree.voxels.max(axis=0) - half
    kept = np.where(lowest < highest, np.clip(center, lowest, highest), (lowest + highest) / 2)
    share = rng.uniform(0.0, 0.3, 3)  # ... but for a part of the way
    center = np.clip(share * center + (1 - share) * kept, middle - reach, middle + reach)
    return FieldOfView(center, size, draw_spacing(size, rng))


def draw_spacing(size_mm: npt.NDArray[np.float64], rng: np.random.Generator) -> float:
    """Draw the side of a voxel, so that the volume has a usual number of them."""
    voxels = np.exp(rng.uniform(*np.log([FEWEST_VOXELS, MOST_VOXELS])))
    return float(np.clip(np.cbrt(np.prod(size_mm) / voxels), FINEST_MM, COARSEST_MM))
