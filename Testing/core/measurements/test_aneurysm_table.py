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
from gsema_core.measurements import (
    COLUMNS,
    Aneurysm,
    is_current,
    measurements_report,
    write_aneurysms_csv,
)
from gsema_core.measurements.aneurysm_table import reasons_of

WHOLE = Aneurysm(
    index=1,
    volume_ml=0.12344,
    largest_diameter_mm=7.654,
    centroid_lps=(-10.0, 20.5, 3.25),
    centroid_ijk=(1.0, 2.0, 3.0),
    voxels=1234,
    height_mm=6.006,
    maximum_height_mm=6.25,
    sac_centerline_length_mm=6.34,
    width_mm=7.51,
    neck_width_mm=4.0,
    neck_breadth_mm=3.04,
    neck_area_mm2=9.55,
    neck_perimeter_mm=11.1,
    aspect_ratio=1.5015,
    size_ratio=2.303,
    bottleneck_factor=1.8775,
    height_width_ratio=0.8,
    surface_area_mm2=123.45,
    dome_area_mm2=114.04,
    sphericity=0.8765,
    undulation_index=0.012,
    ellipticity_index=0.19,
    non_sphericity_index=0.2049,
    parent_vessel_diameter_mm=2.714,
    aneurysm_angle_deg=81.5,
    inflow_angle_deg=102.4,
    vessel_angle_deg=3.0,
    certainty=0.93,
)
NO_NECK = "No neck: no vessel touches the aneurysm."
CUT_OFF = "The border of the volume cuts the aneurysm off."
PART = Aneurysm(
    2, 0.0062, 1.2, (0.0, 0.03, -7.0), (4.0, 5.0, 6.0), 4, cut_off=True,
    missing={"neck_width_mm": NO_NECK, "surface_area_mm2": CUT_OFF, "height_mm": NO_NECK},
)  # fmt: skip
FOUND = [WHOLE, PART]
HEADER = (
    "index,largest_diameter_mm,neck_width_mm,height_mm,width_mm,aspect_ratio,size_ratio,"
    "parent_vessel_diameter_mm,volume_mm3,certainty,cut_off,bottleneck_factor,height_width_ratio,"
    "maximum_height_mm,sac_centerline_length_mm,neck_breadth_mm,neck_area_mm2,neck_perimeter_mm,"
    "surface_area_mm2,dome_area_mm2,sphericity,undulation_index,ellipticity_index,non_sphericity_index,aneurysm_angle_deg,"
    "inflow_angle_deg,vessel_angle_deg,r_mm,a_mm,s_mm,missing"
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_aneurysm_by_one_rule_for_digits(tmp_path: Path) -> None:
    """mm, mm² and mm³ have one digit after the point, pure numbers two, degrees none."""
    write_aneurysms_csv(FOUND, tmp_path / "a.csv")
    first, second = rows(tmp_path / "a.csv")
    assert first == {
        "index": "1",
        "largest_diameter_mm": "7.7",
        "neck_width_mm": "4.0",
        "height_mm": "6.0",
        "width_mm": "7.5",
        "aspect_ratio": "1.50",
        "size_ratio": "2.30",
        "parent_vessel_diameter_mm": "2.7",
        "volume_mm3": "123.4",
        "certainty": "0.93",
        "cut_off": "no",
        "bottleneck_factor": "1.88",
        "height_width_ratio": "0.80",
        "maximum_height_mm": "6.2",
        "sac_centerline_length_mm": "6.3",
        "neck_breadth_mm": "3.0",
        "neck_area_mm2": "9.6",
        "neck_perimeter_mm": "11.1",
        "surface_area_mm2": "123.5",
        "dome_area_mm2": "114.0",
        "sphericity": "0.88",
        "undulation_index": "0.01",
        "ellipticity_index": "0.19",
        "non_sphericity_index": "0.20",
        "aneurysm_angle_deg": "82",
        "inflow_angle_deg": "102",
        "vessel_angle_deg": "3",
        "r_mm": "10.0",
        "a_mm": "-20.5",
        "s_mm": "3.2",
        "missing": "",
    }
    assert (second["index"], second["volume_mm3"], second["cut_off"]) == ("2", "6.2", "yes")
    assert second["a_mm"] == "0.0"  # and no -0.0
    assert float(second["s_mm"]) == -7


def test_what_is_undefined_is_empty_and_says_why(tmp_path: Path) -> None:
    write_aneurysms_csv(FOUND, tmp_path / "a.csv")
    _, second = rows(tmp_path / "a.csv")
    there = {"index", "largest_diameter_mm", "volume_mm3", "cut_off", "r_mm", "a_mm", "s_mm"}
    assert {name for name, text in second.items() if text} == {*there, "missing"}
    assert second["missing"] == (
        f"neck_width_mm, height_mm: {NO_NECK} | surface_area_mm2: {CUT_OFF}"
    )
    assert reasons_of(second["missing"]) == PART.missing
    assert reasons_of("") == {}
    row = PART.to_dict()
    told = {column.name: column.reason(row) for column in COLUMNS if column.reason(row)}
    assert told == PART.missing


def test_a_row_that_an_earlier_version_left() -> None:
    """As a record of an overview has it: without what was not measured then."""
    old = {
        "index": 1,
        "volume_ml": 0.1,
        "largest_diameter_mm": 5.0,
        "centroid_ras": [1.0, 2.0, 3.0],
    }
    told = {column.name: column.text(old) for column in COLUMNS}
    assert {name: text for name, text in told.items() if text} == {
        "index": "1", "largest_diameter_mm": "5.0", "r_mm": "1.0", "a_mm": "2.0", "s_mm": "3.0",
    }  # fmt: skip
    assert not any(column.reason(old) for column in COLUMNS)


def test_the_header_alone_without_aneurysms(tmp_path: Path) -> None:
    write_aneurysms_csv([], tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().strip() == HEADER


def test_columns_show_what_an_aneurysm_has() -> None:
    row = json.loads(json.dumps(WHOLE.to_dict()))
    units = {"²": "2", "³": "3", "°": "deg"}
    for column in COLUMNS:
        assert column.value(row) is not None, column.name
        assert column.text(row) or column.name == "missing"
        unit = "".join(units.get(letter, letter) for letter in column.unit)
        assert column.name.endswith(f"_{unit}") or not unit
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert len({column.title for column in COLUMNS}) == len(COLUMNS)
    numbers = {name for name, value in row.items() if isinstance(value, float)}
    # The field of earlier reports is there too, but stands once in tables.
    assert numbers - {"volume_ml"} <= {column.key for column in COLUMNS}
    assert row["volume_mm3"] == pytest.approx(1000 * row["volume_ml"])


def test_reports_tell_by_which_definitions_they_measure() -> None:
    report = json.loads(json.dumps(measurements_report(FOUND)))
    assert is_current(report) and len(report["aneurysms"]) == 2
    older = {"aneurysms": report["aneurysms"]}
    for other in (older, {**older, "measurements_version": 1}, None, [], "x"):
        assert not is_current(other)


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
