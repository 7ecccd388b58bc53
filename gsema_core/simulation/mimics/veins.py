"""Veins and sinuses: tubes with faint contrast that nobody labels.

Contrast reaches them when a run is late or long, and from arteries that are filled twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.labels import BACKGROUND
from gsema_core.simulation.mimics.addition import Addition
from gsema_core.simulation.mimics.courses import Box, Ints
from gsema_core.simulation.mimics.tubes import across, any_direction, tube_voxels
from gsema_core.simulation.trees.artery_tree import ArteryTree

CONTRAST = (0.1, 0.6)
"""Of a vein over the brightest arteries (ours)."""

CORTICAL_MM, SINUS_MM, CAVERNOUS_MM = (0.6, 1.8), (3.0, 5.0), (2.0, 4.0)
"""Radii: cortical and deep veins; sagittal and transverse sinus; the chambers of the cavernous
sinus around the carotid (adult anatomy)."""

GAP_MM = 0.4
"""Wall between a vein and an artery."""

BEYOND_MM = 8.0
"""How far veins go on beyond the field: what lies there is in the beam too."""

BLOB_WAY_MM = 15.0
"""Length of the carotid's course within the cavernous sinus (anatomy: 10 to 20 mm)."""


def add_veins(
    tree: ArteryTree, labels: npt.NDArray[np.uint8], box: Box, rng: np.random.Generator
) -> Addition | None:
    """Draw veins across the field; ``labels`` stay as they are.

    Args:
        tree: the arteries before any change.
        labels: (k, j, i) after the changes: veins keep out of its lumen.
        box: the field of view; they go on a little beyond it.
        rng: draws how many of which kind, their course and their contrast.
    """
    reach = round(BEYOND_MM / tree.spacing)
    low = np.maximum(box[0] - reach, 0)
    high = np.minimum(box[1] + reach, labels.shape)
    box = low, high
    values = np.zeros(np.maximum(high - low, 0), np.float32)
    drawn: list[str] = []
    for name, draw, many in _draws(rng):
        for _ in range(many):
            voxels = draw(tree, box, rng)
            voxels = voxels[np.all((voxels >= low) & (voxels < high), axis=1)] - low
            if len(voxels):
                at = tuple(voxels.T)
                values[at] = np.maximum(values[at], rng.uniform(*CONTRAST))
                drawn.append(name)
    part = labels[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    gap = max(1, round(GAP_MM / tree.spacing))
    values[ndimage.binary_dilation(part != BACKGROUND, iterations=gap)] = 0.0
    voxels = np.argwhere(values > 0)
    if not len(voxels):
        return None
    contrast = values[tuple(voxels.T)]
    record: dict[str, Any] = {
        "kind": "veins",
        "veins": drawn,
        "contrast": [round(float(contrast.min()), 2), round(float(contrast.max()), 2)],
        "mm3": round(len(voxels) * tree.spacing**3, 1),
    }
    return Addition("faint", voxels + low, contrast, record)


_Draw = Callable[[ArteryTree, Box, np.random.Generator], Ints]


def _draws(rng: np.random.Generator) -> list[tuple[str, _Draw, int]]:
    """How many of each kind; at least one vein in all (shares are ours)."""
    draws: list[tuple[str, _Draw, int]] = [
        ("cortical", _cortical, int(rng.integers(0, 5))),
        ("sinus", _sinus, int(rng.random() < 0.4)),
        ("cavernous", _cavernous, int(rng.random() < 0.3)),
    ]
    if not any(many for _, _, many in draws):
        draws[0] = ("cortical", _cortical, 1)
    return draws


def _cortical(tree: ArteryTree, box: Box, rng: np.random.Generator) -> Ints:
    radius = float(rng.uniform(*CORTICAL_MM))
    line = _across_field(box, rng, bend=12.0 / tree.spacing)
    width = radius * (1.0 + 0.2 * np.sin(np.linspace(0.0, rng.uniform(2.0, 9.0), len(line))))
    return tube_voxels(line, width, tree.spacing, tree.labels.shape)


def _sinus(tree: ArteryTree, box: Box, rng: np.random.Generator) -> Ints:
    """A wide tube, triangular in section as the sagittal sinus, or round."""
    radius = float(rng.uniform(*SINUS_MM))
    line = _across_field(box, rng, bend=45.0 / tree.spacing)
    one, other = across(line[-1] - line[0] + 1e-6, rng)
    corner = rng.uniform(0.0, 0.5) * radius / tree.spacing
    angles = np.linspace(0.0, 2 * np.pi, 3, endpoint=False)
    corners = np.outer(np.cos(angles), one) + np.outer(
        np.sin(angles), other / np.linalg.norm(other)
    )
    rods = [
        tube_voxels(line + corner * off, radius - 0.5 * corner * tree.spacing, tree.spacing,
                    tree.labels.shape)
        for off in corners
    ]  # fmt: skip
    return np.unique(np.concatenate(rods), axis=0)


def _cavernous(tree: ArteryTree, box: Box, rng: np.random.Generator) -> Ints:
    """Chambers around a piece of a wide artery; none where the field has no such artery."""
    places = tree.voxels[tree.medial]
    wide = np.all((places >= box[0]) & (places < box[1]), axis=1) & (tree.radius[tree.medial] > 1.5)
    wide &= ~tree.in_sac[tree.medial]
    if not wide.any():
        return np.zeros((0, 3), int)
    wide_places = places[wide]
    middle = wide_places[rng.integers(len(wide_places))]
    apart = np.linalg.norm(wide_places - middle, axis=1) * tree.spacing
    near = wide_places[apart < BLOB_WAY_MM / 2]
    chambers = []
    for _ in range(int(rng.integers(6, 16))):
        radius = float(rng.uniform(*CAVERNOUS_MM))
        off = any_direction(rng) * (1.5 + 0.7 * radius) / tree.spacing
        place = near[rng.integers(len(near))] + off
        chambers.append(tube_voxels(place[None], radius, tree.spacing, tree.labels.shape))
    return np.unique(np.concatenate(chambers), axis=0)


def _across_field(box: Box, rng: np.random.Generator, bend: float) -> npt.NDArray[np.float64]:
    """(P, 3) a smooth way that enters and leaves the box, a voxel apart."""
    low, high = (np.asarray(side, float) for side in box)
    middle = rng.uniform(low, high)
    heading = any_direction(rng)
    halves = []
    reach = int(np.linalg.norm(high - low))
    for sign in (-1.0, 1.0):
        direction, turn = sign * heading, rng.standard_normal(3)
        points = [middle]
        while len(points) < reach and np.all((points[-1] >= low - 6) & (points[-1] < high + 6)):
            turn = 0.98 * turn + np.sqrt(1.0 - 0.98**2) * rng.standard_normal(3)
            direction = direction + turn / bend
            direction = direction / np.linalg.norm(direction)
            points.append(points[-1] + direction)
        halves.append(np.array(points))
    return np.concatenate([halves[0][::-1], halves[1][1:]])
