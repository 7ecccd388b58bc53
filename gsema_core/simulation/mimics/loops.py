"""Loops and hairpins of a further branch: a ring or a blob from some directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.labels import BACKGROUND, VESSEL
from gsema_core.simulation.mimics.courses import Box, candidates
from gsema_core.simulation.mimics.new_branch import Floats, Start, clear_until, leave_wall
from gsema_core.simulation.mimics.tubes import across, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

CURVATURE = (1.5, 3.0)
"""Radius of the loop over the vessel's: hairpins to open loops. From 1.5 on the inner walls of a
turn of 180 degrees stay apart (ours)."""

TURNS = (0.5, 1.6)
"""Half a turn is a hairpin, one is a loop (ours)."""

RADIUS_MM = (0.5, 1.2)
"""Of the branch that winds, at most 80 % of its parent's (ours)."""


def add_loop(
    tree: ArteryTree,
    labels: npt.NDArray[np.uint8],
    box: Box,
    filled: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Let a new branch leave an artery and wind; see `gsema_core.simulation.trees`."""
    parents = candidates(tree, box, filled, (0.8, 3.0))
    for number in rng.permutation(parents)[:60]:
        start = leave_wall(tree, int(number), rng)
        if start is None:
            continue
        parent = float(tree.radius[number])
        radius = float(rng.uniform(RADIUS_MM[0], min(RADIUS_MM[1], 0.8 * parent)))
        bend, turns = float(rng.uniform(*CURVATURE)) * radius, float(rng.uniform(*TURNS))
        line = _winding(start, bend, turns, radius, tree.spacing, rng)
        if clear_until(tree, labels, box, line, start, radius) < len(line):
            continue
        width = np.maximum(radius * np.linspace(1.0, 0.85, len(line)), 0.9 * tree.spacing)
        voxels = tube_voxels(line, width, tree.spacing, labels.shape)
        labels[tuple(voxels[labels[tuple(voxels.T)] == BACKGROUND].T)] = VESSEL
        return {
            "kind": "loop",
            "at": [round(float(value), 1) for value in line[len(line) // 2]],
            "radius_mm": round(radius, 2),
            "bend_mm": round(bend, 2),
            "turns": round(turns, 2),
        }
    return None


def _winding(
    start: Start,
    bend_mm: float,
    turns: float,
    radius_mm: float,
    spacing: float,
    rng: np.random.Generator,
) -> Floats:
    """(P, 3) straight out of the wall, around a helix, and on; half a voxel apart."""
    step = 0.5 * spacing
    sideways, normal = across(start.direction, rng)
    # A helix that climbs by more than the vessel's width a turn does not touch itself.
    pitch = rng.uniform(2.6, 4.0) * radius_mm if turns > 0.6 else rng.uniform(0.0, 2.0)
    climb = np.arctan2(pitch, 2 * np.pi * bend_mm)
    out = int((start.exit_mm + radius_mm + 1.0) / step)
    around = int(2 * np.pi * turns * bend_mm / np.cos(climb) / step)
    on = int(rng.uniform(2.0, 6.0) / step)
    angle = np.concatenate([np.zeros(out), np.linspace(0.0, 2 * np.pi * turns, around)])
    angle = np.concatenate([angle, np.full(on, 2 * np.pi * turns)])
    rise = np.concatenate([np.linspace(0.0, climb, out) ** 2 / max(climb, 1e-6),
                           np.full(around + on, climb)])  # fmt: skip
    flat = np.cos(angle)[:, None] * start.direction + np.sin(angle)[:, None] * sideways
    heading = np.cos(rise)[:, None] * flat + np.sin(rise)[:, None] * normal
    return np.asarray(start.point + np.cumsum(0.5 * heading, axis=0))
