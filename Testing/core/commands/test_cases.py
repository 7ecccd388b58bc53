from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry

GRID = Geometry((40, 40, 40), (0.8, 0.8, 0.8))


@pytest.fixture
def folder(tmp_path: Path, make_scan: Any) -> Path:
    """Two centers with two cases each."""
    scan, truth = make_scan(GRID)
    write_volume(scan, tmp_path / "scan.nrrd")
    write_labels(truth, tmp_path / "truth.nrrd")
    for place in ("A/p1", "A/p2", "B/p1", "B/p2"):
        path = tmp_path / "cases" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "scan.nrrd", f"{path}.nrrd")
        shutil.copy(tmp_path / "truth.nrrd", f"{path}_label.nrrd")
    return tmp_path / "cases"


def test_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("4 cases; 4 patients, 2 centers, 4 aneurysms.\n")
    assert [line.split()[:3] for line in out.splitlines()[2:]] == [["A", "2", "2"], ["B", "2", "2"]]
    assert "case 4 of 4" in err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    (folder / "A" / "p2.nrrd").write_bytes(b"no image")
    assert main(["cases", str(folder), "--json", "--jobs", jobs]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    *rows, last = map(json.loads, out.splitlines())
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    first = rows[0]
    assert first | {"vessel_ml": 0, "aneurysm_ml": 0} == {
        "number": 1,
        "patient": "A/p1",
        "center": "A",
        "use": "",
        "image": str(folder / "A" / "p1.nrrd"),
        "label": str(folder / "A" / "p1_label.nrrd"),
        "relabel": [],
        "usable": True,
        "reason": None,
        "spacing_mm": [0.8, 0.8, 0.8],
        "size": [40, 40, 40],
        "vessel_ml": 0,
        "aneurysm_ml": 0,
        "aneurysms": 1,
    }
    # A sphere of 10 mm: 0.524 ml.
    assert first["aneurysm_ml"] == pytest.approx(0.524, rel=0.05)
    assert rows[1]["usable"] is False and "p2.nrrd" in rows[1]["reason"]
    assert rows[1]["aneurysms"] is rows[1]["size"] is None
    assert last["summary"]["unusable"] == 1 and last["summary"]["usable"] == 3


def test_reasons_follow_the_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "A" / "p2.nrrd").write_bytes(b"no image")
    assert main(["cases", str(folder)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("4 cases, 1 that cannot be used; 3 patients")
    assert out[-1].startswith("case 2 (patient A/p2): The image ")


def test_files_that_are_missing_are_told_with_their_case(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"image": "cases/A/p1.nrrd", "label": "cases/A/p1_label.nrrd"}
    whole = {"patient": "p1", "center": "A", **files}
    lost = whole | {"patient": "p2", "image": "gone.nrrd"}
    (tmp_path / "list.json").write_text(json.dumps({"cases": [lost, whole]}))
    assert main(["cases", str(tmp_path / "list.json"), "--json"]) == 1
    first, second, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert "gone.nrrd does not exist" in first["reason"] and second["usable"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["gone"], "gone does not exist"),
        (["."], "has no images with label maps"),
        ([".", "--jobs", "0"], "--jobs is 0"),
    ],
)
def test_refusals(
    arguments: list[str], reason: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["cases", *arguments]) == EXIT_USER_ERROR
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and reason in line
