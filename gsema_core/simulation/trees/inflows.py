"""Where blood comes into a tree of arteries of the head: its thick lower ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gsema_core.simulation.trees.voxel_graph import VoxelSet

Ints = npt.NDArray[np.integer[Any]]

LOW_MM = 8.0
"""An inflow lies within this height above the lowest voxel of the tree (ours: the arteries of the
neck end within 6 mm of each other in the whole IntrA trees)."""

HIGHER_MM = 25.0
"""A part that hangs on nothing may begin this much higher, at its own lowest end (ours: one of 14
IntrA trees has an artery that the segmentation found only from 9 mm on)."""

THICK_MM = 0.75
"""Least radius of an inflow: a thin vertebral artery's in a map of 0.4 mm voxels. Thinner lower
ends of the IntrA trees are branches of the carotid (seen in 24 of them)."""


def find_inflows(
    lumen: VoxelSet, radius: npt.NDArray[np.float32], spacing: float
) -> tuple[Ints, ...]:
    """The lowest voxels of each artery that comes from below, by height.

    A tree without a thick lower end, as a cube cut from one, has its widest voxel as its inflow.
    """
    height = (lumen.voxels[:, 0] - lumen.voxels[:, 0].min()) * spacing
    found = [piece for piece in _pieces(lumen, height < LOW_MM) if radius[piece].max() >= THICK_MM]
    fed = {int(lumen.parts[piece[0]]) for piece in found}
    for part in range(int(lumen.parts.max()) + 1):
        own = lumen.parts == part
        lowest = height[own].min()
        if part not in fed and lowest < HIGHER_MM:
            low = own & (height < lowest + LOW_MM)
            pieces = _pieces(lumen, low)
            found += [piece for piece in pieces if radius[piece].max() >= THICK_MM]
    if not found:
        found = [np.array([int(radius.argmax())])]
    ends = [piece[height[piece] <= height[piece].min() + 1.01 * spacing] for piece in found]
    return tuple(sorted(ends, key=lambda end: (float(height[end].min()), int(end[0]))))


def _pieces(lumen: VoxelSet, chosen: npt.NDArray[np.bool_]) -> list[Ints]:
    """The connected pieces of the chosen voxels."""
    one, other, _ = lumen.edges
    both = chosen[one] & chosen[other]
    ones = np.ones(int(both.sum()), np.int8)
    graph = coo_matrix((ones, (one[both], other[both])), (len(chosen),) * 2)
    _, piece = connected_components(graph, directed=False)
    numbers = np.flatnonzero(chosen)
    return [numbers[piece[numbers] == name] for name in np.unique(piece[numbers])]
