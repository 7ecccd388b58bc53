"""Dividing an aneurysm from its vessel anew, where a plane cuts the neck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gsema_core.errors import UserError
from gsema_core.grids.components import NEIGHBORS_26, connected_components
from gsema_core.measurements.interface import Faces, Floats, Integers, Mask, faces_between

ON_PLANE = 1e-6
"""Voxels; a center that is no further from the plane lies on it, whatever rounding says. Ours."""

ROUNDEST = 1.5
"""A section is that of a sac, and not that of a vessel cut along, up to this ratio of its area to
that of the largest circle in it: an ellipse with axes of 3:2 has it. Our choice: where a plane also
grazes the wall of the vessel beside the neck, the ratio is higher."""

BESIDE_VOXELS = 0.9
"""A voxel lies beneath the old opening if one of its faces is this near, seen along the normal; in
voxels of the coarsest axis. Ours: between half a voxel and a whole one."""

_AROUND = np.argwhere(NEIGHBORS_26) - 1


@dataclass(frozen=True, eq=False)
class Lumen:
    """An aneurysm and the vessel that it sits on, as they were before a plane divided them.

    What all planes need is worked out once, for the first one.

    Args:
        vessel: (k, j, i) mask of a box around both; what else is there is in neither mask.
        sac: (k, j, i) mask of the aneurysm; where both lie, the aneurysm counts.
        spacing: (3,) in mm along (k, j, i).
    """

    vessel: Mask
    sac: Mask
    spacing: Floats

    @cached_property
    def opening(self) -> Faces | None:
        """The largest patch of faces between both; None where they do not touch."""
        only = self.vessel & ~self.sac
        faces = faces_between(self.sac, only, self.spacing, np.zeros(3, dtype=np.int64))
        if len(faces) == 0:
            return None
        return max(faces.patches(), key=lambda one: float(np.linalg.norm(one.vectors.sum(axis=0))))

    @cached_property
    def voxels(self) -> Integers:
        """(N, 3) index (k, j, i) of each voxel of the two; the number of a voxel is its row."""
        return np.argwhere(self.vessel | self.sac)

    @cached_property
    def points(self) -> Floats:
        """(N, 3) the voxels' centers in mm, from that of the box's first voxel."""
        return np.asarray(self.voxels * self.spacing)

    @cached_property
    def in_sac(self) -> Mask:
        """(N,) which voxels were the aneurysm's."""
        return np.asarray(self.sac[tuple(self.voxels.T)])

    @cached_property
    def at_border(self) -> Mask:
        """(N,) which voxels lie at the box's border."""
        ends = (self.voxels == 0) | (self.voxels == np.array(self.sac.shape) - 1)
        return np.asarray(ends.any(axis=1))

    @cached_property
    def _numbers(self) -> npt.NDArray[np.int32]:
        """(k + 2, j + 2, i + 2) the number of each voxel, -1 outside; with a margin of a voxel."""
        numbers = np.full(np.add(self.sac.shape, 2), -1, dtype=np.int32)
        numbers[tuple(self.voxels.T + 1)] = np.arange(len(self.voxels))
        return numbers

    def neighbors(self, chosen: Integers) -> npt.NDArray[np.int32]:
        """(27, n) the numbers of n voxels and those around them, -1 where there is no lumen."""
        _planes, rows, columns = self._numbers.shape
        strides = np.array([rows * columns, columns, 1])
        places = (self.voxels[chosen] + 1) @ strides
        return np.asarray(self._numbers.reshape(-1)[places + (_AROUND @ strides)[:, None]])

    def around(self, chosen: Mask) -> Mask:
        """(N,) chosen voxels and those that share a corner with one."""
        near = self.neighbors(np.flatnonzero(chosen))
        found = np.zeros(len(self.voxels), dtype=bool)
        found[near[near >= 0]] = True
        return found

    def beside(self, chosen: Mask, others: Mask) -> Mask:
        """(N,) those of the chosen voxels that share a corner with one of the others."""
        numbers = np.flatnonzero(chosen)
        near = self.neighbors(numbers)
        found = np.zeros_like(chosen)
        found[numbers] = (others[near] & (near >= 0)).any(axis=0)
        return found

    def reached(self, seeds: Mask, allowed: Mask, forbidden: Mask | None = None) -> Mask | None:
        """(N,) what is connected to the seeds within ``allowed``; None if that is ``forbidden``."""
        found = seeds & allowed
        front = np.flatnonzero(found)
        while len(front):
            if forbidden is not None and forbidden[front].any():
                return None
            near = self.neighbors(front)
            near = near[near >= 0]
            front = np.unique(near[allowed[near] & ~found[near]]).astype(np.int64)
            found[front] = True
        return found

    def touching(self, chosen: Mask, marked: Mask) -> Mask:
        """(N,) the connected parts of chosen voxels that have a marked one."""
        numbers = np.flatnonzero(chosen)
        if len(numbers) == 0:
            return chosen
        low = self.voxels[numbers].min(axis=0)
        places = tuple((self.voxels[numbers] - low).T)
        box = np.zeros(self.voxels[numbers].max(axis=0) - low + 1, dtype=bool)
        box[places] = True
        parts, count = connected_components(box)
        keep = np.zeros(count + 1, dtype=bool)
        keep[parts[places][marked[numbers]]] = True
        found = np.zeros_like(chosen)
        found[numbers] = keep[parts[places]]
        return found


@dataclass(frozen=True, eq=False)
class _Section:
    """The part of a plane's section with a lumen that is nearest to the plane's center.

    Args:
        lumen: what is cut.
        center, normal: (3,) the plane; the normal is a unit vector.
        above: (N,) which voxels lie beyond the plane.
        inside: (N,) the voxels, as boxes, that this part goes through.
        elsewhere: (N,) the voxels of the section's other parts.
    """

    lumen: Lumen
    center: Floats
    normal: Floats
    above: Mask
    inside: Mask
    elsewhere: Mask

    @cached_property
    def rim(self) -> Mask:
        """(N,) the section's voxels and all around them."""
        return self.lumen.around(self.inside)

    @cached_property
    def radius(self) -> float:
        """That of the largest circle in the section that reaches the center, mm.

        Where the center is outside, the section's nearest voxel stands for it.
        """
        lumen, chosen = self.lumen, np.flatnonzero(self.inside)
        outside = lumen.neighbors(chosen) < 0
        steps = _AROUND * lumen.spacing
        heights = (lumen.points[chosen] - self.center) @ self.normal + (steps @ self.normal)[
            :, None
        ]
        cut = _is_cut(heights, self.normal, lumen.spacing)
        step, voxel = np.nonzero(outside & cut)
        size: float = float(np.prod(lumen.spacing)) ** (1 / 3)
        if len(step) == 0:  # the section fills the box, or is at an edge of the lumen
            return size / 2
        wall = np.unique(lumen.voxels[chosen[voxel]] + _AROUND[step], axis=0) * lumen.spacing
        radii = np.asarray(cKDTree(wall).query(lumen.points[chosen])[0])
        offsets = np.linalg.norm(lumen.points[chosen] - self.center, axis=1)
        reaches = offsets <= np.maximum(radii, offsets.min() * (1 + ON_PLANE))
        return float(radii[reaches].max()) - size / 2

    @property
    def is_round(self) -> bool:
        """Whether the section is that of a sac, see ``ROUNDEST``."""
        spacing = self.lumen.spacing
        # The voxels that a plane goes through fill a slab of this thickness on average.
        thickness = float(np.abs(self.normal * spacing).sum())
        area = np.count_nonzero(self.inside) * float(np.prod(spacing)) / thickness
        return bool(area <= ROUNDEST * math.pi * self.radius**2)

    def rest_of_dome(self) -> Mask | None:
        """(N,) what of the vessel is the rest of a dome beyond the section; None if there is none.

        See ``divide_at_plane``.
        """
        if not self.is_round:
            return None
        lumen = self.lumen
        distances = np.linalg.norm(lumen.points - self.center, axis=1)
        too_far = distances > distances[lumen.in_sac].max()
        goes_on = lumen.at_border | self.elsewhere | too_far
        return lumen.reached(self.rim, self.above & ~lumen.in_sac, goes_on)

    def beneath_opening(self) -> Mask:
        """(N,) what of the vessel lies between the section and the opening; ``divide_at_plane``."""
        lumen, allowed = self.lumen, np.zeros_like(self.above)
        if lumen.opening is None:
            return allowed
        numbers = np.flatnonzero(self.above & ~lumen.in_sac)
        faces = lumen.opening.points
        wide = 2 * float(np.linalg.norm(faces - faces.mean(axis=0), axis=1).max())
        distances = cKDTree(faces).query(lumen.points[numbers], distance_upper_bound=wide)[0]
        numbers = numbers[np.isfinite(distances)]
        flatten = np.eye(3) - np.outer(self.normal, self.normal)
        flat = (lumen.points[numbers] - self.center) @ flatten
        limit = BESIDE_VOXELS * float(lumen.spacing.max())
        tree = cKDTree((faces - self.center) @ flatten)
        beneath = np.isfinite(tree.query(flat, distance_upper_bound=limit)[0])
        allowed[numbers[beneath | (np.linalg.norm(flat, axis=1) <= self.radius)]] = True
        found = lumen.reached(self.rim, allowed)
        return allowed if found is None else found


def divide_at_plane(lumen: Lumen, center: Floats, normal: Floats) -> Mask:
    """Divide a lumen at a plane: what lies beyond it, seen from the vessel, is the aneurysm.

    A voxel is beyond the plane if its center is. Only that part of the plane's section with the
    lumen cuts which is nearest to ``center``: a vessel or a bulge of the sac that crosses the plane
    elsewhere stays what it is, and so does a vessel that curves to the dome's side.

    - Of the sac, what lies below the plane and touches the section becomes vessel.
    - Of the vessel, what lies beyond the plane and reaches from the section to the sac becomes sac:
      all of it where it is the rest of a dome, that is where the section is round (``ROUNDEST``)
      and it ends nearer to ``center`` than the sac does, in no other part of the plane's section
      and not at the box's border. Elsewhere it is the wall of a vessel that goes on, or a branch:
      then only what lies beneath the old opening, seen along the normal, or within the radius of
      the largest circle in the section around ``center``, and no further from the old opening than
      that is wide.

    The result depends on nothing but the lumen as it was and the plane: with one ``Lumen``, planes
    may be tried in any order.

    Args:
        lumen: before any cut.
        center: (3,) a point of the plane in mm along (k, j, i), from the center of the box's first
            voxel; it chooses the part of the section.
        normal: (3,) from the vessel into the sac; any length but 0.

    Returns:
        (k, j, i) mask of the aneurysm. With the vessel it fills the lumen as before.

    Raises:
        UserError: the plane does not separate the sac from its vessel: it crosses nothing, or
            something else, is turned over, or has nothing of the sac beyond it.
    """
    section = _section(lumen, *_checked(lumen, center, normal))
    lost = lumen.touching(lumen.in_sac & ~section.above, section.rim)
    beyond = lumen.in_sac & section.above
    if not beyond.any():
        raise UserError(
            "Nothing of the aneurysm lies beyond the plane: move it back towards the vessel."
        )
    gained = section.rest_of_dome()
    if gained is None:
        gained = section.beneath_opening()
    gained = lumen.touching(gained, lumen.beside(gained, beyond))
    if not gained.any() and not (beyond & section.rim).any():
        raise UserError(
            "The plane crosses the lumen away from the aneurysm: move its center to the neck."
        )
    divided = np.zeros_like(lumen.sac)
    divided[tuple(lumen.voxels[(lumen.in_sac & ~lost) | gained].T)] = True
    return divided


def _checked(lumen: Lumen, center: Floats, normal: Floats) -> tuple[Floats, Floats]:
    center, normal = np.asarray(center, dtype=float), np.asarray(normal, dtype=float)
    length = math.hypot(*normal)
    if not (np.isfinite(center).all() and 0 < length < math.inf):
        raise UserError(
            "This is no plane: give a center in mm, and a normal that is finite and not 0."
        )
    normal = normal / length
    if lumen.opening is not None and float(lumen.opening.vectors.sum(axis=0) @ normal) <= 0:
        raise UserError(
            "The plane is turned over: turn it until its normal points from the vessel into the "
            "aneurysm."
        )
    return center, normal


def _section(lumen: Lumen, center: Floats, normal: Floats) -> _Section:
    heights = (lumen.points - center) @ normal
    cut = _is_cut(heights, normal, lumen.spacing)
    numbers = np.flatnonzero(cut)
    if len(numbers) == 0:
        raise UserError(
            "The plane crosses neither the aneurysm nor its vessel: move its center to the neck."
        )
    distances = np.linalg.norm(lumen.points[numbers] - center, axis=1)
    seed = np.zeros_like(cut)
    seed[numbers[distances.argmin()]] = True
    inside = lumen.reached(seed, cut)
    assert inside is not None  # nothing was forbidden
    above = heights > ON_PLANE * float(lumen.spacing.min())
    return _Section(lumen, center, normal, above, inside, cut & ~inside)


def _is_cut(heights: Floats, normal: Floats, spacing: Floats) -> Mask:
    """Whether a plane goes through voxels, as boxes, by their centers' heights above it, mm.

    One that lies between two layers goes through the lower one alone.
    """
    half = float(np.abs(normal * spacing).sum()) / 2
    rounding = ON_PLANE * float(spacing.min())
    return np.asarray((heights >= -half - rounding) & (heights < half - rounding))
