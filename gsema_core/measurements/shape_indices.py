"""How far a sac is from a hemisphere on its neck, and how far its wall is dented."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gsema_core.measurements.convex_hull import convex_hull
from gsema_core.measurements.interface import ROUNDING, Floats, Integers, Mask
from gsema_core.measurements.neck import Neck
from gsema_core.measurements.surface import surface_area_mm2

LEAST_ACROSS = 6.0
"""Voxels of the coarsest axis across the sphere of a sac's volume, from which on it has indices.
Our choice: see the errors at ``shape_indices``."""

RIM_LOSS = 0.25
"""Voxels of the dome's wall that are counted to the opening all along its rim: the lines between
voxels that the area is counted from cross both at once there. Our fit, between that for rounded
necks, as lumens have them (0.15), and that for grooves (0.35), see ``dome_area_mm2``."""


@dataclass(frozen=True)
class ShapeIndices:
    """Three numbers without a unit, from 0 on, and the area of the wall; see ``shape_indices``."""

    undulation: float
    ellipticity: float
    non_sphericity: float
    dome_area_mm2: float


def shape_indices(
    sac: Mask, vessel: Mask, neck: Neck, spacing: Floats, start: Integers
) -> ShapeIndices | None:
    """Undulation, ellipticity and non-sphericity index (Raghavan et al., Journal of Neurosurgery
    102:355, 2005; Ma et al., Annals of Biomedical Engineering 32:264, 2004).

    With V the sac's volume, S the area of its wall without the ostium, and V_h and S_h those of its
    convex hull:

    - undulation index UI = 1 - V / V_h, 0 for a convex sac;
    - non-sphericity index NSI = 1 - (18 pi)^(1/3) V^(2/3) / S, 0 for a hemisphere that sits on its
      flat side, 0.21 for a sphere on a point;
    - ellipticity index EI, the same of the hull, in which dents do not count.

    What of the hull lies in the vessel at the neck is left out: sacs sit on tubes, and how these
    reach into them is no dent. Hulls are counted in voxels (see ``convex_hull``) and areas by
    ``dome_area_mm2``, so that both have their body's errors. No body on a flat ostium has a
    negative index; the area's error may give one, which is then 0.

    Errors on 100 spheres cut by planes, pears with rounded necks and spheres with a bleb each, in
    random places and rotations, spacing up to 1:1:2 (Testing/benchmarks/sac_shapes.py): at 6 voxels
    across undulation -0.08 to 0.00, ellipticity -0.06 to 0.04, non-sphericity -0.08 to 0.04; at 10
    -0.04 to 0.00, -0.03 to 0.03 and -0.05 to 0.03; at 20 within 0.03.

    Args:
        sac: (k, j, i), in a box with ``surface.LONGEST_STEP`` voxels around it where there are any.
        vessel: (k, j, i) likewise.
        neck: the opening between them.
        spacing: (3,) in mm along (k, j, i).
        start: (3,) index of the masks' first voxel in the array that they were cut from.

    Returns:
        None where the sac is less than ``LEAST_ACROSS`` voxels across, or flat.
    """
    voxel_mm3 = float(np.prod(spacing))
    if sphere_diameter_mm(np.count_nonzero(sac) * voxel_mm3) < LEAST_ACROSS * spacing.max():
        return None
    hull = convex_hull(sac)
    if hull is None:
        return None
    opening = opening_of(vessel, neck, spacing, start)
    hull &= ~opening
    areas = [dome_area_mm2(one, opening, neck, spacing) for one in (sac, hull)]
    volumes = [float(np.count_nonzero(one)) * voxel_mm3 for one in (sac, hull)]
    return ShapeIndices(
        undulation=undulation_index(*volumes),
        ellipticity=non_sphericity_index(volumes[1], areas[1]),
        non_sphericity=non_sphericity_index(volumes[0], areas[0]),
        dome_area_mm2=areas[0],
    )


def undulation_index(volume_mm3: float, hull_volume_mm3: float) -> float:
    """UI = 1 - V / V_h."""
    return max(0.0, float(1 - volume_mm3 / hull_volume_mm3))


def non_sphericity_index(volume_mm3: float, dome_area_mm2: float) -> float:
    """NSI = 1 - (18 pi)^(1/3) V^(2/3) / S; the ellipticity index for the hull's V and S."""
    hemisphere_mm2: float = (18 * math.pi) ** (1 / 3) * volume_mm3 ** (2 / 3)
    return max(0.0, 1 - hemisphere_mm2 / dome_area_mm2)


def dome_area_mm2(sac: Mask, opening: Mask, neck: Neck, spacing: Floats) -> float:
    """The area of a sac's wall, without the ostium.

    That of ``surface_area_mm2`` without the opening, and ``RIM_LOSS`` voxels along the neck's
    perimeter. Errors on the shapes of ``shape_indices``: at 6 voxels across -11 to +6 %, at 10 -5
    to +3 %, at 20 -3 to +2 % (Testing/benchmarks/sac_shapes.py); the lowest are those of blebs.
    """
    area = surface_area_mm2(sac, spacing, opening)
    if area is None:
        raise ValueError("the set is too small for its surface")
    return float(area + RIM_LOSS * np.prod(spacing) ** (1 / 3) * neck.perimeter_mm)


def opening_of(vessel: Mask, neck: Neck, spacing: Floats, start: Integers) -> Mask:
    """The vessel at the neck: other vessels may touch the sac's wall, which is no opening.

    (k, j, i): not further from the neck's center than its edge and two voxels.
    """
    inside = np.argwhere(vessel)
    distances = np.linalg.norm((inside + start) * spacing - neck.center, axis=1)
    near = inside[distances <= neck.width_mm / 2 + 2 * spacing.max() + ROUNDING]
    opening = np.zeros_like(vessel)
    opening[tuple(near.T)] = True
    return opening


def sphere_diameter_mm(volume_mm3: float) -> float:
    """Of the sphere of this volume."""
    return float((6 * volume_mm3 / math.pi) ** (1 / 3))
