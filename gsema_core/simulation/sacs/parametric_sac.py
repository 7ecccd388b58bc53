"""Parametric saccular aneurysms: their shape, and where they sit on a parametric tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsema_core.simulation.vessel_tree import Branch, Floats, VesselTree

AT_FORK = 0.6
"""Share of sacs at forks; most saccular aneurysms arise there, the rest on side walls (ours)."""

WITH_LOBE = 0.35
"""Share of sacs with daughter lobes (ours)."""

NECKS = (0.4, 0.75)
"""Necks of phantoms as shares of the sac's width (ours)."""


@dataclass(frozen=True, eq=False)
class Ball:
    """An ellipsoid of revolution, one piece of a sac.

    Args:
        center: (3,) in mm (LPS).
        axis: (3,) unit vector of its axis of revolution, away from the vessel.
        along: semi-axis along ``axis`` in mm.
        across: semi-axis across it in mm.
    """

    center: Floats
    axis: Floats
    along: float
    across: float

    def contains(self, points: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Tell which of (..., 3) points lie inside."""
        offsets = points - self.center
        height = offsets @ self.axis
        squared = (offsets**2).sum(axis=-1) - height**2
        return np.asarray((height / self.along) ** 2 + squared / self.across**2 <= 1.0)

    def signed_mm(self, points: Floats) -> Floats:
        """How far (..., 3) points lie outside, about, and exactly of a sphere; inside negative."""
        offsets = points - self.center
        height = offsets @ self.axis
        squared = np.maximum((offsets**2).sum(axis=-1) - height**2, 0.0)
        share = np.sqrt((height / self.along) ** 2 + squared / self.across**2)
        return np.asarray((share - 1.0) * min(self.along, self.across))


def draw_sac(tree: VesselTree, rng: np.random.Generator, size_mm: float) -> tuple[Ball, ...]:
    """Draw one sac with its neck on a vessel wall and wholly inside the field.

    The largest diameter is between 3 and 15 mm, most often 4 to 8 (log-normal; the median is
    near that of treated aneurysms), and never more than a quarter of the field.
    """
    diameter = float(np.clip(np.exp(rng.normal(np.log(5.5), 0.45)), 3.0, 15.0))
    diameter = min(diameter, size_mm / 4)
    room = size_mm / 2 - 1.0
    for attempt in range(200):
        wall, outward = _site(tree, rng)
        sac = grow_balls(wall, outward, diameter, rng)
        reach = max(np.abs(ball.center).max() + max(ball.along, ball.across) for ball in sac)
        if reach < room:
            return sac
        if attempt % 20 == 19:
            diameter = max(diameter * 0.8, min(3.0, size_mm / 8))
    # Every site lies too close to a face: grow into the field from the one nearest its middle.
    points = np.concatenate([branch.points for branch in tree.branches])
    wall = points[np.abs(points).max(axis=1).argmin()]
    inward = -wall / max(float(np.linalg.norm(wall)), 1e-6) if wall.any() else np.eye(3)[0]
    return grow_balls(wall, inward, diameter, rng)


def _site(tree: VesselTree, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A point of a vessel's wall and the direction in which a sac grows from it."""
    if tree.forks and rng.random() < AT_FORK:
        parent = tree.branches[int(rng.choice(tree.forks))]
        # The jet of the parent hits the fork's apex: the sac goes on in its direction.
        outward = parent.direction(len(parent.points) - 1) + 0.3 * rng.standard_normal(3)
        outward /= np.linalg.norm(outward)
        return parent.points[-1] + parent.radii[-1] * outward, outward
    widths = np.array([branch.radii[0] * len(branch.points) for branch in tree.branches])
    branch = tree.branches[int(rng.choice(len(widths), p=widths / widths.sum()))]
    return _side_wall(branch, rng)


def _side_wall(branch: Branch, rng: np.random.Generator) -> tuple[Floats, Floats]:
    count = len(branch.points)
    index = int(rng.integers(count // 5, max(count // 5 + 1, 4 * count // 5)))
    along = branch.direction(index)
    # Outer side of the bend, where the flow strikes, give or take.
    low, high = max(index - 10, 0), min(index + 10, count - 1)
    bend = branch.points[index] - (branch.points[low] + branch.points[high]) / 2
    outward = bend / (np.linalg.norm(bend) + 1e-6) + 0.7 * rng.standard_normal(3)
    outward -= (outward @ along) * along
    outward /= np.linalg.norm(outward)
    return branch.points[index] + branch.radii[index] * outward, outward


def grow_balls(
    wall: Floats,
    outward: Floats,
    diameter: float,
    rng: np.random.Generator,
    necks: tuple[float, float] = NECKS,
) -> tuple[Ball, ...]:
    """An ellipsoid with its neck on the wall, and perhaps lobes.

    Args:
        wall: (3,) middle of the neck.
        outward: (3,) unit vector away from the vessel.
        diameter: the ellipsoid's longer axis in mm.
        rng: draws the rest.
        necks: range of the neck's width as a share of the sac's.
    """
    along, across = diameter / 2 * rng.permutation([1.0, rng.uniform(0.75, 1.0)])
    neck = rng.uniform(*necks)
    # Height above the ellipsoid's middle at which it is as wide as the neck.
    sac = Ball(wall + along * np.sqrt(1.0 - neck**2) * outward, outward, along, across)
    pieces = [sac]
    if rng.random() < WITH_LOBE:
        for _ in range(int(rng.integers(1, 3))):
            tip = outward + 0.8 * rng.standard_normal(3)
            tip /= np.linalg.norm(tip)
            tip = tip if tip @ outward > 0 else -tip
            radius = diameter / 2 * rng.uniform(0.35, 0.6)
            center = sac.center + min(along, across) * 0.85 * tip
            pieces.append(Ball(center, tip, radius, radius))
    return tuple(pieces)
