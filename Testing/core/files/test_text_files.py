from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.files.text_files import (
    check_destinations,
    read_json,
    read_table,
    write_csv,
    write_json,
)


def test_good_destinations_are_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("precious")
    check_destinations((tmp_path / "new.json", ".json"), (old, ".csv"), (None, ".md"))
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]
    assert old.read_text() == "precious"


def test_bad_destinations(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"end its name with \.csv"):
        check_destinations((tmp_path / "table.txt", ".csv"))
    with pytest.raises(UserError, match="does not exist: create it"):
        check_destinations((tmp_path / "missing" / "table.csv", ".csv"))


def test_csv_leaves_missing_numbers_empty(tmp_path: Path) -> None:
    write_csv([{"case": "a, b", "dice": 1 / 3, "found": 2, "sensitivity": math.nan}],
              tmp_path / "t.csv")  # fmt: skip
    with (tmp_path / "t.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {"case": "a, b", "dice": "0.333333", "found": "2", "sensitivity": ""}


def test_json_survives_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    write_json({"dice": None}, path)
    with pytest.raises(ValueError):
        write_json({"dice": math.nan}, path)
    assert json.loads(path.read_text()) == {"dice": None}


def test_json_that_somebody_wrote_comes_back_or_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    with pytest.raises(UserError, match=r"The datalist .*list\.json does not exist"):
        read_json(path, "datalist")
    for broken in (b"{", b'{"a": "\xff"}', b"[" * 100_000):
        path.write_bytes(broken)
        with pytest.raises(UserError, match="not readable JSON"):
            read_json(path, "datalist")
        assert read_table(path) is None
    path.write_text('\ufeff["ü"]', encoding="utf-8")
    assert read_json(path, "datalist") == ["ü"]


def test_a_table_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert read_table(path) is None
    write_json({"state": "ü"}, path)
    assert read_table(path) == {"state": "ü"}
    write_json([1], path)
    assert read_table(path) is None


def test_a_name_that_is_no_text_is_written_as_json_spells_it(tmp_path):
    name = "Zo\udceb"  # what Python makes of the byte 0xeb in a file's name
    write_json({"name": name}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"name": name}
    write_csv([{"name": name}], tmp_path / "a.csv")
    assert "Zo\\udceb" in (tmp_path / "a.csv").read_text(encoding="utf-8")
