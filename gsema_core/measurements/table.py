"""The aneurysms' measurements as a table that spreadsheets open."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable

from gsema_core.files import atomic_path
from gsema_core.measurements.aneurysms import Aneurysm

COLUMNS = ("index", "volume_ml", "largest_diameter_mm", "r_mm", "a_mm", "s_mm")
"""r_mm, a_mm, s_mm: the centroid in mm towards right, anterior and superior, as Slicer shows it."""


def write_aneurysms_csv(aneurysms: Iterable[Aneurysm], path: str | os.PathLike[str]) -> None:
    """Write one row an aneurysm under ``COLUMNS``; without aneurysms, the header alone.

    Raises:
        UserError: the file could not be written; an older one is then unchanged.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for aneurysm in aneurysms:
            position = (f"{value:.2f}" for value in aneurysm.centroid_ras)
            diameter = f"{aneurysm.largest_diameter_mm:.2f}"
            writer.writerow([aneurysm.index, f"{aneurysm.volume_ml:.4f}", diameter, *position])
