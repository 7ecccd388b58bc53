"""Bone of several kinds around the vessels, and the cells of air and marrow in it.

A kind is a shape in mm on the gantry's axes (i left, j up, k to the front). Kinds have names, so
that a scanner model can leave some out: what a network was never shown tells whether it takes
bone for vessel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.scanner import bone_shapes
from gsema_core.simulation.scanner.bone_shapes import Piece, Space
from gsema_core.simulation.scanner.head import skull_base
from gsema_core.simulation.smooth_fields import smooth_field

Floats = npt.NDArray[np.float32]

EDGE_MM = 0.4
"""Width of a bone's edge: about the voxel of a scene (ours)."""

CORTEX_MM = 1.3
"""Thickness of the dense outer layer; inside it lie marrow and cells (ours, 1 to 2 mm)."""

AIR_HU = -1000.0

KINDS: dict[str, Callable[[Space, np.random.Generator], Piece]] = {
    "lumps": bone_shapes.lumps,
    "edge": bone_shapes.at_the_edge,
    "plates": bone_shapes.skull_base_plates,
    "sinus": bone_shapes.sinus_walls,
    "orbits": bone_shapes.orbits,
    "teeth": bone_shapes.teeth,
    "vault": bone_shapes.vault,
    "struts": bone_shapes.struts,
    "vertebra": bone_shapes.vertebra,
}
"""Kinds of bone beside "skull_base", which the four centers have."""


def draw_bones(
    lumen: npt.NDArray[np.bool_],
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Floats:
    """Return (k, j, i) what bone, air and the brain's structure add to the head, in HU."""
    if protocol.bones == ("skull_base",) and not (protocol.marrow or protocol.air_cells):
        return skull_base(lumen, geometry, protocol, rng)
    space = Space.of(geometry)
    hounsfield = 12.0 * smooth_field(space.shape, 5.0 / space.spacing, rng)
    distance = ndimage.distance_transform_edt(~lumen).astype(np.float32) * space.spacing
    clear = np.clip((distance - protocol.bone_gap_mm) / 0.8, 0.0, 1.0)
    for name in protocol.bones:
        if name == "skull_base":
            added = skull_base(lumen, geometry, protocol, rng)
        else:
            piece = _hollowed(KINDS[name](space, rng), space, protocol, rng)
            added = clear * (piece.density * protocol.bone_hu + piece.air * AIR_HU)
        # Where kinds meet, the denser one counts.
        hounsfield = np.where(np.abs(added) > np.abs(hounsfield), added, hounsfield)
    return np.asarray(hounsfield, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Filled:
    density: Floats
    air: Floats


def _hollowed(piece: Piece, space: Space, protocol: Protocol, rng: np.random.Generator) -> _Filled:
    """Turn depths into density, with marrow and cells of air in what is thick enough."""
    solid = np.clip(piece.depth / EDGE_MM + 0.5, 0.0, 1.0)
    inner = np.clip((piece.depth - CORTEX_MM) / EDGE_MM + 0.5, 0.0, 1.0)
    density = solid * piece.density
    air = np.zeros(space.shape, np.float32) if piece.air is None else piece.air
    if protocol.marrow and inner.any():
        grain = np.clip(smooth_field(space.shape, 0.7 / space.spacing, rng), -2.0, 2.0)
        density = density * (1.0 - protocol.marrow * inner * (1.0 + 0.35 * grain))
    if protocol.air_cells and inner.any():
        # A share `air_cells` of the inside, in cells of some millimeters.
        field = smooth_field(space.shape, 1.6 / space.spacing, rng)
        level = np.quantile(field[::3, ::3, ::3], 1.0 - protocol.air_cells)
        cells = inner * np.clip((field - level) / 0.4 + 0.5, 0.0, 1.0)
        density, air = density * (1.0 - cells), np.maximum(air, cells)
    return _Filled(density.astype(np.float32), np.asarray(air, np.float32))
