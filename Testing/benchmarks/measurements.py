"""How far measurements are off on voxel shapes whose measures are known by formula.

Spheres, ellipsoids, spheres cut by a plane or a tube, and tubes are drawn in random places and
rotations on random grids. One JSON line a measurement: mean, standard deviation, least and largest
error, in the unit that its docstring states.

    python Testing/benchmarks/measurements.py --shapes 200
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict

import numpy as np
from scipy.integrate import quad
from scipy.spatial.transform import Rotation

from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import NoNeck, find_neck, height
from gsema_core.measurements.parent_vessel import parent_vessel_diameter_mm
from gsema_core.measurements.sac_centerline import sac_centerline_length_mm
from gsema_core.measurements.surface import surface_area_mm2

Errors = dict[str, list[float]]
ORIGIN = np.zeros(3, dtype=np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=200, help="of each kind and size")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    for measure in (diameters, surfaces, waists, necks, parent_vessels, forks, centerlines):
        errors: Errors = defaultdict(list)
        for _ in range(arguments.shapes):
            measure(random, errors)
        for name, values in errors.items():
            print(json.dumps({"measurement": name, **_summary(values)}), flush=True)


def diameters(random: np.random.Generator, errors: Errors) -> None:
    """Errors in voxels of spheres and of ellipsoids twice as long, 5 to 20 voxels across."""
    for name, stretch in (("sphere", 1.0), ("elongated sac", 2.0)):
        across = random.uniform(5, 20)
        axes = np.array([across * stretch, across, across]) / 2
        spacing = np.ones(3)
        points = np.argwhere(_ellipsoid(random, axes, spacing)) * spacing
        first, second = largest_diameter(points, spacing)
        errors[f"largest diameter, {name} (voxels)"].append(
            float(np.linalg.norm(second - first)) - across * stretch
        )


def surfaces(random: np.random.Generator, errors: Errors) -> None:
    """Relative errors by the coarsest axis' voxels across the sphere of the same volume."""
    for across in (4, 6, 10, 14):
        spacing = np.array([random.uniform(1 / 3, 1), random.uniform(1 / 3, 1), 1.0])
        ratios = np.array([random.uniform(1, 2.4), 1.0, random.uniform(1, 1.5)])
        axes = across * 1.02 / 2 * ratios / math.prod(ratios) ** (1 / 3)
        area = surface_area_mm2(_ellipsoid(random, axes, spacing), spacing)
        if area is not None:
            relative = area / _ellipsoid_area(axes) - 1
            errors[f"surface area, {across} voxels across (%)"].append(100 * relative)


def waists(random: np.random.Generator, errors: Errors) -> None:
    """Errors in coarsest voxels of round necks of hyperboloids, their walls up to 56 degrees off.

    r^2 = a^2 + (t z)^2: the neck is the waist at z = 0, as smooth as real lumens are.
    """
    spacing = _spacing(random)
    voxel = spacing.max()
    radius, slope = random.uniform(2.5, 10) * voxel, random.uniform(0, 1.5)
    points = _grid(random, 2 * radius + 19 * voxel, spacing) @ _rotation(random).T
    along, across = points[..., 2], np.hypot(points[..., 0], points[..., 1])
    solid = (across**2 <= radius**2 + (slope * along) ** 2) & (np.abs(along) < 4 * voxel)
    faces = faces_between(solid & (along > 0), solid & (along <= 0), spacing, ORIGIN)
    neck = find_neck(faces, solid.shape)
    errors["neck, waists: share not found (%)"].append(100.0 * isinstance(neck, NoNeck))
    if isinstance(neck, NoNeck):
        return
    for name, found, true in (
        ("neck width, waists (coarsest voxels)", neck.width_mm, 2 * radius),
        ("neck breadth, waists (coarsest voxels)", neck.breadth_mm, 2 * radius),
        ("neck equivalent diameter, waists (coarsest voxels)", neck.equivalent_diameter_mm,
         2 * radius),
        ("neck perimeter over pi, waists (coarsest voxels)", neck.perimeter_mm / math.pi,
         2 * radius),
    ):  # fmt: skip
        errors[name].append((found - true) / voxel)


def necks(random: np.random.Generator, errors: Errors) -> None:
    """Errors in coarsest voxels of the width and height of spheres cut by a plane."""
    spacing = _spacing(random)
    voxel = spacing.max()
    radius = random.uniform(3, 12) * voxel
    # The walls meet at the angle whose cosine is the cut's height over the radius.
    cut = radius * random.uniform(-0.75, 0.5)
    width = 2 * math.sqrt(radius**2 - cut**2)
    if width < 5 * voxel:
        return
    normal = _rotation(random)[0]
    points = _grid(random, 2 * radius + 10 * voxel, spacing)
    along = points @ normal
    sac = (np.linalg.norm(points, axis=-1) <= radius) & (along > cut)
    vessel = (along <= cut) & (along > cut - 4 * voxel)
    neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
    if isinstance(neck, NoNeck):
        errors["neck, planes: share not found (%)"].append(100.0)
        return
    errors["neck, planes: share not found (%)"].append(0.0)
    errors["neck width, planes (coarsest voxels)"].append((neck.width_mm - width) / voxel)
    measured = height(neck, np.argwhere(sac) * spacing, spacing)
    if measured is not None:
        errors["height, planes (coarsest voxels)"].append((measured[0] - (radius - cut)) / voxel)


def parent_vessels(random: np.random.Generator, errors: Errors) -> None:
    """Errors in coarsest voxels of straight tubes' width and the neck of a sphere on each.

    The tubes' cross-sections are ellipses, 0.7 to 1 as high as wide, as vessels' are.
    """
    spacing = _spacing(random)
    voxel = spacing.max()
    radius = random.uniform(3, 12) * voxel / 2
    rotation = _rotation(random)
    points = _grid(random, 14 * radius, spacing) @ rotation.T
    flatness = random.uniform(0.7, 1)
    vessel = np.hypot(points[..., 0], points[..., 1] / flatness) <= radius
    sac_radius = radius * random.uniform(0.8, 1.6)
    center = np.array([radius + 0.6 * sac_radius, 0.0, 0.0])
    sac = (np.linalg.norm(points - center, axis=-1) <= sac_radius) & ~vessel
    neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
    if isinstance(neck, NoNeck):
        return
    width = 1.6 * sac_radius  # along the tube, where the sphere's center is 0.6 radii above it
    errors["neck width, tubes (coarsest voxels)"].append((neck.width_mm - width) / voxel)
    measured = parent_vessel_diameter_mm(vessel, neck, spacing, ORIGIN)
    if measured is not None:
        errors["parent vessel, flat tubes (coarsest voxels)"].append(
            (measured - 2 * flatness * radius) / voxel
        )


def forks(random: np.random.Generator, errors: Errors) -> None:
    """Errors in coarsest voxels of the mean width of a fork's three straight branches."""
    spacing = _spacing(random)
    voxel = spacing.max()
    radii = random.uniform(3, 12) * voxel / 2 * np.array([1, *random.uniform(0.6, 1, 2)])
    turns = np.radians([-90, random.uniform(20, 60), random.uniform(120, 160)])
    points = _grid(random, 16 * radii[0], spacing) @ _rotation(random).T
    vessel = np.zeros(points.shape[:3], dtype=bool)
    for radius, turn in zip(radii, turns, strict=True):
        direction = np.array([math.cos(turn), math.sin(turn), 0.0])
        along = points @ direction
        aside = np.linalg.norm(points - along[..., None] * direction, axis=-1)
        vessel |= (aside <= radius) & (along >= 0)
    vessel |= np.linalg.norm(points, axis=-1) <= radii[0]
    sac = np.linalg.norm(points - [0.0, 1.8 * radii[0], 0.0], axis=-1) <= 1.2 * radii[0]
    sac &= ~vessel
    neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
    if isinstance(neck, NoNeck):
        return
    measured = parent_vessel_diameter_mm(vessel, neck, spacing, ORIGIN)
    if measured is not None:
        errors["parent vessel, forks (coarsest voxels)"].append(
            (measured - 2 * radii.mean()) / voxel
        )


def centerlines(random: np.random.Generator, errors: Errors) -> None:
    """Errors in coarsest voxels of the centerlines of caps, egg-shaped and bent sacs."""
    spacing = _spacing(random)
    voxel = spacing.max()
    rotation = _rotation(random)

    radius = random.uniform(3, 12) * voxel
    cut = radius * random.uniform(-0.85, 0.5)
    points = _grid(random, 2 * radius + 26 * voxel, spacing) @ rotation.T
    inside = np.linalg.norm(points, axis=-1) <= radius
    name = "shallow" if cut > 0 else "deep"
    _centerline(errors, f"{name} caps", points, inside, cut, radius - cut, spacing)

    axis = random.uniform(3, 8) * voxel
    long = axis * random.uniform(1, 2)
    cut = -long * random.uniform(0.3, 0.85)
    points = _grid(random, 2 * long + 26 * voxel, spacing) @ rotation.T
    inside = ((points / [axis, axis, long]) ** 2).sum(axis=-1) <= 1
    # The sphere at z has the radius a sqrt(1 - z^2 / (c^2 - a^2)), until its touches the tip.
    reach = long
    if axis < 0.75 * long:
        reach = math.sqrt((1 - 0.75**2) * (long**2 - axis**2)) + 0.75 * axis
    _centerline(errors, "ellipsoids", points, inside, cut, reach - cut, spacing)

    radius = random.uniform(3, 7) * voxel
    bend, arc = radius * random.uniform(1.5, 3), random.uniform(0.6, 1.6)
    points = _grid(random, 2 * (bend + radius) + 4 * voxel, spacing) @ rotation.T
    along = np.arctan2(points[..., 1], points[..., 0])
    tube = np.hypot(np.hypot(points[..., 0], points[..., 1]) - bend, points[..., 2]) <= radius
    end = bend * np.array([math.cos(arc), math.sin(arc), 0.0])
    inside = tube & (np.abs(along) <= arc)
    inside |= (np.linalg.norm(points - end, axis=-1) <= radius) & (along > 0)
    _centerline(
        errors, "bent sacs", along[..., None] * [0, 0, 1], inside, 0.0, bend * arc + radius, spacing
    )


def _centerline(
    errors: Errors, name: str, points: np.ndarray, inside: np.ndarray, cut: float, true: float,
    spacing: np.ndarray,
) -> None:  # fmt: skip
    """Of a sac above z = ``cut``; below it a block or the rest of the tube is the vessel."""
    sac = inside & (points[..., 2] > cut)
    vessel = (points[..., 2] <= cut) & (inside if name == "bent sacs" else True)
    vessel &= points[..., 2] > cut - 12 * spacing.max()
    neck = find_neck(faces_between(sac, vessel, spacing, ORIGIN), sac.shape)
    if not isinstance(neck, NoNeck):
        found = sac_centerline_length_mm(sac, vessel, neck, spacing, ORIGIN)
        errors[f"sac centerline, {name} (coarsest voxels)"].append((found - true) / spacing.max())


def _ellipsoid(random: np.random.Generator, axes: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    points = _grid(random, 2 * axes.max() + 4 * spacing.max(), spacing) @ _rotation(random).T
    return ((points / axes) ** 2).sum(axis=-1) <= 1


def _ellipsoid_area(axes: np.ndarray) -> float:
    """By quadrature of the distance-to-tangent-plane form; 1e-6 relative."""
    a, b, c = axes

    def ring(theta: float) -> float:
        def element(phi: float) -> float:
            n = (
                math.sin(theta) * math.cos(phi) / a,
                math.sin(theta) * math.sin(phi) / b,
                math.cos(theta) / c,
            )
            return math.sqrt(sum(each**2 for each in n))

        return math.sin(theta) * quad(element, 0, math.pi / 2)[0]

    return float(8 * a * b * c * quad(ring, 0, math.pi / 2)[0])


def _grid(random: np.random.Generator, width: float, spacing: np.ndarray) -> np.ndarray:
    """Points (k, j, i, 3) in mm of a cube of voxels around a random place within a voxel."""
    counts = np.ceil(width / spacing).astype(int)
    indices = np.stack(np.indices(tuple(counts)), axis=-1) - (counts - 1) / 2
    return (indices + random.uniform(-0.5, 0.5, 3)) * spacing


def _spacing(random: np.random.Generator) -> np.ndarray:
    """In mm, up to 1:1:2."""
    return np.array([random.uniform(0.5, 1), random.uniform(0.5, 1), 1.0]) * 0.5


def _rotation(random: np.random.Generator) -> np.ndarray:
    return Rotation.random(random_state=random).as_matrix()


def _summary(values: list[float]) -> dict[str, float | int]:
    array = np.array(values)
    return {
        "shapes": len(array),
        "mean": round(float(array.mean()), 3),
        "deviation": round(float(array.std()), 3),
        "least": round(float(array.min()), 3),
        "largest": round(float(array.max()), 3),
    }


if __name__ == "__main__":
    main()
