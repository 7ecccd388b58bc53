"""The shape of one sac, in a frame of its own: its neck at the origin, its dome along an axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gsema_core.grids.boxes import bounding_box, box_of, grown
from gsema_core.grids.components import connected_components
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements.diameter import largest_diameter
from gsema_core.measurements.interface import faces_between
from gsema_core.measurements.neck import Neck, find_neck, height
from gsema_core.simulation.sacs.parametric_sac import grow_balls
from gsema_core.simulation.trees.artery_tree import SMALLEST_SAC_MM3

Floats = npt.NDArray[np.float64]

MARGIN_VOXELS = 6
"""Around a sac, so that its surface lies well inside its field."""

SMOOTH_VOXELS = 0.6
"""Standard deviation of the Gaussian that takes the steps of voxels off a wall (a pilot's)."""

FAR_MM = 9.0
"""What is said to lie outside of where a shape's field ends."""

LEAST_HEIGHT = 0.3
"""A donor's height is at least this share of its diameter: flat ones are caps (ours)."""

STEPS = 28
"""Voxels across a parametric sac's field."""


@dataclass(frozen=True, eq=False)
class SacShape:
    """A sac as the field of signed distances from its wall.

    Args:
        field: (k, j, i) mm from the wall, negative inside.
        spacing: side of its voxels in mm.
        neck: (3,) the neck's middle, in voxels of the field.
        basis: (3, 3) rows: unit vectors from the neck into the sac, and two across, in the field.
        neck_radius_mm: of the circle of the neck's area.
        diameter_mm: the largest one.
        height_mm: above the neck's plane.
        name: of the donor, for records.
    """

    field: npt.NDArray[np.float32]
    spacing: float
    neck: Floats
    basis: Floats
    neck_radius_mm: float
    diameter_mm: float
    height_mm: float
    name: str

    @property
    def neck_share(self) -> float:
        """The neck's width as a share of the diameter."""
        return 2 * self.neck_radius_mm / self.diameter_mm

    @cached_property
    def points(self) -> Floats:
        """(n, 3) some points of the sac above its neck, in mm as of `signed_mm`; its extent."""
        step = max(1, round(self.diameter_mm / self.spacing / 12))
        inside = np.argwhere(self.field[::step, ::step, ::step] < 0) * step
        own = (inside - self.neck) @ self.basis.T * self.spacing
        return np.asarray(own[own[:, 0] > 0], float)

    def signed_mm(self, points: Floats) -> Floats:
        """How far (..., 3) points lie outside the wall.

        Args:
            points: mm along the axis and the two across it, from the neck's middle.
        """
        places = points @ self.basis / self.spacing + self.neck
        flat = places.reshape(-1, 3).T
        values = ndimage.map_coordinates(self.field, flat, order=1, cval=FAR_MM)
        return np.asarray(values.reshape(points.shape[:-1]), float)

    def with_bleb(self, rng: np.random.Generator) -> SacShape:
        """The same with a daughter lobe on its dome.

        Lobes are a sixth to a third as wide as the sac and stand out by half to nearly all of
        their width (ours).
        """
        middle = np.array([self.height_mm / 2, 0.0, 0.0])
        toward = rng.standard_normal(3)
        toward[0] = abs(toward[0])
        toward /= np.linalg.norm(toward)
        ray = np.arange(0.0, self.diameter_mm, self.spacing / 4)
        outside = self.signed_mm(middle + ray[:, None] * toward) > 0
        if outside[0] or not outside.any():
            return self
        radius = self.diameter_mm * rng.uniform(1 / 6, 1 / 3) / 2
        center = middle + (ray[outside.argmax()] + rng.uniform(0.0, 0.7) * radius) * toward
        place = center @ self.basis / self.spacing + self.neck
        pad = int(np.ceil(radius / self.spacing)) + 1
        field = np.pad(self.field, pad, constant_values=FAR_MM)
        grid = np.moveaxis(np.indices(field.shape), 0, -1) - (place + pad)
        lobe = np.linalg.norm(grid, axis=-1) * self.spacing - radius
        joined = np.minimum(field, lobe).astype(np.float32)
        joined = ndimage.gaussian_filter(joined, SMOOTH_VOXELS)
        return replace(self, field=joined, neck=self.neck + pad, name=f"{self.name} with a bleb")


def shapes_of(labels: npt.NDArray[np.uint8], spacing: float, name: str) -> tuple[SacShape, ...]:
    """The sacs of a label map whose neck lies in a plane.

    Args:
        labels: (k, j, i), isotropic.
        spacing: side of a voxel in mm.
        name: of the patient.
    """
    mask = labels == ANEURYSM
    if not mask.any():
        return ()
    # A whole tree is large, its sacs are few.
    limit = box_of((0, 0, 0), labels.shape)
    around = grown(bounding_box(mask), (MARGIN_VOXELS,) * 3, limit)
    labels, limit = labels[around], box_of((0, 0, 0), labels[around].shape)
    sacs, count = connected_components(labels == ANEURYSM)
    shapes = []
    for number, found in enumerate(ndimage.find_objects(sacs), start=1):
        box = grown(found, (MARGIN_VOXELS,) * 3, limit)
        sac = sacs[box] == number
        if sac.sum() * spacing**3 >= SMALLEST_SAC_MM3:
            shape = _shape_of(sac, labels[box] == VESSEL, spacing, f"{name} {number}/{count}")
            shapes += [shape] if shape else []
    return tuple(shapes)


def _shape_of(
    sac: npt.NDArray[np.bool_], vessel: npt.NDArray[np.bool_], spacing: float, name: str
) -> SacShape | None:
    sac, vessel = (np.pad(mask, MARGIN_VOXELS) for mask in (sac, vessel))
    sides = np.full(3, spacing)
    neck = find_neck(faces_between(sac, vessel, sides, np.zeros(3, np.int64)), sac.shape)
    if not isinstance(neck, Neck):
        return None
    edge: Floats = np.argwhere(sac & ~ndimage.binary_erosion(sac)) * np.float64(spacing)
    top = height(neck, edge, sides)
    first, second = largest_diameter(edge, sides)
    diameter = float(np.linalg.norm(second - first))
    if top is None or top[0] < LEAST_HEIGHT * diameter:
        return None
    field = signed_distance(sac | (vessel & _beneath(neck, sac.shape, spacing)), spacing)
    return SacShape(
        field, spacing, neck.center / spacing, frame_along(neck.normal),
        neck.equivalent_diameter_mm / 2, diameter, top[0], name,
    )  # fmt: skip


def _beneath(neck: Neck, shape: tuple[int, ...], spacing: float) -> npt.NDArray[np.bool_]:
    """What lies beneath the opening: without it the field would have a wall across the neck."""
    offsets: Floats = np.moveaxis(np.indices(shape), 0, -1) * np.float64(spacing) - neck.center
    height = offsets @ neck.normal
    aside = np.sqrt(np.maximum((offsets**2).sum(axis=-1) - height**2, 0.0))
    radius = neck.equivalent_diameter_mm / 2
    return np.asarray((height < spacing) & (height > -radius - 2 * spacing) & (aside <= radius))


def signed_distance(mask: npt.NDArray[np.bool_], spacing: float) -> npt.NDArray[np.float32]:
    """Smoothed distance in mm from the surface of a mask, negative inside."""
    outside, inside = (ndimage.distance_transform_edt(part) for part in (~mask, mask))
    distance = np.where(mask, 0.5 - inside, outside - 0.5) * spacing
    return np.asarray(ndimage.gaussian_filter(distance, SMOOTH_VOXELS), np.float32)


def frame_along(axis: Floats, rng: np.random.Generator | None = None) -> Floats:
    """(3, 3) rows: the unit vector and two across it, turned by chance and perhaps mirrored."""
    if rng is None:
        across = np.eye(3)[np.abs(axis).argmin()]
        mirrored = 1.0
    else:
        across = rng.standard_normal(3)
        mirrored = rng.choice([-1.0, 1.0])
    across = across - (across @ axis) * axis
    across = across / np.linalg.norm(across)
    return np.stack([axis, across, mirrored * np.cross(axis, across)])


def parametric_shape(
    diameter_mm: float, necks: tuple[float, float], rng: np.random.Generator
) -> SacShape:
    """An ellipsoid, perhaps with lobes.

    Args:
        diameter_mm: its longer axis.
        necks: range of the neck's width as a share of the sac's.
        rng: draws the rest.
    """
    axis = np.array([1.0, 0.0, 0.0])
    balls = grow_balls(np.zeros(3), axis, diameter_mm, rng, necks)
    step = diameter_mm / STEPS
    # Lobes reach no farther than 0.85 of a radius and their own radius from the sac's middle.
    half = int(np.ceil(1.3 * diameter_mm / step))
    grid: Floats = np.moveaxis(np.indices((2 * half + 1,) * 3), 0, -1) * np.float64(step)
    grid[..., 0] -= half * step / 2
    grid[..., 1:] -= half * step
    field: Any = np.min([ball.signed_mm(grid) for ball in balls], axis=0)
    sac = balls[0]
    low = float(sac.center[0])  # of the ellipsoid's middle above the neck
    neck = sac.across * np.sqrt(max(1.0 - (low / sac.along) ** 2, 0.0))
    inside = (field < 0) & (grid[..., 0] >= 0)
    edge = grid[inside & ~ndimage.binary_erosion(inside)]
    first, second = largest_diameter(edge, np.full(3, step))
    return SacShape(
        np.asarray(field, np.float32), step, np.array([half / 2, half, half], float), np.eye(3),
        float(neck), float(np.linalg.norm(second - first)), float(edge[:, 0].max()), "parametric",
    )  # fmt: skip
