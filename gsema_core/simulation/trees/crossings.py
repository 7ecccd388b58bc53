"""Where the lumen crosses a small shell: what tells an end, a tube and a bifurcation apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.grids.components import connected_components

Ints = npt.NDArray[np.integer[Any]]

BEYOND_SHARE, BEYOND_MM = 0.8, 1.4
"""The shell lies this share of the radius outside the wall, at least so many mm (ours: nearer, the
rough wall of a voxel map crosses it; farther, it meets the next bifurcation)."""

SHELL_VOXELS = 0.7
"""Half of the shell's thickness: thinner, and a vessel could slip through between voxels."""

LEAST_VOXELS = 4
"""What crosses with fewer voxels is a roughness of the wall (ours)."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """One vessel that leaves the ball.

    Args:
        direction: (3,) unit vector along k, j, i from the ball's middle.
        voxel: (3,) k, j, i of a voxel in it.
        size: how many voxels it has.
    """

    direction: npt.NDArray[np.float64]
    voxel: Ints
    size: int


def crossings_around(
    labels: npt.NDArray[np.uint8], point: Ints, radius: float, spacing: float
) -> tuple[Crossing, ...]:
    """The crossings of the lumen with a shell around a point of it.

    Only what is connected with the point inside the ball counts, not a vessel that passes by.

    Args:
        labels: (k, j, i), the lumen where not 0.
        point: (3,) k, j, i inside the lumen.
        radius: of the vessel there, in voxels.
        spacing: mm of a voxel.
    """
    reach = radius + max(BEYOND_MM / spacing, BEYOND_SHARE * radius)
    half = int(np.ceil(reach)) + 2
    box = np.zeros((2 * half + 1,) * 3, bool)
    low = np.maximum(point - half, 0)
    high = np.minimum(point + half + 1, labels.shape)
    inner = tuple(slice(a, b) for a, b in zip(low - point + half, high - point + half, strict=True))
    box[inner] = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] > 0
    axis = np.arange(-half, half + 1) ** 2
    distance = np.sqrt(axis[:, None, None] + axis[None, :, None] + axis[None, None, :])
    parts, _ = connected_components(box & (distance <= reach + SHELL_VOXELS))
    mine = (parts == parts[half, half, half]) & box
    shell, count = connected_components(mine & (distance > reach - SHELL_VOXELS))
    found = []
    for number in range(1, count + 1):
        voxels = np.argwhere(shell == number) - half
        if len(voxels) >= LEAST_VOXELS:
            middle = voxels.mean(axis=0)
            nearest = voxels[((voxels - middle) ** 2).sum(axis=1).argmin()]
            found.append(
                Crossing(middle / max(np.linalg.norm(middle), 1e-6), point + nearest, len(voxels))
            )
    return tuple(found)
