"""Aneurysm clips: two blades and a spring of metal beside an artery."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gsema_core.labels import BACKGROUND
from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.mimics.courses import Box, Ints, candidates
from gsema_core.simulation.mimics.new_branch import leave_wall
from gsema_core.simulation.mimics.tubes import across, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

METALS_HU = {"titanium": 16_000.0, "cobalt": 50_000.0}
"""Attenuation at 60 keV over water's, in HU: 4.5 g/cm3 titanium, and 8.3 g/cm3 of a cobalt-chromium
alloy (NIST XCOM)."""

BLADE_MM, BAR_MM, SPRING_MM = (5.0, 15.0), (0.45, 0.65), (1.6, 2.6)
"""Length of the blades, radius of their bars, radius of the spring (permanent clips)."""

IN_LUMEN = 0.1
"""A clip of which a larger share would lie in arteries is drawn again."""


def add_clip(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Addition | None:
    """Lay a clip against the wall of an artery; ``labels`` stay as they are.

    See `gsema_core.simulation.trees` for the arguments.
    """
    parents = candidates(tree, box, filled, (0.8, 3.0))
    for number in rng.permutation(parents)[:60]:
        start = leave_wall(tree, int(number), rng)
        if start is None:
            continue
        length, bar = float(rng.uniform(*BLADE_MM)), float(rng.uniform(*BAR_MM))
        middle = start.point + start.direction * (start.exit_mm + bar + 0.3) / tree.spacing
        voxels = _clip(middle, start.direction, length, bar, tree, rng)
        if len(voxels) == 0:
            continue
        outside = labels[tuple(voxels.T)] == BACKGROUND
        if 1.0 - outside.mean() > IN_LUMEN:
            continue
        metal = str(rng.choice(list(METALS_HU)))
        voxels = voxels[outside]
        values = np.full(len(voxels), METALS_HU[metal], np.float32)
        record = {
            "kind": "clip",
            "metal": metal,
            "at": [round(float(value), 1) for value in middle],
            "length_mm": round(length, 1),
        }
        return Addition("metal", voxels, values, record)
    return None


def _clip(
    middle: npt.NDArray[np.float64],
    outward: npt.NDArray[np.float64],
    length_mm: float,
    bar_mm: float,
    tree: ArteryTree,
    rng: np.random.Generator,
) -> Ints:
    """Two closed blades along the wall, and a ring where they meet."""
    spacing = tree.spacing
    along, _ = across(outward, rng)
    share = np.linspace(-0.4, 0.6, max(8, round(2 * length_mm / spacing)))[:, None]
    blade = middle + share * along * length_mm / spacing
    # The closed blades lie on each other, a little apart at the spring.
    lift = (2.0 * bar_mm + 0.8 * np.clip(share, 0.0, None)) / spacing
    ring_mm = float(rng.uniform(*SPRING_MM))
    angle = np.linspace(0.0, 2 * np.pi, 48)[:, None]
    center = blade[-1] + along * ring_mm / spacing + outward * bar_mm / spacing
    ring = center + (np.cos(angle) * along + np.sin(angle) * outward) * ring_mm / spacing
    lines = (blade, blade + lift * outward, ring)
    shape = tree.labels.shape
    bars = [tube_voxels(line, max(bar_mm, 0.6 * spacing), spacing, shape) for line in lines]
    return np.unique(np.concatenate(bars), axis=0)
