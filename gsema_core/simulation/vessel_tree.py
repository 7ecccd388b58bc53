"""Parametric cerebral arteries: centerlines with radii.

Inspired by the circle of Willis: an internal carotid artery with its siphon that forks into the
middle and anterior cerebral arteries, a basilar artery with its own fork, and a communicating
artery between the two. Forks obey Murray's law (1926): the cube of the parent's radius is the
sum of the cubes of its children's. Radii are those of adults (internal carotid 1.8 to 2.3 mm,
basilar 1.4 to 1.8 mm); curvature, lengths and angles are our choice within what IntrA's arteries
show.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.interpolate import make_interp_spline

Floats = npt.NDArray[np.float64]

STEP_MM = 0.3
"""Distance between points of a centerline."""

SMALLEST_RADIUS_MM = 0.55
"""Thinner arteries are not resolved by rotational angiography at the working spacings."""

_SIPHON = np.array(
    [(0, 0, -36), (2, 3, -25), (1, 4, -17), (0, -3, -13), (-1, -8, -9), (0, -6, -4), (0, 0, 0)],
    dtype=float,
)
"""Way of the carotid to its fork in mm: lateral, posterior, superior, in a field of 64 mm."""


@dataclass(frozen=True, eq=False)
class Branch:
    """One artery between two forks.

    Args:
        points: (N, 3) centerline in mm (LPS), from the heart outward.
        radii: (N,) in mm.
    """

    points: Floats
    radii: Floats

    def direction(self, index: int) -> Floats:
        """Unit vector along the flow at a point of the centerline."""
        last = len(self.points) - 1
        ahead = self.points[min(index + 1, last)] - self.points[max(index - 1, 0)]
        return np.asarray(ahead / np.linalg.norm(ahead))


@dataclass(eq=False)
class VesselTree:
    """Arteries, and the forks at which two of them begin.

    Args:
        branches: all arteries.
        forks: indices of the branches that end in a fork.
    """

    branches: list[Branch] = field(default_factory=list)
    forks: list[int] = field(default_factory=list)


def grow_vessel_tree(rng: np.random.Generator, size_mm: float) -> VesselTree:
    """Grow one connected tree inside a cube of ``size_mm`` around the world's origin."""
    scale = size_mm / 64.0
    side = rng.choice([-1.0, 1.0])
    tree = VesselTree()

    fork = rng.uniform([4, -6, -6], [10, 2, 4]) * (side * scale, scale, scale)
    knots = _SIPHON * (side * scale, scale, scale) + rng.normal(0.0, 1.2 * scale, _SIPHON.shape)
    carotid = _through(knots - knots[-1] + fork, rng.uniform(1.8, 2.3), size_mm)
    _fork_off(tree, carotid, rng, size_mm, generations=5)

    top = rng.uniform([-2, 10, -6], [2, 16, 0]) * scale
    foot = top + rng.uniform([-3, -2, -36], [3, 4, -30]) * scale
    middle = (top + foot) / 2 + rng.normal(0.0, 2.0 * scale, 3)
    basilar = _through(np.stack([foot, middle, top]), rng.uniform(1.4, 1.8), size_mm)
    _fork_off(tree, basilar, rng, size_mm, generations=4)

    # The communicating artery makes one tree of the two.
    start, end = carotid.points[-8], basilar.points[-1]
    bow = (start + end) / 2 + rng.normal(0.0, 1.5 * scale, 3)
    tree.branches.append(_through(np.stack([start, bow, end]), rng.uniform(0.65, 0.9), size_mm))
    return tree


def _fork_off(
    tree: VesselTree, parent: Branch, rng: np.random.Generator, size_mm: float, generations: int
) -> None:
    """Add a branch and, while it stays inside and is wide enough, two children."""
    tree.branches.append(parent)
    end, radius = parent.points[-1], parent.radii[-1]
    share = rng.uniform(0.3, 0.5)
    children = radius * np.cbrt([1.0 - share, share])
    inside = np.abs(end).max() < size_mm / 2 - 2.0 * radius
    if generations == 0 or not inside or children.min() < SMALLEST_RADIUS_MM:
        return
    tree.forks.append(len(tree.branches) - 1)
    along = parent.direction(len(parent.points) - 1)
    across = np.cross(along, rng.standard_normal(3))
    across /= np.linalg.norm(across)
    # The wider child turns less.
    for width, angle, sign in zip(
        children, rng.uniform([25, 45], [50, 75]), (1.0, -1.0), strict=True
    ):
        bend = np.deg2rad(angle)
        heading = np.cos(bend) * along + sign * np.sin(bend) * across
        length = rng.uniform(9.0, 24.0) * size_mm / 64.0
        child = _wander(end, heading, float(width), length, rng, size_mm)
        _fork_off(tree, child, rng, size_mm, generations - 1)


def _wander(
    start: Floats,
    heading: Floats,
    radius: float,
    length: float,
    rng: np.random.Generator,
    size_mm: float,
) -> Branch:
    """A tapering artery whose curvature varies smoothly (radius of curvature about 10 mm)."""
    points, turn = [start], rng.standard_normal(3)
    for _ in range(max(3, round(length / STEP_MM))):
        turn = 0.95 * turn + np.sqrt(1.0 - 0.95**2) * rng.standard_normal(3)
        heading = heading + 0.1 * STEP_MM * turn
        heading = heading / np.linalg.norm(heading)
        points.append(points[-1] + STEP_MM * heading)
        if np.abs(points[-1]).max() > size_mm / 2:
            break
    return _tapering(np.array(points), radius)


def _through(knots: Floats, radius: float, size_mm: float) -> Branch:
    """A smooth artery through knots, cut where it enters the field."""
    degree = min(3, len(knots) - 1)
    chords = np.linalg.norm(np.diff(knots, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(chords)])
    spline = make_interp_spline(at, knots, k=degree)
    points = spline(np.linspace(0.0, at[-1], max(4, round(at[-1] / STEP_MM))))
    outside = np.flatnonzero(np.abs(points).max(axis=1) > size_mm / 2)
    entered = points[outside[-1] + 1 :] if len(outside) else points
    return _tapering(entered if len(entered) > 10 else points, radius)


def _tapering(points: Floats, radius: float) -> Branch:
    return Branch(points, radius * np.linspace(1.0, 0.88, len(points)))
