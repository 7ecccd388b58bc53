"""The aneurysms' measurements as a table: its columns, and the file that spreadsheets open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gsema_core.files.text_files import write_csv

if TYPE_CHECKING:
    from gsema_core.measurements.aneurysm import Aneurysm

DECIMALS = {"mm": 1, "mm²": 1, "mm³": 1, "°": 0, "": 2}
"""Digits after the point by unit, in the panel, in CSV files, on the command line and in the
overview; JSON reports and DICOM SR have the whole numbers. A tenth of a mm is what angiographic
studies publish, and what the errors on exact shapes (0.1 to 0.3 voxels) permit. Volumes are in mm³,
so that a sac of 6.2 mm³ is read at a glance. Our choice."""


@dataclass(frozen=True)
class Column:
    """One column of every table of aneurysms.

    Args:
        name: heading in files; for most columns also the key in ``Aneurysm.to_dict()``.
        unit: "" for a pure number.
        title: heading for people, without the unit.
        attribute: the key, if it is not the name.
        component: which value of the attribute, if it has several.
        essential: whether it is shown if there is not room for all columns.
    """

    name: str
    unit: str
    title: str
    attribute: str = ""
    component: int | None = None
    essential: bool = False

    @property
    def key(self) -> str:
        """The key in ``Aneurysm.to_dict()`` that it shows."""
        return self.attribute or self.name

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def value(self, row: Mapping[str, Any]) -> Any:
        """The value of one ``Aneurysm.to_dict()``, in the column's unit.

        None if there is none, also in rows that an earlier version of this program left.
        """
        value = row.get(self.key)
        return value if self.component is None or value is None else value[self.component]

    def text(self, row: Mapping[str, Any]) -> str:
        """The value as files and tables show it; empty if there is none."""
        value = self.value(row)
        if value is None:
            return ""
        if isinstance(value, Mapping):
            return reasons_text(value)
        return value_text(value, self.unit)

    def reason(self, row: Mapping[str, Any]) -> str:
        """Why there is no value, in a sentence; empty if there is one, or no reason is known."""
        return str(row.get("missing", {}).get(self.key, ""))


def value_text(value: Any, unit: str) -> str:
    """A number, a yes or a text as every table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    decimals = DECIMALS[unit]
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0: no -0.0


COLUMNS = (
    Column("index", "", "Aneurysm", essential=True),
    Column("largest_diameter_mm", "mm", "Largest diameter", essential=True),
    Column("neck_width_mm", "mm", "Neck width", essential=True),
    Column("height_mm", "mm", "Height", essential=True),
    Column("width_mm", "mm", "Width", essential=True),
    Column("aspect_ratio", "", "Aspect ratio", essential=True),
    Column("size_ratio", "", "Size ratio", essential=True),
    Column("parent_vessel_diameter_mm", "mm", "Parent vessel", essential=True),
    Column("volume_mm3", "mm³", "Volume", essential=True),
    Column("certainty", "", "Certainty", essential=True),
    Column("cut_off", "", "Cut off", essential=True),
    Column("bottleneck_factor", "", "Bottleneck factor"),
    Column("height_width_ratio", "", "Height / width"),
    Column("maximum_height_mm", "mm", "Maximum height"),
    Column("sac_centerline_length_mm", "mm", "Sac centerline"),
    Column("neck_breadth_mm", "mm", "Neck breadth"),
    Column("neck_area_mm2", "mm²", "Neck area"),
    Column("neck_perimeter_mm", "mm", "Neck perimeter"),
    Column("surface_area_mm2", "mm²", "Surface area"),
    Column("dome_area_mm2", "mm²", "Dome area"),
    Column("sphericity", "", "Sphericity"),
    Column("undulation_index", "", "Undulation index"),
    Column("ellipticity_index", "", "Ellipticity index"),
    Column("non_sphericity_index", "", "Non-sphericity index"),
    Column("aneurysm_angle_deg", "°", "Aneurysm angle"),
    Column("inflow_angle_deg", "°", "Inflow angle"),
    Column("vessel_angle_deg", "°", "Vessel angle"),
    Column("r_mm", "mm", "Right", "centroid_ras", 0),
    Column("a_mm", "mm", "Anterior", "centroid_ras", 1),
    Column("s_mm", "mm", "Superior", "centroid_ras", 2),
    Column("missing", "", "Why cells are empty"),
)
"""The columns in the order of tables: the most important come first.

``Aneurysm`` tells what each value means. r, a, s are the centroid's position towards right,
anterior and superior, as Slicer shows it."""


def reasons_text(missing: Mapping[str, str]) -> str:
    """``Aneurysm.missing`` in one cell: ``name, name: sentence | name: sentence``."""
    names: dict[str, list[str]] = {}
    for name, reason in missing.items():
        names.setdefault(reason, []).append(name)
    return " | ".join(f"{', '.join(these)}: {reason}" for reason, these in names.items())


def reasons_of(text: str) -> dict[str, str]:
    """What ``reasons_text`` was made of."""
    parts = [part.partition(": ") for part in text.split(" | ") if part]
    return {name: reason for names, _, reason in parts for name in names.split(", ")}


def write_aneurysms_csv(aneurysms: Iterable[Aneurysm], path: str | os.PathLike[str]) -> None:
    """Write one row for each aneurysm, under ``COLUMNS``; without aneurysms, only the header.

    Raises:
        UserError: the file could not be written; an older one is then unchanged.
    """
    values = [aneurysm.to_dict() for aneurysm in aneurysms]
    rows = [{column.name: column.text(row) for column in COLUMNS} for row in values]
    write_csv(rows, path, [column.name for column in COLUMNS])
