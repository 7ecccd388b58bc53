"""What is known of one aneurysm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Point = tuple[float, float, float]
Line = tuple[Point, Point]

MEASUREMENTS_VERSION = 2
"""Of all definitions here together: raised whenever one changes, so that numbers of different
versions are not put side by side unnoticed. Reports before version 2 do not tell it."""


@dataclass(frozen=True)
class Aneurysm:
    """One connected aneurysm; voxels that share a corner are connected.

    A measurement that has no meaning is None, and ``missing`` says why. An aneurysm that no vessel
    touches has no neck, and therefore no height, aspect ratio and parent vessel. One that the
    volume's border cuts off has no height, surface and shape; its volume and largest diameter are
    those of the part inside.

    Formulas, papers and errors are in docs/explanation/measurements.md and at the functions
    named here.

    Args:
        index: 1 for the largest.
        volume_ml: voxels times the voxel's volume.
        largest_diameter_mm: in any direction, see ``diameter.largest_diameter``.
        centroid_lps: mean position of its voxels in mm (LPS).
        centroid_ijk: the same as voxel indices, with fractions.
        voxels: number of voxels.
        height_mm: largest distance from the neck plane, see ``neck.height``.
        maximum_height_mm: largest distance from the neck's center, see ``dome.long_axis``.
        sac_centerline_length_mm: along the sac's middle, see
            ``sac_centerline.sac_centerline_length_mm``.
        width_mm: largest diameter parallel to the neck plane, see ``dome.largest_width``.
        neck_width_mm: the neck's largest diameter, see ``neck.Neck``, as for all neck measures.
        neck_breadth_mm: the neck's diameter across it.
        neck_area_mm2: area of the ostium.
        neck_perimeter_mm: its perimeter.
        aspect_ratio: height / neck width (Ujiie et al., Neurosurgery 48:495, 2001).
        size_ratio: maximum height / parent vessel diameter (Dhar et al., Neurosurgery 63:185,
            2008).
        bottleneck_factor: width / neck width (Raghavan et al., J Neurosurg 102:355, 2005).
        height_width_ratio: height / width (likewise).
        surface_area_mm2: closed surface, the opening of the neck included, see
            ``surface.surface_area_mm2``.
        dome_area_mm2: the wall without that opening, see ``shape_indices.dome_area_mm2``.
        sphericity: of that surface, see ``surface.sphericity``.
        undulation_index: see ``shape_indices.shape_indices``.
        ellipticity_index: likewise.
        non_sphericity_index: likewise.
        parent_vessel_diameter_mm: see ``parent_vessel.parent_vessel_diameter_mm``.
        aneurysm_angle_deg: see ``inflow.aneurysm_angle_deg``.
        inflow_angle_deg: see ``inflow.inflow_angles``.
        vessel_angle_deg: likewise.
        cut_off: whether it touches the volume's border, so that part of it may be missing.
        certainty: mean probability by the teacher that drew it, in [0, 1].
        neck_center_lps: middle of the neck plane, in mm (LPS); there also where the border cuts the
            aneurysm off.
        neck_normal_lps: unit normal of the neck plane, from the vessel into the sac (LPS).
        diameter_line_lps: both ends of the largest diameter, in mm (LPS).
        height_line_lps: the foot on the neck plane and the dome's tip, in mm (LPS).
        neck_line_lps: both ends of the neck's largest diameter, in mm (LPS).
        missing: for each field above that is None, the reason in one sentence.
    """

    index: int
    volume_ml: float
    largest_diameter_mm: float
    centroid_lps: Point
    centroid_ijk: Point
    voxels: int
    height_mm: float | None = None
    maximum_height_mm: float | None = None
    sac_centerline_length_mm: float | None = None
    width_mm: float | None = None
    neck_width_mm: float | None = None
    neck_breadth_mm: float | None = None
    neck_area_mm2: float | None = None
    neck_perimeter_mm: float | None = None
    aspect_ratio: float | None = None
    size_ratio: float | None = None
    bottleneck_factor: float | None = None
    height_width_ratio: float | None = None
    surface_area_mm2: float | None = None
    dome_area_mm2: float | None = None
    sphericity: float | None = None
    undulation_index: float | None = None
    ellipticity_index: float | None = None
    non_sphericity_index: float | None = None
    parent_vessel_diameter_mm: float | None = None
    aneurysm_angle_deg: float | None = None
    inflow_angle_deg: float | None = None
    vessel_angle_deg: float | None = None
    cut_off: bool = False
    certainty: float | None = None
    neck_center_lps: Point | None = None
    neck_normal_lps: Point | None = None
    diameter_line_lps: Line | None = None
    height_line_lps: Line | None = None
    neck_line_lps: Line | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def volume_mm3(self) -> float:
        """The volume as tables show it."""
        return self.volume_ml * 1000

    @property
    def centroid_ras(self) -> Point:
        """The position in mm as Slicer shows it."""
        left, posterior, superior = self.centroid_lps
        return -left, -posterior, superior

    def with_certainty(self, certainty: float | None) -> Aneurysm:
        """Return a copy with this certainty of the teacher; None changes nothing."""
        if certainty is None:
            return self
        missing = {name: why for name, why in self.missing.items() if name != "certainty"}
        return replace(self, certainty=certainty, missing=missing)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values for JSON, plus the volume in mm3 and the position in RAS."""
        told = {"volume_mm3": self.volume_mm3, "centroid_ras": self.centroid_ras}
        return {**asdict(self), **told}


def measurements_report(aneurysms: Iterable[Aneurysm]) -> dict[str, Any]:
    """The measurements for a report: ``aneurysms``, and the version of the definitions by which
    they were measured."""
    return {
        "aneurysms": [aneurysm.to_dict() for aneurysm in aneurysms],
        "measurements_version": MEASUREMENTS_VERSION,
    }


def is_current(report: Any) -> bool:
    """Whether a report (any JSON) was measured by the definitions of this version."""
    return isinstance(report, dict) and (report.get("measurements_version") == MEASUREMENTS_VERSION)
