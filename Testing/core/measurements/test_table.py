from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import pytest

from gsema_core.errors import UserError
from gsema_core.measurements import Aneurysm, write_aneurysms_csv

FOUND = [
    Aneurysm(1, 0.12344, 7.654, (-10.0, 20.5, 3.25), (1.0, 2.0, 3.0), 1234),
    Aneurysm(2, 0.00044, 1.2, (0.0, 0.0, -7.0), (4.0, 5.0, 6.0), 4),
]


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
    }
    assert second["index"] == "2"
    assert float(second["s_mm"]) == -7


def test_the_header_alone_without_aneurysms(tmp_path: Path) -> None:
    write_aneurysms_csv([], tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    assert text.strip() == "index,volume_ml,largest_diameter_mm,r_mm,a_mm,s_mm"


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
