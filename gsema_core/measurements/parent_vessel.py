"""The width of the vessels that an aneurysm sits on."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components
from gsema_core.measurements.interface import (
    ROUNDING,
    Faces,
    Floats,
    Integers,
    Mask,
    faces_between,
)
from gsema_core.measurements.neck import Neck

REACH_MM = 10.0
"""How far from the neck's edge the vessels are looked at. Our choice: twice the width of a wide
intracranial artery (the internal carotid, 5 mm)."""

WIDEST_MM = 10.0
"""Nothing wider is taken for a vessel. Our choice: twice the width of the internal carotid."""

WALKED = 2.0
"""Radii of a branch that are walked along it: one diameter, as Piccinelli et al. (Annals of
Biomedical Engineering 40:2188, 2012)."""

LOOKED_AT = 2 * WALKED
"""Radii of the largest sphere at the neck within which the vessel beyond falls into branches: what
is walked, its end and some room. Branches that join again further away are two. Our choice."""

SLIMMEST = 0.5
"""The least diameter of a branch that counts, as a share of the widest one's. Our choice: by
Murray's cubic law such a branch has an eighth of the flow; the ophthalmic artery on a carotid is
slimmer, the two ends of a symmetric fork are wider (0.79)."""

DIAMETER_LOSS = 1.05
"""Voxels (root mean square of the spacings) by which twice the distance from a voxel's center to
the nearest face of the wall falls short of a vessel's diameter; our fit, see
``parent_vessel_diameter_mm``."""


def parent_vessel_diameter_mm(
    vessel: Mask, neck: Neck, spacing: Floats, start: Integers
) -> float | None:
    """The mean diameter in mm of the vessels that the neck sits on, from inscribed spheres.

    Dhar et al. (Neurosurgery 63:185, 2008) average over the vessels at the neck, each measured
    there and 1.5 diameters away: parent and daughters at a terminal aneurysm, but at a sidewall
    one what lies upstream alone, which a label map does not tell. So both ends are averaged, too.
    Piccinelli et al. (2012) take the largest sphere at each place along a vessel's middle. Here D0
    is the largest sphere that touches the neck; beyond half the neck's width and half D0 from the
    neck's center, and beyond the opposite wall, the vessel falls into branches. Each is walked
    through for one diameter in steps of a voxel, and the largest spheres centered at each are
    averaged. Branches shorter than half of D0 or slimmer than ``SLIMMEST`` of the widest are left
    out; of a stump that has none, D0 is returned.

    Errors in voxels of the coarsest axis, in random places and rotations, spacing up to 1:1:2 (300
    shapes each, Testing/benchmarks/measurements.py): 0.1 +- 0.2, at most 0.8, on straight tubes
    with cross-sections from circles to ellipses of 0.7:1, and -0.2 +- 0.1, at most 0.5, on forks of
    three round ones.

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
    distances = np.linalg.norm(centers - neck.center, axis=1) + ROUNDING
    tree = cKDTree(walls.points, leafsize=32)
    edge = neck.width_mm / 2
    near = distances <= edge + WIDEST_MM / 2
    radii = np.asarray(tree.query(centers[near], distance_upper_bound=WIDEST_MM / 2 + ROUNDING)[0])
    first = float(radii[distances[near] - edge <= radii].max(initial=0.0))
    if not 0 < first < np.inf:
        return None
    lost = diameter_loss_mm(spacing)
    begin = max(edge + first, 2 * first + lost)
    end = min(begin + LOOKED_AT * first, edge + REACH_MM)
    radii = np.zeros(len(centers))
    beyond = (distances >= begin) & (distances <= end)
    radii[beyond] = tree.query(centers[beyond])[0]
    step = float(spacing.max())
    places = np.arange(begin, begin + first - ROUNDING, step)
    found = _branch_radii(vessel, distances, radii, places, first, step)
    diameters = [2 * radius + lost for radius in found]
    counted = [each for each in diameters if each >= SLIMMEST * max(diameters) - ROUNDING]
    return float(np.mean(counted or [2 * first + lost]))


def diameter_loss_mm(spacing: Floats) -> float:
    """What a diameter from the nearest faces of the wall falls short of, see ``DIAMETER_LOSS``."""
    return DIAMETER_LOSS * float(np.sqrt(np.mean(spacing**2)))


def _branch_radii(
    vessel: Mask, distances: Floats, radii: Floats, places: Floats, shortest: float, step: float
) -> list[float]:
    """The mean radius in mm of each branch, where the first most begin.

    Two that leave in one direction part the later, so that several places are tried.

    Args:
        vessel: (k, j, i) mask of N voxels.
        distances: (N,) from the neck's center in mm.
        radii: (N,) of the largest spheres within the vessel in mm; 0 where it is not looked at.
        places: distances in mm where branches may begin, the nearest first.
        shortest: length in mm of the shortest branch; what is shorter is a remnant of a wall.
        step: of the walk along a branch in mm.
    """
    found: list[float] = []
    for place in places:
        measured = [
            _mean_radius(radii[part], distances[part] - place, shortest, step)
            for part in _parts(vessel, (distances >= place) & (radii > 0))
        ]
        found = max(found, [radius for radius in measured if radius], key=len)
    return found


def _parts(vessel: Mask, chosen: Mask) -> list[Mask]:
    """The connected parts of some of the vessel's voxels (N,), each as (N,)."""
    mask = np.zeros_like(vessel)
    mask[vessel] = chosen
    numbers = connected_components(mask)[0][vessel]
    return [numbers == number for number in range(1, int(numbers.max()) + 1)]


def _mean_radius(radii: Floats, along: Floats, shortest: float, step: float) -> float | None:
    """The mean of the largest radii in each step along a branch.

    None of one that is too short, or does not begin here.
    """
    if along.min() > 2 * step or along.max() < shortest:
        return None
    shells = (along / step).astype(np.int64)
    largest = ndimage.maximum(radii, shells, np.arange(shells.max() + 1))
    # Closer than a radius to where a vessel ends, spheres are smaller than it is wide.
    last = min(WALKED * largest[0], along.max() - largest[0])
    walked = np.arange(len(largest)) * step < last - ROUNDING
    return float(largest[walked].mean()) if walked.any() else None


def _connected_to(neck: Neck, vessel: Mask, spacing: Floats, start: Integers) -> Mask:
    """The part of the vessels that the neck's plane figure lies next to; both, where two do."""
    components, _ = connected_components(vessel)
    inside = np.argwhere(vessel)
    distances = np.linalg.norm((inside + start) * spacing - neck.center, axis=1)
    nearest = inside[distances <= distances.min() + ROUNDING]
    return np.isin(components, components[tuple(nearest.T)])
