"""The head as the cone-beam model projects it in closed form, and the bone of four centers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids import Geometry
from gsema_core.simulation.centers import Protocol
from gsema_core.simulation.smooth_fields import smooth_field

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Ellipsoid:
    """A homogeneous ellipsoid aligned with the gantry; densities add up where several overlap.

    Args:
        center: (i, j, k) position in mm in the gantry's axes, from the isocenter.
        semi_axes: (i, j, k) in mm.
        density_hu: what it adds, in HU (water over air is 1000).
    """

    center: tuple[float, ...]
    semi_axes: tuple[float, ...]
    density_hu: float


def draw_head(protocol: Protocol, rng: np.random.Generator) -> tuple[Ellipsoid, ...]:
    """Scalp, skull and brain of an adult head, off-center, much wider than the field of view."""
    center = tuple(rng.uniform([-12, 5, -10], [12, 25, 10]).tolist())
    # Adult head: about 150 x 190 mm wide, skull 6 to 8 mm thick.
    inner = rng.uniform([64, 78, 80], [72, 90, 94])
    thickness = rng.uniform(5.0, 8.0)
    outer, skin = inner + thickness, inner + thickness + rng.uniform(4.0, 7.0)
    skull = protocol.bone_hu
    return (
        Ellipsoid(center, tuple(skin.tolist()), 1040.0),
        Ellipsoid(center, tuple(outer.tolist()), skull),
        Ellipsoid(center, tuple(inner.tolist()), -skull),
    )


def smooth_bones(
    geometry: Geometry, protocol: Protocol, rng: np.random.Generator
) -> tuple[Ellipsoid, ...]:
    """Petrous bones, clivus and sphenoid as ellipsoids below and around the field of view."""
    half = np.array(geometry.size) * geometry.spacing / 2
    bones = []
    for _ in range(int(rng.integers(5, 9))):
        place = tuple((rng.uniform([-1.3, -1.4, -1.3], [1.3, -0.6, 1.3]) * half).tolist())
        semi_axes = tuple(rng.uniform(4.0, 11.0, size=3).tolist())
        bones.append(Ellipsoid(place, semi_axes, 0.8 * protocol.bone_hu))
    return tuple(bones)


def skull_base(
    lumen: npt.NDArray[np.bool_],
    geometry: Geometry,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Floats:
    """Irregular bone with cells of air in the lower part, and faint structure of the brain."""
    spacing = geometry.spacing[0]
    shape = geometry.shape
    brain = 12.0 * smooth_field(shape, 5.0 / spacing, rng)
    height = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)[None, :, None]
    lumps = smooth_field(shape, 3.5 / spacing, rng) - 1.6 - 2.2 * height
    bone = np.clip(lumps / 0.4, 0.0, 1.0) * (
        1.0 + 0.25 * np.clip(smooth_field(shape, 0.8 / spacing, rng), -2, 2)
    )
    air = np.clip((smooth_field(shape, 3.0 / spacing, rng) - 1.5) / 0.3, 0.0, 1.0)
    air *= np.clip((lumps + 0.8) / 0.4, 0.0, 1.0)
    # Arteries run beside bone, not through it, but for a short course: clear a margin of 1 mm.
    distance = ndimage.distance_transform_edt(~lumen) * spacing
    clear = np.clip((distance - 0.6) / 0.8, 0.0, 1.0)
    return np.asarray((brain + clear * (bone * protocol.bone_hu - air * 1000.0)), dtype=np.float32)
