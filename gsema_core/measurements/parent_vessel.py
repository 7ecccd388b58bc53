"""The width of the vessel that an aneurysm sits on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components
from gsema_core.measurements.interface import Faces, Floats, Integers, Mask, faces_between
from gsema_core.measurements.neck import Neck

REACH_MM = 10.0
"""How far from the neck's edge the vessel is looked at. Our choice: twice the width of a wide
intracranial artery (the internal carotid, 5 mm)."""

WIDEST_MM = 10.0
"""Nothing wider is taken for a vessel. Our choice: twice the width of the internal carotid."""

DIAMETER_LOSS = 1.15
"""Voxels by which twice the distance from a voxel's center to the nearest face of the wall falls
short of a vessel's diameter; our fit, see ``parent_vessel_diameter_mm``."""


def parent_vessel_diameter_mm(
    vessel: Mask, neck: Neck, spacing: Floats, start: Integers
) -> float | None:
    """The diameter in mm of the vessel beside the neck, from inscribed spheres.

    Dhar et al. (Neurosurgery 63:185, 2008) average the parent vessel's diameter at the neck and
    1.5 diameters away. Voxels allow a steadier estimate: D0 is the largest sphere within the
    vessel that touches the neck; the distances from the neck's center between w / 2 + D0 / 2 and
    w / 2 + 2 D0 (w the neck's width) are walked through in steps of a voxel, the largest sphere
    centered at each is taken, and the median of their diameters returned. So neither the swelling
    of a fork nor a short narrowing counts, and of several branches the widest is taken. Of a stump
    that ends before, D0 itself is returned.

    The error on 300 straight tubes of 3 to 12 voxels across in random places and rotations,
    spacing up to 1:1:2, is 0.0 +- 0.2 of the coarsest voxel, at most 0.85
    (Testing/benchmarks/measurements.py).

    Args:
        vessel: (k, j, i) mask around the neck.
        neck: where the aneurysm sits on it.
        spacing: (3,) in mm along (k, j, i).
        start: (3,) index of the mask's first voxel in the array that it was cut from.

    Returns:
        None where what the neck sits on is wider than ``WIDEST_MM``.
    """
    vessel = _connected_to(neck, vessel, spacing, start)
    # Beyond the array a vessel goes on, so its end there is no wall.
    walls: Faces = faces_between(vessel, ~vessel, spacing, start)
    if len(walls) == 0:
        return None
    centers = (np.argwhere(vessel) + start) * spacing
    distances = np.linalg.norm(centers - neck.center, axis=1) - neck.width_mm / 2
    tree = cKDTree(walls.points, leafsize=32)
    near = distances <= WIDEST_MM / 2
    radii = np.asarray(tree.query(centers[near], distance_upper_bound=WIDEST_MM / 2)[0])
    first = float(radii[distances[near] <= radii].max(initial=0.0))
    if not 0 < first < np.inf:
        return None
    # Closer than a radius to where the vessel ends, spheres are smaller than it is wide.
    last = min(4 * first, REACH_MM - first, float(distances.max()) - first)
    beside = (distances >= first) & (distances < last)
    radius = first
    if beside.any():
        shells = ((distances[beside] - first) / spacing.max()).astype(np.int64)
        largest = ndimage.maximum(tree.query(centers[beside])[0], shells, np.unique(shells))
        radius = float(np.median(largest))
    voxel = float(np.prod(spacing)) ** (1 / 3)
    return float(2 * radius + DIAMETER_LOSS * voxel)


def _connected_to(neck: Neck, vessel: Mask, spacing: Floats, start: Integers) -> Mask:
    """The part of the vessels that the neck's plane figure lies next to."""
    components, _ = connected_components(vessel)
    inside = np.argwhere(vessel)
    distances = np.linalg.norm((inside + start) * spacing - neck.center, axis=1)
    nearest: npt.NDArray[np.int64] = inside[distances.argmin()]
    return np.asarray(components == components[tuple(nearest)])
