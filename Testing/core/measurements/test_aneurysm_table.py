from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.measurements import COLUMNS, Aneurysm, write_aneurysms_csv

FOUND = [
    Aneurysm(
        index=1,
        volume_ml=0.12344,
        largest_diameter_mm=7.654,
        centroid_lps=(-10.0, 20.5, 3.25),
        centroid_ijk=(1.0, 2.0, 3.0),
        voxels=1234,
        height_mm=6.006,
        neck_width_mm=4.0,
        aspect_ratio=1.5015,
        surface_area_mm2=123.45,
        sphericity=0.8765,
        parent_vessel_diameter_mm=2.714,
    ),
    Aneurysm(2, 0.00044, 1.2, (0.0, 0.0, -7.0), (4.0, 5.0, 6.0), 4, cut_off=True),
]
HEADER = (
    "index,volume_ml,largest_diameter_mm,r_mm,a_mm,s_mm,height_mm,neck_width_mm,aspect_ratio,"
    "surface_area_mm2,sphericity,parent_vessel_diameter_mm,cut_off"
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_aneurysm_in_ras(tmp_path: Path) -> None:
    write_aneurysms_csv(FOUND, tmp_path / "a.csv")
    first, second = rows(tmp_path / "a.csv")
    assert first == {
        "index": "1",
        "volume_ml": "0.1234",
        "largest_diameter_mm": "7.65",
        "r_mm": "10.00",
        "a_mm": "-20.50",
        "s_mm": "3.25",
        "height_mm": "6.01",
        "neck_width_mm": "4.00",
        "aspect_ratio": "1.50",
        "surface_area_mm2": "123.5",
        "sphericity": "0.876",
        "parent_vessel_diameter_mm": "2.71",
        "cut_off": "no",
    }
    assert second["index"] == "2"
    assert float(second["s_mm"]) == -7


def test_what_is_undefined_is_empty(tmp_path: Path) -> None:
    write_aneurysms_csv(FOUND, tmp_path / "a.csv")
    _, second = rows(tmp_path / "a.csv")
    empty = [name for name, text in second.items() if text == ""]
    assert empty == [column.name for column in COLUMNS[6:12]]
    assert second["cut_off"] == "yes"


def test_the_header_alone_without_aneurysms(tmp_path: Path) -> None:
    write_aneurysms_csv([], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().strip() == HEADER


def test_columns_show_what_an_aneurysm_has() -> None:
    row = json.loads(json.dumps(FOUND[0].to_dict()))
    for column in COLUMNS:
        assert column.value(row) is not None, column.name
        assert column.text(row)
        assert column.name.endswith(f"_{column.unit}".replace("²", "2")) or not column.unit
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert len({column.title for column in COLUMNS}) == len(COLUMNS)
    numbers = {name for name, value in row.items() if isinstance(value, float)}
    assert numbers <= {column.attribute for column in COLUMNS}


def test_the_table_needs_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys\n"
        "from gsema_core.measurements import COLUMNS, write_aneurysms_csv\n"
        "print(*{'SimpleITK', 'numpy', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_full_disk_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UserError, match="No space left"):
        write_aneurysms_csv(FOUND, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
