"""How far width, shape indices and angles of sacs are off on voxel shapes known by formula.

Sacs are bodies of revolution on a neck at z = 0: spheres cut by a plane, pears with a rounded neck
and spheres with a bleb, in random places and rotations on random grids (spacing up to 1:1:2), by
the coarsest axis' voxels across the sphere of the same volume. Angles are those of sacs on straight
tubes and on forks of three. One JSON line a measurement, as Testing/benchmarks/measurements.py
prints.

    python Testing/benchmarks/sac_shapes.py --shapes 200
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from measurements import ORIGIN, Errors, _grid, _rotation, _spacing, _summary
from scipy.spatial import ConvexHull

from gsema_core.measurements.dome import largest_width, long_axis
from gsema_core.measurements.inflow import (
    Branch,
    Inflow,
    aneurysm_angle_deg,
    angle_deg,
    branches_at,
    inflow_angles,
)
from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import Neck, NoNeck, find_neck
from gsema_core.measurements.parent_vessel import parent_vessel_diameter_mm
from gsema_core.measurements.shape_indices import dome_area_mm2, opening_of, shape_indices

Profile = Callable[[np.ndarray], np.ndarray]
"""The squared radius of a body of revolution at heights z over the neck; negative outside."""

ACROSS = (6, 8, 10, 14, 20)
HEMISPHERE = (18 * math.pi) ** (1 / 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=200, help="of each kind and size")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    for measure in (indices, lateral, terminal):
        errors: Errors = defaultdict(list)
        for _ in range(arguments.shapes):
            measure(random, errors)
        for name, values in errors.items():
            print(json.dumps({"measurement": name, **_summary(values)}), flush=True)


def indices(random: np.random.Generator, errors: Errors) -> None:
    """Errors of areas in %, of indices as they are, of lengths in coarsest voxels."""
    for kind, draw in (("cap", cap), ("pear", pear), ("bleb", bleb)):
        for across in ACROSS:
            shape, true = _scaled(draw(random), across)
            spacing = np.array([random.uniform(0.5, 1), random.uniform(0.5, 1), 1.0])
            sac, vessel = _voxels(shape, true, kind == "pear", random, spacing)
            neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
            missed = isinstance(neck, NoNeck)
            errors[f"{kind}, {across} voxels: share without neck (%)"].append(100.0 * missed)
            if isinstance(neck, NoNeck):
                continue
            for name, error in _of_indices(sac, vessel, neck, spacing, true).items():
                errors[f"{kind}, {across} voxels: {name}"].append(error)


def _of_indices(
    sac: np.ndarray, vessel: np.ndarray, neck: Neck, spacing: np.ndarray, true: dict[str, float]
) -> dict[str, float]:
    found = shape_indices(sac, vessel, neck, spacing, ORIGIN)
    area = dome_area_mm2(sac, opening_of(vessel, neck, spacing, ORIGIN), neck, spacing)
    points = np.argwhere(sac) * spacing
    first, second = largest_width(neck, points, spacing)
    longest, axis = long_axis(neck, points, spacing)
    told = {
        "dome area (%)": 100 * (area / true["area"] - 1),
        "width (voxels)": float(np.linalg.norm(second - first)) - true["width"],
        "maximum height (voxels)": longest - true["longest"],
        "share without long axis (%)": 100.0 * (axis is None),
    }
    if axis is not None:
        told["aneurysm angle (degrees)"] = aneurysm_angle_deg(neck, axis) - 90
    if found is not None:
        told |= {
            "non-sphericity index": found.non_sphericity - true["nsi"],
            "ellipticity index": found.ellipticity - true["ei"],
            "undulation index": found.undulation - true["ui"],
        }
    return told


def cap(random: np.random.Generator) -> Profile:
    """A unit sphere cut by a plane."""
    middle = random.uniform(-0.3, 0.75)
    return lambda z: 1 - (z - middle) ** 2


def pear(random: np.random.Generator) -> Profile:
    """Wider above its neck, which is as smooth as real lumens are."""
    neck, slope, height = random.uniform(0.4, 0.9), random.uniform(0.2, 0.9), random.uniform(1.2, 2)
    return lambda z: (neck**2 + (slope * z) ** 2) * (1 - (z / height) ** 4)


def bleb(random: np.random.Generator) -> Profile:
    """A cut unit sphere with a smaller one on its top."""
    middle, radius = random.uniform(0.2, 0.75), random.uniform(0.35, 0.6)
    top = middle + 1 + radius * random.uniform(0.1, 0.6)
    return lambda z: np.maximum(1 - (z - middle) ** 2, radius**2 - (z - top) ** 2)


def _scaled(shape: Profile, across: float) -> tuple[Profile, dict[str, float]]:
    """The body ``across`` voxels across, and its exact measures."""
    unit = _exact(shape)
    scale = across * 1.02 / (6 * unit["volume"] / math.pi) ** (1 / 3)

    def larger(z: np.ndarray) -> np.ndarray:
        return scale**2 * shape(z / scale)

    return larger, _exact(larger, 3 * scale)


def _exact(shape: Profile, reach: float = 3.0) -> dict[str, float]:
    """Volumes and areas of the body's and its hull's meridian, as 20,000 slices of cones."""
    z = np.linspace(0, reach, 20_001)
    squared = shape(z)
    top = int(np.flatnonzero(squared > 0)[-1]) + 2
    z, r = z[:top], np.sqrt(np.clip(squared[:top], 0, None))
    volume, area = _revolved(z, r)
    meridian = np.stack([np.r_[0, z, z[-1]], np.r_[0, r, 0]], axis=1)
    corners = meridian[ConvexHull(meridian).vertices]
    outer = corners[corners[:, 1] > 0]
    outer = outer[np.argsort(outer[:, 0])]
    hull_volume, hull_area = _revolved(np.r_[outer[:, 0], z[-1]], np.r_[outer[:, 1], 0])
    return {
        "volume": volume,
        "area": area,
        "nsi": 1 - HEMISPHERE * volume ** (2 / 3) / area,
        "ei": 1 - HEMISPHERE * hull_volume ** (2 / 3) / hull_area,
        "ui": 1 - volume / hull_volume,
        "width": 2 * float(r.max()),
        "longest": float(np.hypot(z, r).max()),
        "height": float(z[-1]),
    }


def _revolved(z: np.ndarray, r: np.ndarray) -> tuple[float, float]:
    """Volume, and area without the flat ends, of slices of cones."""
    steps = np.diff(z)
    slants = np.hypot(steps, np.diff(r))
    volume = math.pi / 3 * (steps * (r[1:] ** 2 + r[1:] * r[:-1] + r[:-1] ** 2)).sum()
    return float(volume), float((math.pi * (r[1:] + r[:-1]) * slants).sum())


def _voxels(
    shape: Profile, true: dict[str, float], goes_on: bool, random: np.random.Generator,
    spacing: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The sac and the vessel below its neck: a slab, or the sac's own shape where it goes on."""
    points = _grid(random, 2 * max(true["longest"], true["width"]) + 12, spacing)
    points = points @ _rotation(random).T + [0, 0, true["height"] / 2]
    z, squared = points[..., 2], points[..., 0] ** 2 + points[..., 1] ** 2
    inside = squared <= shape(z)
    below = (z <= 0) & (z > -4)
    return inside & (z > 0), below & inside if goes_on else below


def lateral(random: np.random.Generator, errors: Errors) -> None:
    """Errors in degrees and coarsest voxels of leaning sacs on straight tubes."""
    spacing = _spacing(random)
    voxel = float(spacing.max())
    diameter = random.uniform(4, 12) * voxel
    rotation = _rotation(random)
    points = _grid(random, 10 * diameter, spacing) @ rotation.T
    vessel = np.hypot(points[..., 0], points[..., 1]) <= diameter / 2
    lean = math.radians(random.uniform(-35, 35))
    toward = np.array([math.cos(lean), 0.0, math.sin(lean)])
    sac = _sac_towards(points, np.array([diameter / 2, 0, 0]), toward, diameter, random) & ~vessel
    told = _branches(sac, vessel, spacing)
    if told is None:
        return
    neck, branches = told
    errors["tubes: branches not found"].append(2.0 - len(branches))
    along = rotation.T @ np.array([0.0, 0.0, 1.0])
    for one in branches:
        angle = angle_deg(one.direction, along)
        errors["tubes: direction of a branch (degrees)"].append(min(angle, 180 - angle))
        errors["tubes: width of a branch (voxels)"].append((one.diameter_mm - diameter) / voxel)
    if len(branches) == 2:
        first, second = (one.diameter_mm for one in branches)
        errors["tubes: difference of both ends (voxels)"].append(abs(first - second) / voxel)
        decided = isinstance(inflow_angles(branches, neck, neck.normal, voxel), Inflow)
        errors["tubes: share with an inflow, where there is none (%)"].append(100.0 * decided)


def terminal(random: np.random.Generator, errors: Errors) -> None:
    """Errors in degrees of sacs on forks whose branches are 0.6 to 0.8 times as wide."""
    spacing = _spacing(random)
    voxel = float(spacing.max())
    diameter = random.uniform(5, 12) * voxel
    rotation = _rotation(random)
    points = _grid(random, 11 * diameter, spacing) @ rotation.T
    half = math.radians(random.uniform(50, 80))
    vessel = _tube(points, np.array([0.0, 0.0, -1.0]), diameter / 2)
    for side in (1, -1):
        direction = np.array([side * math.sin(half), 0.0, math.cos(half)])
        vessel |= _tube(points, direction, diameter / 2 * random.uniform(0.6, 0.8))
    lean = math.radians(random.uniform(-20, 20))
    toward = np.array([0.0, math.sin(lean), math.cos(lean)])
    sac = _sac_towards(points, diameter * 0.3 * toward, toward, diameter, random) & ~vessel
    told = _branches(sac, vessel, spacing)
    if told is None:
        return
    neck, branches = told
    errors["forks: branches not found"].append(3.0 - len(branches))
    if not branches:
        return
    upstream = rotation.T @ np.array([0.0, 0.0, -1.0])
    widest = max(branches, key=lambda one: one.diameter_mm)
    errors["forks: direction of the widest branch (degrees)"].append(
        angle_deg(widest.direction, upstream)
    )
    _, axis = long_axis(neck, np.argwhere(sac) * spacing, spacing)
    errors["forks: share without long axis (%)"].append(100.0 * (axis is None))
    if axis is None:
        return
    found = inflow_angles(branches, neck, axis, voxel)
    errors["forks: share without inflow (%)"].append(100.0 * (not isinstance(found, Inflow)))
    if isinstance(found, Inflow):
        errors["forks: inflow angle (degrees)"].append(
            found.inflow_angle_deg - angle_deg(upstream, axis)
        )


def _branches(
    sac: np.ndarray, vessel: np.ndarray, spacing: np.ndarray
) -> tuple[Neck, list[Branch]] | None:
    neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
    if isinstance(neck, NoNeck):
        return None
    diameter = parent_vessel_diameter_mm(vessel, neck, spacing, ORIGIN)
    if diameter is None:
        return None
    return neck, branches_at(vessel, neck, diameter, spacing, ORIGIN)


def _sac_towards(
    points: np.ndarray, base: np.ndarray, toward: np.ndarray, diameter: float,
    random: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """A round-ended sac that leaves ``base`` in a direction."""
    radius = diameter * random.uniform(0.45, 0.8)
    offset = points - base - 0.5 * radius * toward
    along = np.clip(offset @ toward, 0, random.uniform(0.8, 1.4) * radius)
    return np.linalg.norm(offset - along[..., None] * toward, axis=-1) <= radius


def _tube(points: np.ndarray, direction: np.ndarray, radius: float) -> np.ndarray:
    """From the origin on, with a round end there."""
    along = np.clip(points @ direction, 0, None)
    return np.linalg.norm(points - along[..., None] * direction, axis=-1) <= radius


if __name__ == "__main__":
    main()
