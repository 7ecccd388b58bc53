"""What is measured of an aneurysm from its neck, or why it is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from gsema_core.grids.boxes import bounding_box, box_of, grown
from gsema_core.measurements.dome import largest_width, long_axis
from gsema_core.measurements.inflow import aneurysm_angle_deg, branches_at, inflow_angles
from gsema_core.measurements.interface import Floats, Integers, Mask, faces_between
from gsema_core.measurements.neck import Neck, NoNeck, find_neck, height
from gsema_core.measurements.parent_vessel import REACH_MM, WIDEST_MM, parent_vessel_diameter_mm
from gsema_core.measurements.sac_centerline import sac_centerline_length_mm
from gsema_core.measurements.sac_voxels import Sac, line_lps, point
from gsema_core.measurements.shape_indices import LEAST_ACROSS, shape_indices
from gsema_core.measurements.surface import LONGEST_STEP

SHAPE = ("dome_area_mm2", "undulation_index", "ellipticity_index", "non_sphericity_index")
DOME = ("height_mm", "maximum_height_mm", "width_mm", "aspect_ratio", "bottleneck_factor",
        "height_width_ratio")  # fmt: skip
LINE = ("sac_centerline_length_mm",)
AXIS = ("aneurysm_angle_deg", "inflow_angle_deg", "vessel_angle_deg")
NECK = ("neck_width_mm", "neck_breadth_mm", "neck_area_mm2", "neck_perimeter_mm")
ALL = (*NECK, *DOME, *LINE, *SHAPE, "parent_vessel_diameter_mm", "size_ratio", *AXIS)
"""The names of ``Aneurysm`` that need a neck."""

NO_AXIS = "The sac reaches about as far in all directions, so that it has no long axis."
CUT_OFF = "The border of the volume cuts the aneurysm off."

Found = tuple[dict[str, Any], dict[str, str]]
"""Values by names of ``Aneurysm``, and why others are missing."""


def neck_values(sac: Sac, points: Floats) -> Found:
    """All that ``ALL`` names, with the ostium plane and lines.

    Args:
        sac: the aneurysm.
        points: (N, 3) voxel centers of its surface in mm along the array's axes.
    """
    mask, vessel, start = sac.with_vessels(LONGEST_STEP)
    faces = faces_between(mask, vessel, sac.spacing, start)
    neck = find_neck(faces, sac.labels.array.shape)
    if isinstance(neck, NoNeck):
        return {}, dict.fromkeys(ALL, f"No neck: {neck.reason}.")
    top = height(neck, points, sac.spacing)
    if top is None:
        reason = "No neck: the aneurysm does not rise above the plane of its opening."
        return {}, dict.fromkeys(ALL, reason)
    values = _of_neck(neck, sac)
    missing: dict[str, str] = {}
    for told, why in (
        _of_dome(neck, top, points, sac),
        _of_line(neck, mask, vessel, start, sac),
        _of_shape(neck, mask, vessel, start, sac),
        _of_vessel(neck, points, sac),
    ):
        values |= told
        missing |= why
    return values, missing


def _of_neck(neck: Neck, sac: Sac) -> dict[str, Any]:
    center, normal = neck.plane_lps(sac.labels.geometry)
    return {
        "neck_width_mm": neck.width_mm,
        "neck_breadth_mm": neck.breadth_mm,
        "neck_area_mm2": neck.area_mm2,
        "neck_perimeter_mm": neck.perimeter_mm,
        "neck_line_lps": line_lps(neck.ends, sac.labels.geometry),
        "neck_center_lps": point(center),
        "neck_normal_lps": point(normal),
    }


def _of_dome(neck: Neck, top: tuple[float, Floats], points: Floats, sac: Sac) -> Found:
    if sac.cut_off():
        return {}, dict.fromkeys(DOME, CUT_OFF)
    height_mm, tip = top
    first, second = largest_width(neck, points, sac.spacing)
    width_mm = float(np.linalg.norm(second - first))
    return {
        "height_mm": height_mm,
        "maximum_height_mm": long_axis(neck, points, sac.spacing)[0],
        "width_mm": width_mm,
        "aspect_ratio": height_mm / neck.width_mm,
        "bottleneck_factor": width_mm / neck.width_mm,
        "height_width_ratio": height_mm / width_mm,
        "height_line_lps": line_lps((tip - height_mm * neck.normal, tip), sac.labels.geometry),
    }, {}


def _of_line(neck: Neck, mask: Mask, vessel: Mask, start: Integers, sac: Sac) -> Found:
    if sac.cut_off():
        return {}, dict.fromkeys(LINE, CUT_OFF)
    length_mm = sac_centerline_length_mm(mask, vessel, neck, sac.spacing, start)
    return {"sac_centerline_length_mm": length_mm}, {}


def _of_shape(neck: Neck, mask: Mask, vessel: Mask, start: Integers, sac: Sac) -> Found:
    if sac.cut_off():
        return {}, dict.fromkeys(SHAPE, CUT_OFF)
    indices = shape_indices(mask, vessel, neck, sac.spacing, start)
    if indices is None:
        reason = f"The aneurysm is less than {LEAST_ACROSS:.0f} voxels across."
        return {}, dict.fromkeys(SHAPE, reason)
    return {
        "dome_area_mm2": indices.dome_area_mm2,
        "undulation_index": indices.undulation,
        "ellipticity_index": indices.ellipticity,
        "non_sphericity_index": indices.non_sphericity,
    }, {}


def _of_vessel(neck: Neck, points: Floats, sac: Sac) -> Found:
    vessel, start = _around(neck, sac)
    diameter_mm = parent_vessel_diameter_mm(vessel, neck, sac.spacing, start)
    values: dict[str, Any] = {}
    missing: dict[str, str] = {}
    if diameter_mm is None:
        reason = f"What the neck sits on is wider than {WIDEST_MM:.0f} mm."
        missing = dict.fromkeys(("parent_vessel_diameter_mm", "size_ratio", *AXIS[1:]), reason)
    else:
        values["parent_vessel_diameter_mm"] = diameter_mm
    if sac.cut_off():
        return values, dict.fromkeys(("size_ratio", *AXIS), CUT_OFF) | missing
    longest_mm, axis = long_axis(neck, points, sac.spacing)
    if diameter_mm is not None:
        values["size_ratio"] = longest_mm / diameter_mm
    if axis is None:
        return values, missing | dict.fromkeys(AXIS, NO_AXIS)
    values["aneurysm_angle_deg"] = aneurysm_angle_deg(neck, axis)
    if diameter_mm is None:
        return values, missing
    branches = branches_at(vessel, neck, diameter_mm, sac.spacing, start)
    angles = inflow_angles(branches, neck, axis, float(sac.spacing.max()))
    if isinstance(angles, str):
        return values, missing | dict.fromkeys(AXIS[1:], angles)
    return values | asdict(angles), missing


def _around(neck: Neck, sac: Sac) -> tuple[Mask, Integers]:
    """The vessels around the neck, and the index of the first voxel."""
    reach = neck.width_mm / 2 + REACH_MM
    low = np.floor((neck.center - reach) / sac.spacing).astype(int)
    high = np.ceil((neck.center + reach) / sac.spacing).astype(int) + 1
    return _trimmed(*sac.vessels(low, high))


def _trimmed(mask: Mask, start: Integers) -> tuple[Mask, Integers]:
    """The same without what is empty around it, but for one voxel; vessels fill little of a box."""
    if not mask.any():
        return mask, start
    box = grown(bounding_box(mask), (1, 1, 1), box_of((0, 0, 0), mask.shape))
    return mask[box], start + [side.start for side in box]
