"""The course of one artery through its tree: a line through its middle with its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gsema_core.simulation.trees.artery_tree import ArteryTree
from gsema_core.simulation.trees.voxel_graph import OFFSETS

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Box = tuple[Ints, Ints]

NEIGHBORS = np.concatenate([OFFSETS, -OFFSETS])

SMOOTHING_MM = 1.0
"""Standard deviation along the course by which its middle is smoothed (ours): the roughness of the
wall is a voxel, bends of arteries are wider than 3 mm."""

MARGIN_MM = 3.0
"""What is changed lies at least this far inside the field of view (ours), to be seen whole."""


@dataclass(frozen=True, eq=False)
class Course:
    """A piece of an artery, along the blood's way.

    Args:
        points: (P, 3) k, j, i of its middle in voxels, about one voxel apart.
        radii: (P,) mm.
        numbers: (P,) voxels of the tree along it.
        spacing: mm of a voxel.
    """

    points: Floats
    radii: Floats
    numbers: Ints
    spacing: float

    @property
    def way(self) -> Floats:
        """(P,) mm from its first point."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)]) * self.spacing

    def direction(self, index: int) -> Floats:
        """Unit vector k, j, i along it."""
        last = len(self.points) - 1
        ahead = self.points[min(index + 2, last)] - self.points[max(index - 2, 0)]
        return np.asarray(ahead / max(float(np.linalg.norm(ahead)), 1e-9))

    def from_mm(self, start: float) -> Course:
        """The rest of it, from a way on."""
        kept = self.way >= start
        return Course(self.points[kept], self.radii[kept], self.numbers[kept], self.spacing)


def course_to(tree: ArteryTree, number: int, length_mm: float) -> Course | None:
    """The last piece of the blood's way to a voxel; None where it is shorter or unknown."""
    way = tree.shortest_way
    if not np.isfinite(way[number]) or way[number] < length_mm:
        return None
    numbers = [number]
    while way[numbers[0]] > way[number] - length_mm:
        around = tree.number_at(tree.voxels[numbers[0]] + NEIGHBORS)
        around = around[around >= 0]
        nearer = int(around[way[around].argmin()]) if len(around) else numbers[0]
        if way[nearer] >= way[numbers[0]]:  # the other side of a gap, or the inflow
            return None
        numbers.insert(0, nearer)
    return _through_middle(tree, np.array(numbers))


def beyond(tree: ArteryTree, number: int, length_mm: float) -> int | None:
    """A voxel of the middle that the blood reaches after one, about ``length_mm`` later."""
    way, here = tree.shortest_way, float(tree.shortest_way[number])
    apart = np.linalg.norm(tree.voxels - tree.voxels[number], axis=1) * tree.spacing
    near = np.flatnonzero((apart < 1.5 * length_mm + 1) & (way > here - tree.spacing)
                          & (way < here + length_mm + 2 * tree.spacing))  # fmt: skip
    part = reachable(tree, near, number)
    later = part[way[part] >= here + length_mm - tree.spacing]
    if not len(later):
        return None
    return int(later[tree.radius[later].argmax()])


def reachable(tree: ArteryTree, allowed: Ints, number: int) -> Ints:
    """Which of the allowed voxels hang together with one of them."""
    if number not in allowed:
        return allowed[:0]
    part = connected_components(tree.graph[allowed][:, allowed], directed=False)[1]
    return np.asarray(allowed[part == part[np.flatnonzero(allowed == number)[0]]])


def candidates(
    tree: ArteryTree, box: Box, filled: npt.NDArray[np.bool_], radius_mm: tuple[float, float]
) -> Ints:
    """Medial voxels of arteries of a width, inside the field, filled, outside of sacs."""
    medial = tree.medial
    places = tree.voxels[medial]
    margin = int(np.ceil(MARGIN_MM / tree.spacing))
    inside = np.all((places >= box[0] + margin) & (places < box[1] - margin), axis=1)
    low, high = radius_mm
    wide = (tree.radius[medial] >= low) & (tree.radius[medial] <= high)
    known = np.isfinite(tree.shortest_way[medial])
    chosen = medial[inside & wide & known & filled[medial] & ~tree.in_sac[medial]]
    return chosen if not tree.sacs else _away_from_sacs(tree, chosen)


def draw_tube(
    tree: ArteryTree,
    box: Box,
    filled: npt.NDArray[np.bool_],
    radius_mm: tuple[float, float],
    length_mm: float,
    rng: np.random.Generator,
    tries: int = 60,
) -> Course | None:
    """Draw a piece of an artery without a branch in its middle half."""
    ends = candidates(tree, box, filled, radius_mm)
    margin = int(np.ceil(MARGIN_MM / tree.spacing))
    for number in rng.permutation(ends)[:tries]:
        course = course_to(tree, int(number), length_mm)
        if course is None or not filled[course.numbers].all() or tree.in_sac[course.numbers].any():
            continue
        if (course.points < box[0] + margin).any() or (course.points >= box[1] - margin).any():
            continue
        count = len(course.points)
        middle = course.numbers[[count // 4, count // 2, 3 * count // 4]]
        if all(len(tree.crossings(tree.voxels[n])) == 2 for n in _medial_near(tree, middle)):
            return course
    return None


def _away_from_sacs(tree: ArteryTree, numbers: Ints, mm: float = 4.0) -> Ints:
    """Those at which a change does not alter a neck."""
    if not len(numbers):
        return numbers
    sac = cKDTree(tree.voxels[tree.in_sac])
    return np.asarray(numbers[sac.query(tree.voxels[numbers])[0] * tree.spacing > mm])


def _medial_near(tree: ArteryTree, numbers: Ints) -> Ints:
    near = cKDTree(tree.voxels[tree.medial])
    return np.asarray(tree.medial[near.query(tree.voxels[numbers])[1]])


def _through_middle(tree: ArteryTree, numbers: Ints) -> Course:
    """Move the shortest way, which clings to the inner wall, to the middle of its slices."""
    way = tree.shortest_way
    reach = 2.5 * float(tree.radius[_medial_near(tree, numbers)].max()) / tree.spacing + 2
    low, high = tree.voxels[numbers].min(axis=0) - reach, tree.voxels[numbers].max(axis=0) + reach
    near = np.flatnonzero(np.all((tree.voxels >= low) & (tree.voxels <= high), axis=1))
    search = cKDTree(tree.voxels[near])
    points, radii = [], []
    for number in numbers:
        around = near[search.query_ball_point(tree.voxels[number], reach)]
        slice_ = around[np.abs(way[around] - way[number]) < tree.spacing]
        slice_ = reachable(tree, slice_, int(number))
        points.append(tree.voxels[slice_].mean(axis=0))
        radii.append(float(tree.radius[slice_].max()))
    sigma = SMOOTHING_MM / tree.spacing
    line = ndimage.gaussian_filter1d(np.array(points), sigma, axis=0, mode="nearest")
    width = ndimage.gaussian_filter1d(np.array(radii), sigma, mode="nearest")
    return Course(line, width, numbers, tree.spacing)
