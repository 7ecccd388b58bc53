"""Ends of vessels cut flat and left open, as a simulation's inlets and outlets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gsema_core.labels import ANEURYSM
from gsema_core.surfaces.sections import Section, crossings, sections
from gsema_core.surfaces.triangle_mesh import TriangleMesh
from gsema_core.surfaces.vessel_ends import VesselEnd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BEGIN_RADII = 1.25
"""Radii from the end at which the first plane is tried: a round end is over after 1. Ours."""

LAST_RADII = 6.0
"""Radii beyond the first plane up to which others are tried, a quarter of a radius apart. A vessel
that leaves the scan at 60 degrees to its border needs 3.5. Ours."""

TURNS = 3
"""Times that a plane is turned until it is across the vessel. Ours: on tubes the third turn is
below 1 degree."""

NARROWEST, WIDEST = 0.6, 1.8
"""Radius of the opening over that of the vessel there; beyond, the plane cuts a fork or a tip.
Ours."""

FULL, WIDER = 0.85, 1.4
"""Area of the opening over that of the vessel further in: at least FULL half a radius and one
radius in, or the plane meets a slanting end or a fork; at most WIDER up to one and a half radii in:
what swells is a sac that has the vessels' label, and nothing flows out of its dome (a ball has no
such plane). Ours."""

STEEPEST = 0.5
"""Lean of the wall at the opening, from which on the plane meets the end itself: 30 degrees.
Ours."""

SNAP = 0.15
"""Points nearer to the plane than this share of a voxel are moved onto it, or slivers would be left
beside it. Ours."""


@dataclass(frozen=True, eq=False)
class OpenEnd:
    """A flat opening.

    Args:
        center: (3,) in mm.
        normal: (3,) unit vector outward, along the vessel.
        radius_mm: of the circle of the same area.
        cut_off_mm: from the vessel's end to the opening.
    """

    center: Floats
    normal: Floats
    radius_mm: float
    cut_off_mm: float


@dataclass(frozen=True, eq=False)
class _Cut:
    end: OpenEnd
    removed: Integers  # triangles, those that the plane cuts among them


class EndCutter:
    """Cuts one end after the other.

    Args:
        mesh: a closed surface, in mm along the array's axes.
        voxel_mm: the shortest side of a voxel.
        border: (2, 3) lowest and highest position within the scan.
        ends: all of them, as no cut may take another end away.
    """

    def __init__(
        self, mesh: TriangleMesh, voxel_mm: float, border: Floats, ends: Sequence[VesselEnd]
    ) -> None:
        self._mesh, self._voxel, self._border = mesh, voxel_mm, border
        self._tree = cKDTree(mesh.points[mesh.triangles].mean(axis=1))
        self._tips = [int(self._tree.query(end.line[-1])[1]) for end in ends]

    def plan(self, end: VesselEnd) -> _Cut | None:
        """The plane nearest to an end that cuts off nothing but the end; None: there is none."""
        steps = np.linalg.norm(np.diff(end.line[::-1], axis=0), axis=1)
        back = np.concatenate([[0.0], np.cumsum(steps)])  # the way from the end
        line, radii = end.line[::-1], end.radii[::-1]
        clear = np.flatnonzero((back >= BEGIN_RADII * radii) & (back >= 2 * self._voxel))
        if not len(clear):
            return None
        first, radius = float(back[clear[0]]), float(radii[clear[0]])
        for way in first + np.arange(0, LAST_RADII, 0.25) * radius:
            if way + radius > back[-1]:
                break
            cut = self._at(line, back, radii, float(way))
            if cut is not None:
                return cut
        return None

    def _at(self, line: Floats, back: Floats, radii: Floats, way: float) -> _Cut | None:
        tip, here = line[0], int(np.searchsorted(back, way))
        radius = float(radii[here])
        reach = way + 4 * radius + 4 * self._voxel
        near = np.array(self._tree.query_ball_point(tip, reach), dtype=np.int64)
        around = TriangleMesh(
            self._mesh.points, self._mesh.triangles[near], self._mesh.labels[near]
        ).without_loose_points()
        section = _across(around, line, back, radius + self._voxel / 2, here)
        if section is None:
            return None
        ring, normal, shares = section
        if not NARROWEST * radius < ring.radius_mm < WIDEST * radius + self._voxel:
            return None
        if radii[:here].max() > WIDER**0.5 * ring.radius_mm + self._voxel / 2:
            return None  # what would be cut off is wider than a vessel: a sac with its label
        if ring.lean > STEEPEST or min(shares[:2]) < FULL or max(shares) > WIDER:
            return None
        gap = np.minimum(ring.points - self._border[0], self._border[1] - ring.points).min()
        if gap < self._voxel:
            return None
        beyond = _beyond(around, ring.center, normal, tip)
        cut_off = around.triangles[beyond]
        furthest = np.linalg.norm(around.points[cut_off] - tip, axis=-1).max(initial=0.0)
        if furthest > reach - radius - self._voxel:
            return None  # the surface goes on: a ring of vessels, or a branch
        if (around.labels[beyond] == ANEURYSM).any():
            return None
        if np.isin(self._tips, near[beyond]).sum() > 1:
            return None
        if len(sections(around.points, cut_off, ring.center, normal)) != 1:
            return None
        cut_off_mm = float(np.linalg.norm(ring.center - tip))
        return _Cut(OpenEnd(ring.center, normal, ring.radius_mm, cut_off_mm), near[beyond])


def _across(
    around: TriangleMesh, line: Floats, back: Floats, radius: float, here: int
) -> tuple[Section, Floats, list[float]] | None:
    """The section at a point of the line, turned until it is across the vessel.

    Returns:
        It, the unit vector outward, and its area over those half a radius, one and one and a half
        radii further in.
    """
    way = back[here]
    window = (back > way - radius) & (back < way + 2 * radius)
    inner = line[window & (back >= way)].mean(axis=0)
    normal = _unit(line[window & (back <= way)].mean(axis=0) - inner)
    ring = _ring(around, line[here], normal)
    for _ in range(TURNS):
        inside = None if ring is None else _ring(around, ring.center - radius * normal, normal)
        if ring is None or inside is None:
            return None
        normal = _unit(ring.center - inside.center)
        ring = _ring(around, ring.center, normal)
    if ring is None:
        return None
    steps = ring.radius_mm * np.array([0.5, 1.0, 1.5])
    further = [_ring(around, ring.center - step * normal, normal) for step in steps]
    shares = [ring.area_mm2 / one.area_mm2 for one in further if one is not None]
    return (ring, normal, shares) if len(shares) == 3 else None


def _ring(around: TriangleMesh, center: Floats, normal: Floats) -> Section | None:
    rings = sections(around.points, around.triangles, center, normal)
    return min(rings, key=lambda ring: float(np.linalg.norm(ring.center - center)), default=None)


def _beyond(around: TriangleMesh, center: Floats, normal: Floats, tip: Floats) -> Mask:
    """Which triangles are, or reach, beyond the plane in one piece with the tip."""
    above = (around.points - center) @ normal > 0
    edges = around.edges
    edges = edges[above[edges].all(axis=1)]
    graph = coo_matrix((np.ones(len(edges), bool), tuple(edges.T)), shape=(len(above),) * 2)
    parts = connected_components(graph, directed=False)[1]
    distances = np.linalg.norm(around.points - tip, axis=1)
    part = parts[np.where(above, distances, np.inf).argmin()]
    return np.asarray((above & (parts == part))[around.triangles].any(axis=1))


def open_ends(
    mesh: TriangleMesh, ends: Sequence[VesselEnd], voxel_mm: float, border: Floats
) -> tuple[TriangleMesh, list[OpenEnd], list[VesselEnd]]:
    """Cut a closed lumen flat near its vessels' ends and take the pieces beyond away.

    Args:
        mesh: the closed surface, in mm along the array's axes.
        ends: of the same lumen.
        voxel_mm: the shortest side of a voxel.
        border: (2, 3) lowest and highest position within the scan.

    Returns:
        The open surface, its openings, and the ends that are too short to be cut.
    """
    cutter = EndCutter(mesh, voxel_mm, border, ends)
    kept = np.ones(len(mesh.triangles), bool)
    cuts, closed = [], []
    for end in ends:
        cut = cutter.plan(end)
        if cut is None:
            closed.append(end)
        elif kept[cut.removed].all():
            kept[cut.removed] = False
            cuts.append(cut)
        else:
            closed.append(end)
    points = mesh.points.copy()
    for cut in cuts:
        _snap(points, mesh.triangles[cut.removed], cut.end, SNAP * voxel_mm)
    pieces = [mesh.triangles[kept]]
    labels = [mesh.labels[kept]]
    for cut in cuts:
        points, triangles, owners = _clipped(points, mesh.triangles[cut.removed], cut.end)
        pieces.append(triangles)
        labels.append(mesh.labels[cut.removed][owners])
    whole = TriangleMesh(points, np.concatenate(pieces), np.concatenate(labels))
    return whole.without_loose_points(), [cut.end for cut in cuts], closed


def _snap(points: Floats, triangles: Integers, end: OpenEnd, tolerance: float) -> None:
    used = np.unique(triangles)
    heights = (points[used] - end.center) @ end.normal
    near = abs(heights) < tolerance
    points[used[near]] -= heights[near, None] * end.normal


def _clipped(
    points: Floats, triangles: Integers, end: OpenEnd
) -> tuple[Floats, Integers, Integers]:
    """What is left of triangles below a plane, with new points where it cuts their edges.

    Returns:
        All points, (T, 3) corners, and (T,) the triangle that each is a part of.
    """
    heights = (points - end.center) @ end.normal
    heights[abs(heights) < 1e-9] = 0.0
    new: dict[tuple[int, int], int] = {}
    corners: list[list[int]] = []
    owners: list[int] = []
    for owner, triangle in enumerate(triangles.tolist()):
        left: list[int] = []
        for one, other in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if heights[one] <= 0:
                left.append(one)
            if heights[one] * heights[other] < 0:
                edge = (min(one, other), max(one, other))
                left.append(new.setdefault(edge, len(points) + len(new)))
        if len(left) < 3 or all(n < len(points) and heights[n] == 0 for n in left):
            continue
        for second, third in itertools.pairwise(left[1:]):
            corners.append([left[0], second, third])
            owners.append(owner)
    if new:
        edges = np.array(list(new))
        points = np.concatenate([points, crossings(points, edges, end.center, end.normal)])
    return points, np.array(corners, np.int64).reshape(-1, 3), np.array(owners, np.int64)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))
