"""From a label map to the wall of its lumen, as a flow simulation needs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gsema_core.errors import UserError
from gsema_core.grids.geometry import Geometry
from gsema_core.grids.volume import Volume
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.surfaces.crossing_triangles import crossing_triangles
from gsema_core.surfaces.end_cuts import OpenEnd, open_ends
from gsema_core.surfaces.lumen_parts import LumenParts, face_labels, outer_wall
from gsema_core.surfaces.triangle_mesh import TriangleMesh, triangulated
from gsema_core.surfaces.vessel_ends import VesselEnd, vessel_ends
from gsema_core.surfaces.wall_smoothing import smoothed

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

VOLUME_TOLERANCE = 0.01
"""Share by which the smoothed surface's volume may differ from the voxels'. A promise, which is
checked on each surface."""

FAR_RADII = 3.0
"""Radii from a vessel's end beyond which a cut is told. Ours: clean ends are cut within 2."""

AT_BORDER = 0.25
"""Voxels from the scan's border within which the wall is no wall, but where the scan ends. Ours."""


@dataclass(frozen=True, eq=False)
class LumenSurface:
    """The wall of the lumen, in mm (LPS).

    Args:
        mesh: triangles with their labels.
        ends: the openings.
        closed_ends: the position (3,) of each vessel end that is too short and stayed closed.
        labels_mm3: volume of the voxels inside, with cavities.
        closed_mm3: volume within the surface before its ends were cut.
        notes: what the reader has to know, one sentence each.
    """

    mesh: TriangleMesh
    ends: tuple[OpenEnd, ...]
    closed_ends: tuple[tuple[float, float, float], ...]
    labels_mm3: float
    closed_mm3: float
    notes: tuple[str, ...]

    def of(self, mesh: TriangleMesh, ends: tuple[OpenEnd, ...]) -> LumenSurface:
        """The same description for another mesh, such as a part of this one."""
        return replace(self, mesh=mesh, ends=ends)

    def to_dict(self) -> dict[str, Any]:
        """For a report; positions are RAS, as Slicer shows them."""
        areas = self.mesh.areas
        return {
            "points": len(self.mesh.points),
            "triangles": len(self.mesh.triangles),
            "volume_of_labels_mm3": round(self.labels_mm3, 3),
            "volume_before_cuts_mm3": round(self.closed_mm3, 3),
            "volume_mm3": round(self.mesh.volume_mm3, 3),
            "vessel_area_mm2": round(float(areas[self.mesh.labels == VESSEL].sum()), 3),
            "aneurysm_area_mm2": round(float(areas[self.mesh.labels == ANEURYSM].sum()), 3),
            "open_ends": [
                {
                    "position_ras_mm": _ras(end.center),
                    "direction_ras": _ras(end.normal),
                    "radius_mm": round(end.radius_mm, 3),
                    "cut_off_mm": round(end.cut_off_mm, 3),
                }
                for end in self.ends
            ],
            "closed_ends_ras_mm": [_ras(position) for position in self.closed_ends],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """What a terminal shows."""
        table = self.to_dict()
        lines = [
            f"{table['triangles']} triangles, {self.mesh.volume_mm3 / 1000:.3f} ml, "
            f"{len(self.ends)} open ends"
        ]
        if self.ends:
            lines.append("end  radius (mm)  position R, A, S (mm)")
        for number, end in enumerate(table["open_ends"], start=1):
            position = _shown(end["position_ras_mm"])
            lines.append(f"{number:3d}  {end['radius_mm']:11.2f}  {position}")
        return lines


def lumen_surface(labels: Volume, *, closed: bool = False, all_parts: bool = False) -> LumenSurface:
    """The smooth wall around vessels and aneurysms.

    Args:
        labels: 0 background, 1 vessel, 2 aneurysm.
        closed: leave the vessels' ends closed; else they are cut flat across the vessel.
        all_parts: every part of the lumen instead of the largest one.

    Raises:
        UserError: there is no label, VTK is missing, or the surface is no manifold.

    Example:
        >>> array = np.zeros((12, 12, 30), np.uint8)
        >>> array[3:9, 3:9, 4:26] = 1
        >>> surface = lumen_surface(Volume(array, Geometry((30, 12, 12))), closed=True)
        >>> round(surface.mesh.volume_mm3)
        792
    """
    parts = LumenParts.of(labels.array, all_parts)
    spacing = np.array(labels.geometry.spacing[::-1])
    wall, notes = outer_wall(parts)
    corners = wall.points * spacing
    before = TriangleMesh(corners, triangulated(corners, wall.quads), np.empty(0, np.uint8))
    points = smoothed(corners, wall.quads)
    tags = np.repeat(face_labels(wall, parts.array), 2)
    mesh = TriangleMesh(points, triangulated(points, wall.quads), tags)
    mesh = mesh.with_volume(before.volume_mm3)
    whole = mesh.volume_mm3
    if abs(whole / before.volume_mm3 - 1) > VOLUME_TOLERANCE:
        raise UserError(
            f"The smoothed surface holds {whole:.3g} mm3, where the labels have "
            f"{before.volume_mm3:.3g}: its vessels are too thin for the voxels."
        )
    border = (np.array([[0, 0, 0], labels.array.shape]) - 0.5 - parts.start) * spacing
    ends: list[OpenEnd] = []
    short: list[VesselEnd] = []
    if not closed:
        walls = corners[wall.quads].mean(axis=1)
        walls = walls[((walls > border[0] + 1e-6) & (walls < border[1] - 1e-6)).all(axis=1)]
        found = vessel_ends(parts.array, spacing, walls)
        mesh, ends, short = open_ends(mesh, found, spacing.min(), border)
    place = _Placing(labels.geometry, parts.start)
    if fault := mesh.fault():
        raise UserError(
            f"The surface of these labels cannot be used for a simulation ({fault}): smooth the "
            "labels there, or report it together with the label map."
        )
    notes += (
        _crossing_notes(place.mesh(mesh))
        + parts.notes()
        + _end_notes(mesh, ends, short, closed, border, spacing)
    )
    return LumenSurface(
        place.mesh(mesh),
        tuple(place.end(end) for end in ends),
        tuple(place.position(end.line[-1]) for end in short),
        before.volume_mm3,
        whole,
        tuple(notes),
    )


def _end_notes(
    mesh: TriangleMesh,
    ends: list[OpenEnd],
    short: list[VesselEnd],
    closed: bool,
    border: Floats,
    spacing: Floats,
) -> list[str]:
    notes = []
    if short:
        notes.append(
            f"{len(short)} vessel ends stay closed, as they are too short for a flat cut, run "
            "along the scan's border or swell like a sac."
        )
    far = [end.cut_off_mm for end in ends if end.cut_off_mm > FAR_RADII * end.radius_mm]
    if far:
        notes.append(
            f"{len(far)} vessels are cut far from their ends, up to {max(far):.1f} mm, as they are "
            "no plain tubes nearer to them."
        )
    if not closed and not ends:
        notes.append("No vessel end was found that could be cut: the surface is closed.")
    if not (mesh.labels == ANEURYSM).any():
        notes.append("There is no aneurysm in this lumen.")
    gaps = np.minimum(mesh.points - border[0], border[1] - mesh.points)
    cut_off = (gaps < AT_BORDER * spacing).any(axis=1)[mesh.triangles].all(axis=1)
    if not closed and cut_off.any():
        notes.append(
            f"{mesh.areas[cut_off].sum():.1f} mm2 of the wall are the scan's border, where the "
            "lumen leaves the scan without a vessel end that could be cut."
        )
    return notes


def _crossing_notes(mesh: TriangleMesh) -> list[str]:
    """Of a mesh in LPS, where its wall runs through itself, as a user finds it in Slicer."""
    crossing = crossing_triangles(mesh.points, mesh.triangles)
    if not len(crossing):
        return []
    where = _shown(_ras(mesh.points[mesh.triangles[crossing[0, 0]]].mean(axis=0)))
    return [
        f"The wall runs through itself at {len(crossing)} pairs of triangles, the first at R, A, S "
        f"{where} mm: part the labels there before a simulation."
    ]


@dataclass(frozen=True, eq=False)
class _Placing:
    """From mm along the axes (k, j, i) of the lumen's box to mm (LPS)."""

    geometry: Geometry
    start: Integers

    @property
    def _matrix(self) -> Floats:
        return self.geometry.direction_matrix[:, ::-1]

    def points(self, points: Floats) -> Floats:
        first = self.geometry.index_to_world(self.start[::-1])
        return np.asarray(points @ self._matrix.T + first)

    def position(self, point: Floats) -> tuple[float, float, float]:
        x, y, z = self.points(point).tolist()
        return x, y, z

    def mesh(self, mesh: TriangleMesh) -> TriangleMesh:
        mirrors = np.linalg.det(self._matrix) < 0
        triangles = mesh.triangles[:, ::-1] if mirrors else mesh.triangles
        return TriangleMesh(self.points(mesh.points), triangles, mesh.labels)

    def end(self, end: OpenEnd) -> OpenEnd:
        center, normal = self.points(end.center), self._matrix @ end.normal
        return replace(end, center=center, normal=normal)


def _ras(lps: npt.ArrayLike) -> list[float]:
    x, y, z = np.round(np.asarray(lps, np.float64), 4).tolist()
    return [-x + 0.0, -y + 0.0, z + 0.0]  # + 0.0: no -0.0


def _shown(ras: list[float]) -> str:
    return ", ".join(f"{round(n, 1) + 0.0:.1f}" for n in ras)
