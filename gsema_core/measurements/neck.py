"""The neck of an aneurysm: the opening from the vessel into the sac, and the plane across it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gsema_core.grids.geometry import Geometry
from gsema_core.measurements.interface import ROUNDING, Faces, Floats

HEIGHT_LOSS = 0.35
"""Voxels that a height measured to the last voxel's center lacks; our fit, see ``height``."""

FLATTEST_FOLD = 1 / 3
"""The least share that an interface's opening may have of its faces; a hemisphere has a third."""

LARGEST_OTHER = 0.5
"""The largest share that a second opening may have of the first one's area. Our choice."""

SLENDEREST = 1 / 4
"""The least ratio of the opening's two diameters; a slimmer contact is that of a vessel which runs
along the sac. Our choice: real openings have 0.65 (median of 72), those across a fork of thin
vessels 0.3."""


@dataclass(frozen=True, eq=False)
class Neck:
    """The opening between an aneurysm and its vessel, as a plane figure.

    The width and the breadth are the axes of the ellipse with the same second moments as the
    opening, seen along the neck plane's normal: the width is the neck's largest diameter, as
    interventional practice has it, but not at the mercy of single voxels.

    Errors in voxels of the coarsest axis, in random places and rotations, spacing up to 1:1:2 (300
    shapes each, Testing/benchmarks/measurements.py): on rounded necks, as lumens have them, width
    0.2 +- 0.1, breadth -0.1 +- 0.1, at most 0.75; equivalent diameter 0.0 +- 0.1, at most 0.25.
    Where the walls meet in a groove, labels touch each other as far as it is narrower than a
    voxel: width 0.6 +- 0.3, at most 1.9, of spheres on planes, 0.9 +- 0.3, at most 1.9, on tubes.

    Args:
        center: (3,) in mm along the array's axes.
        normal: (3,) unit vector from the vessel into the sac.
        axis: (3,) unit vector in the plane along the opening's largest diameter, its long axis.
        width_mm: the opening's largest diameter, the whole long axis.
        breadth_mm: the diameter across it, the whole short axis.
        area_mm2: of the opening, as seen along the normal.
    """

    center: Floats
    normal: Floats
    axis: Floats
    width_mm: float
    breadth_mm: float
    area_mm2: float

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """Both ends of the largest diameter."""
        half = self.axis * self.width_mm / 2
        return self.center - half, self.center + half

    @property
    def equivalent_diameter_mm(self) -> float:
        """Of the circle of the same area: 2 sqrt(A / pi)."""
        return 2 * math.sqrt(self.area_mm2 / math.pi)

    @property
    def hydraulic_diameter_mm(self) -> float:
        """4 A / perimeter: of a circle the diameter, of an ellipse less than the equivalent one.

        Piccinelli et al. (Annals of Biomedical Engineering 40:2188, 2012) divide by it for their
        aspect ratio.
        """
        return 4 * self.area_mm2 / self.perimeter_mm

    @property
    def perimeter_mm(self) -> float:
        """Of the ellipse with both axes (Ramanujan's second formula, within 0.1 % up to 1:4).

        The rim itself, a staircase of voxel edges, is up to 1.5 times as long.
        """
        a, b = self.width_mm / 2, self.breadth_mm / 2
        h = ((a - b) / (a + b)) ** 2
        return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))

    def plane_lps(self, geometry: Geometry) -> tuple[Floats, Floats]:
        """The ostium plane: its center in mm and its unit normal into the sac, both (3,) in LPS.

        Args:
            geometry: that of the label map.
        """
        center = geometry.index_to_world((self.center / geometry.spacing[::-1])[::-1])
        return center, geometry.direction_matrix @ self.normal[::-1]


@dataclass(frozen=True)
class NoNeck:
    """Why an aneurysm has no neck.

    Args:
        reason: the rest of a sentence that begins with "No neck: ".
    """

    reason: str


def find_neck(faces: Faces, shape: tuple[int, ...]) -> Neck | NoNeck:
    """Fit the neck plane to the faces between an aneurysm (first set) and vessels (second).

    The normal is the faces' vector area, sum n dA. It depends on nothing but the rim of the
    interface (Stokes), so a vessel that bulges into the sac, or a cut that a labelling made inside
    the lumen, does not tilt it. The plane lies at the rim's mean height: an ostium is the line
    where both walls meet. The opening's area, center and second moments are those of the faces'
    signed projections, which folds of the interface do not change either.

    Args:
        faces: between the two sets.
        shape: (k, j, i) of the whole label map.

    Returns:
        The neck, or the reason where no plane is across an opening: no vessel touches the aneurysm
        by a face; there are two openings, the second more than ``LARGEST_OTHER`` of the first
        (fusiform aneurysms); the interface is folded more than a hemisphere; it is slimmer than
        ``SLENDEREST``; or the label map's border cuts it off.
    """
    if len(faces) == 0:
        return NoNeck("no vessel touches the aneurysm")
    patches = faces.patches()
    openings = [float(np.linalg.norm(patch.vectors.sum(axis=0))) for patch in patches]
    order = np.argsort(openings)[::-1]
    opening = patches[order[0]]
    if len(order) > 1 and openings[order[1]] > LARGEST_OTHER * openings[order[0]] + ROUNDING:
        return NoNeck("two openings of similar size, as a fusiform aneurysm has them")
    if (opening.halves <= 0).any() or (opening.halves >= 2 * (np.array(shape) - 1)).any():
        return NoNeck("the volume's border cuts the opening off")
    vector = opening.vectors.sum(axis=0)
    # A flat sheet of voxel faces has sum |n dA| along each axis, however it is turned.
    if np.abs(vector).sum() < FLATTEST_FOLD * opening.areas.sum() - ROUNDING:
        return NoNeck(
            "the vessel reaches into the aneurysm, so that no plane is across the opening"
        )
    normal = vector / np.linalg.norm(vector)
    center, axis, longer, shorter = _figure(opening, normal)
    if shorter < SLENDEREST * longer - ROUNDING:
        return NoNeck("the vessel runs along the aneurysm instead of opening into it")
    rim, lengths = opening.rim()
    height = float(np.average(rim @ normal, weights=lengths))
    center = center + (height - float(center @ normal)) * normal
    lost = _rim_loss(normal, faces.spacing)
    width, breadth = longer + lost, shorter + lost
    # The area keeps the opening's own figure, widened as its axes are.
    area = float(np.linalg.norm(vector)) * width / longer * breadth / shorter
    return Neck(center, normal, axis, width, breadth, area)


def height(neck: Neck, points: Floats, spacing: Floats) -> tuple[float, Floats] | None:
    """The largest distance of the sac from the neck plane, along the plane's normal.

    The "maximum perpendicular height" of Dhar et al. (Neurosurgery 63:185, 2008), H in Raghavan
    et al. (Journal of Neurosurgery 102:355, 2005). Centers of voxels fall short of the wall, so
    ``HEIGHT_LOSS`` voxels along the normal are added. The error is then 0.0 +- 0.1 of the coarsest
    voxel, at most 0.3, on the planes of ``Neck``'s measurement.

    Args:
        neck: its plane.
        points: (N, 3) voxel centers of the sac's surface in mm along the array's axes.
        spacing: (3,) in mm along the array's axes.

    Returns:
        The height in mm and the dome's tip (3,), or None where no voxel lies above the plane.
    """
    heights = (points - neck.center) @ neck.normal
    top = int(heights.argmax())
    if heights[top] <= ROUNDING:
        return None
    extra = HEIGHT_LOSS * float(np.linalg.norm(neck.normal * spacing))
    return float(heights[top]) + extra, points[top] + extra * neck.normal


def _rim_loss(normal: Floats, spacing: Floats) -> float:
    """What the diameters of a sheet of voxel faces lack, in mm.

    A face needs a voxel of the lumen on both of its sides, and one is shifted against the other by
    s sqrt(1 - n^2) along the plane (n the normal's part along the face's axis, s the spacing). A
    disc overlaps its copy that is shifted by d in pi D^2 / 4 - D d, as a disc smaller by 2 d / pi
    does. Axis by axis the faces have n^2 of the area: so the loss is 2 / pi sum n^2 s sqrt(1 -
    n^2), in the mean over all directions 3 / 8 of a cubic voxel.
    """
    squares = normal**2
    return float(2 / math.pi * squares @ (spacing * np.sqrt(np.clip(1 - squares, 0, None))))


def _figure(opening: Faces, normal: Floats) -> tuple[Floats, Floats, float, float]:
    """The opening's centroid, the direction of its largest diameter, that and the one across."""
    weights = opening.vectors @ normal
    weights = weights / weights.sum()
    points = opening.points
    flatten = np.eye(3) - np.outer(normal, normal)
    center = weights @ points
    offsets = (points - center) @ flatten
    moments = (weights[:, None] * offsets).T @ offsets
    for axis in range(3):  # each face's own extent: spacing^2 / 12 along both of its sides
        share = weights[opening.axes == axis].sum() / 12
        sides = np.where(np.arange(3) == axis, 0.0, opening.spacing**2)
        moments += share * flatten @ np.diag(sides) @ flatten
    values, vectors = np.linalg.eigh(moments)  # in rising order; the first is the normal's, 0
    shorter, longer = (4 * math.sqrt(max(value, 0.0)) for value in values[1:])
    return center, vectors[:, 2], longer, shorter
