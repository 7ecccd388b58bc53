"""The angles between a sac, its neck and the vessel that the blood comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from gsema_core.grids.components import connected_components
from gsema_core.measurements.interface import ROUNDING, Floats, Integers, Mask, faces_between
from gsema_core.measurements.neck import Neck
from gsema_core.measurements.parent_vessel import REACH_MM, diameter_loss_mm

LENGTH = 1.5
"""Vessel diameters along which a branch's direction is taken, as Dhar et al. look 1.5 diameters
upstream."""

CLEARLY_WIDER = 1.2
"""The least ratio of the widest branch to the next one for which it is taken for the inflow. Our
choice: where a symmetric fork follows Murray's law, the parent is 1.26 times as wide."""

CLEARLY_WIDER_VOXELS = 1.0
"""And the least difference in voxels of the coarsest axis: more than the two ends of a tube differ
by, at most 0.7 (Testing/benchmarks/sac_shapes.py)."""


@dataclass(frozen=True, eq=False)
class Branch:
    """A vessel that leaves the neck.

    Args:
        direction: (3,) unit vector away from the neck.
        diameter_mm: from inscribed spheres, as ``parent_vessel_diameter_mm`` measures.
    """

    direction: Floats
    diameter_mm: float


@dataclass(frozen=True)
class Inflow:
    """Angles in degrees between the inflow, the neck plane and the sac's long axis.

    Args:
        inflow_angle_deg: between the vessel, seen upstream, and the long axis; 180 where the blood
            flows straight into the dome, 90 where the sac stands across the vessel.
        vessel_angle_deg: between the vessel and the neck plane, 0 to 90.
    """

    inflow_angle_deg: float
    vessel_angle_deg: float


def aneurysm_angle_deg(neck: Neck, axis: Floats) -> float:
    """Between the sac's long axis and the neck plane, 90 for a sac that stands upright.

    The "aneurysm angle" of Dhar et al. (Neurosurgery 63:185, 2008).

    Args:
        neck: its normal.
        axis: (3,) of the sac, from ``dome.long_axis``.
    """
    return 90 - angle_deg(axis, neck.normal)


def inflow_angles(
    branches: list[Branch], neck: Neck, axis: Floats, coarsest_mm: float
) -> Inflow | str:
    """Inflow and vessel angle (Dhar et al., Neurosurgery 63:185, 2008; Baharoglu et al., Stroke
    41:1423, 2010).

    A label map does not say which way the blood flows. Arteries narrow downstream, so that the
    widest of the branches at a neck is the one that the blood comes through, if it is clearly so
    (``CLEARLY_WIDER``).

    Args:
        branches: those of ``branches_at``.
        neck: where they begin.
        axis: (3,) of the sac, from ``dome.long_axis``.
        coarsest_mm: the coarsest spacing.

    Returns:
        The angles, or the reason why there are none, a sentence.
    """
    if len(branches) < 2:
        return "Fewer than two branches of the vessel can be followed from the neck."
    first, second = sorted(
        branches, key=lambda one: (-round(one.diameter_mm, 7), angle_deg(one.direction, axis))
    )[:2]
    told = [angle_deg(one.direction, axis) for one in (first, second)]
    clearly = max(
        CLEARLY_WIDER * second.diameter_mm,
        second.diameter_mm + CLEARLY_WIDER_VOXELS * coarsest_mm,
    )
    if first.diameter_mm < clearly - ROUNDING:
        return (
            f"Two branches are about as wide ({first.diameter_mm:.1f} and "
            f"{second.diameter_mm:.1f} mm), so that the inflow is not known: from the first it "
            f"would be {told[0]:.0f}°, from the second {told[1]:.0f}°."
        )
    return Inflow(told[0], abs(90 - angle_deg(first.direction, neck.normal)))


def angle_deg(first: Floats, second: Floats) -> float:
    """Between two unit vectors."""
    return math.degrees(math.acos(min(1.0, max(-1.0, float(first @ second)))))


def branches_at(
    vessel: Mask, neck: Neck, diameter_mm: float, spacing: Floats, start: Integers
) -> list[Branch]:
    """The vessels that leave the neck, in no order.

    A ball around the neck's center that reaches across the vessel takes it apart into branches.
    Each is followed over ``LENGTH`` vessel diameters: its direction is that of the line through the
    centers of its slices, found in two rounds. One that is shorter than half of that, or has a
    single slice, has no direction, and neither has a ring around the neck: these are none.

    Args:
        vessel: (k, j, i) mask around the neck.
        neck: where the aneurysm sits on it.
        diameter_mm: of the vessel, from ``parent_vessel_diameter_mm``.
        spacing: (3,) in mm along (k, j, i).
        start: (3,) index of the mask's first voxel in the array that it was cut from.
    """
    coarsest = float(spacing.max())
    near = max(neck.width_mm / 2 + diameter_mm / 2, 1.2 * diameter_mm) + coarsest
    length = LENGTH * diameter_mm
    span = (near, min(near + length, neck.width_mm / 2 + REACH_MM))
    inside = np.argwhere(vessel)
    vectors = (inside + start) * spacing - neck.center
    distances = np.linalg.norm(vectors, axis=1) + ROUNDING
    outer = np.zeros_like(vessel)
    outer[tuple(inside[distances >= near].T)] = True
    components, count = connected_components(outer)
    numbers = components[tuple(inside.T)]
    touching = _touching(vessel, components, inside[distances <= distances.min() + ROUNDING])
    walls = faces_between(vessel, ~vessel, spacing, start)
    if not len(walls):
        return []
    tree = cKDTree(walls.points - neck.center)
    found = []
    for number in range(1, count + 1):
        mine = vectors[numbers == number]
        if number in touching:
            found.append(_followed(mine, span, length / 2, tree, spacing))
    return [branch for branch in found if branch is not None]


def _touching(vessel: Mask, components: Integers, seeds: Integers) -> set[int]:
    """The numbers of the outer components that the part of the vessel at the neck goes on into."""
    inner, _ = connected_components(vessel & (components == 0))
    core = np.isin(inner, inner[tuple(seeds.T)]) & (inner > 0)
    around = ndimage.binary_dilation(core, np.ones((3, 3, 3), dtype=bool))
    return set(np.unique(components[around]).tolist()) - {0}


def _followed(
    vectors: Floats, span: tuple[float, float], least: float, tree: cKDTree, spacing: Floats
) -> Branch | None:
    """One branch, of its voxels (N, 3) as seen from the neck's center, within a span of distances
    in mm; None of a stump, which is shorter than ``least``, and of a ring."""
    coarsest = float(spacing.max())
    near, far = span
    begin = vectors[np.linalg.norm(vectors, axis=1) < near + 2 * coarsest - ROUNDING]
    direction = begin.mean(axis=0)
    if np.linalg.norm(direction) < ROUNDING:
        return None
    direction /= np.linalg.norm(direction)
    for _ in range(3):
        along = vectors @ direction + ROUNDING
        first = float((begin @ direction).max()) - 2 * coarsest  # beyond what the ball cuts off
        chosen = (along >= first) & (along < first + far - near)
        slices = np.floor((along[chosen] - first) / coarsest).astype(int)
        kept = np.unique(slices)
        if len(kept) < 2 or (kept[-1] + 1) * coarsest < least - ROUNDING:
            return None
        centers = np.stack(
            [ndimage.mean(vectors[chosen][:, axis], slices, kept) for axis in range(3)], axis=1
        )
        offsets = centers - centers.mean(axis=0)
        line = np.linalg.svd(offsets, full_matrices=False)[2][0]
        direction = line if line @ direction > 0 else -line
    radii = ndimage.maximum(tree.query(vectors[chosen])[0], slices, kept)
    return Branch(direction, float(2 * np.median(radii) + diameter_loss_mm(spacing)))
