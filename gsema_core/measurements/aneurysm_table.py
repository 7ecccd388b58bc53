"""The aneurysms' measurements as a table: its columns, and the file that spreadsheets open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gsema_core.files.text_files import write_csv

if TYPE_CHECKING:
    from gsema_core.measurements.aneurysms import Aneurysm


@dataclass(frozen=True)
class Column:
    """One column of every table of aneurysms.

    Args:
        name: heading in files.
        unit: "" for a pure number.
        title: heading for people, without the unit.
        attribute: what of ``Aneurysm.to_dict()`` it shows.
        decimals: digits after the point; whole numbers have 0.
        component: which of the attribute's values, where that has several.
    """

    name: str
    unit: str
    title: str
    attribute: str
    decimals: int = 0
    component: int | None = None

    def value(self, row: Mapping[str, Any]) -> Any:
        """The value in mm, ml and so on of one ``Aneurysm.to_dict()``; None where undefined."""
        value = row[self.attribute]
        return value if self.component is None else value[self.component]

    def text(self, row: Mapping[str, Any]) -> str:
        """The value as files and tables show it; empty where it is undefined."""
        value = self.value(row)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:.{self.decimals}f}"


COLUMNS = (
    Column("index", "", "Aneurysm", "index"),
    Column("volume_ml", "ml", "Volume", "volume_ml", 4),
    Column("largest_diameter_mm", "mm", "Largest diameter", "largest_diameter_mm", 2),
    Column("r_mm", "mm", "Right", "centroid_ras", 2, component=0),
    Column("a_mm", "mm", "Anterior", "centroid_ras", 2, component=1),
    Column("s_mm", "mm", "Superior", "centroid_ras", 2, component=2),
    Column("height_mm", "mm", "Height", "height_mm", 2),
    Column("neck_width_mm", "mm", "Neck width", "neck_width_mm", 2),
    Column("aspect_ratio", "", "Aspect ratio", "aspect_ratio", 2),
    Column("surface_area_mm2", "mm²", "Surface area", "surface_area_mm2", 1),
    Column("sphericity", "", "Sphericity", "sphericity", 3),
    Column("parent_vessel_diameter_mm", "mm", "Parent vessel", "parent_vessel_diameter_mm", 2),
    Column("cut_off", "", "Cut off by the border", "cut_off"),
)
"""In the order of files; what each value means stands at ``Aneurysm``. r, a, s: the centroid's
position towards right, anterior and superior, as Slicer shows it."""


def write_aneurysms_csv(aneurysms: Iterable[Aneurysm], path: str | os.PathLike[str]) -> None:
    """Write one row an aneurysm under ``COLUMNS``; without aneurysms, the header alone.

    Raises:
        UserError: the file could not be written; an older one is then unchanged.
    """
    values = [aneurysm.to_dict() for aneurysm in aneurysms]
    rows = [{column.name: column.text(row) for column in COLUMNS} for row in values]
    write_csv(rows, path, [column.name for column in COLUMNS])
