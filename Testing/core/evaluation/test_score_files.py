from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.evaluation.score_files import check_destinations, write_csv, write_json


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
