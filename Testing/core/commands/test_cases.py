from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gsema_core.cli import main
from gsema_core.datasets import read_datalist
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume

CENTERS = ("--center-from", "folder")
GRID = Geometry((40, 40, 40), (0.8, 0.8, 0.8))


@pytest.fixture
def folder(tmp_path: Path, make_scan: Any) -> Path:
    """Two centers with two cases each."""
    scan, truth = make_scan(GRID)
    write_labels(truth, tmp_path / "truth.nrrd")
    for number, place in enumerate(("A/p1", "A/p2", "B/p1", "B/p2")):
        path = tmp_path / "cases" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(Volume(scan.array + number, scan.geometry), f"{path}.nrrd")
        shutil.copy(tmp_path / "truth.nrrd", f"{path}_label.nrrd")
    return tmp_path / "cases"


def test_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", str(folder), *CENTERS]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("4 cases; 4 patients, 2 centers, 4 aneurysms.\n")
    assert [line.split()[:3] for line in out.splitlines()[2:]] == [["A", "2", "2"], ["B", "2", "2"]]
    assert "case 4 of 4" in err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_json_lines(folder: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    (folder / "A" / "p2.nrrd").write_bytes(b"no image")
    assert main(["cases", str(folder), "--json", "--jobs", jobs, *CENTERS]) == 1
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
        "labels": {},
        "usable": True,
        "reason": None,
        "spacing_mm": [0.8, 0.8, 0.8],
        "size": [40, 40, 40],
        "vessel_ml": 0,
        "aneurysm_ml": 0,
        "aneurysms": 1,
        "ignored_ml": 0.0,
        "dropped": [],
    }
    # A sphere of 10 mm: 0.524 ml.
    assert first["aneurysm_ml"] == pytest.approx(0.524, rel=0.05)
    assert rows[1]["usable"] is False and "p2.nrrd" in rows[1]["reason"]
    assert rows[1]["aneurysms"] is rows[1]["size"] is None
    assert last["summary"]["unusable"] == 1 and last["summary"]["usable"] == 3


def test_reasons_follow_the_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "A" / "p2.nrrd").write_bytes(b"no image")
    assert main(["cases", str(folder), *CENTERS]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("4 cases, 1 that cannot be used; 3 patients")
    assert out[-1].startswith("case 2 (patient A/p2): The image ")


def test_files_that_are_missing_are_told_with_their_case(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"image": "cases/A/p1.nrrd", "label": "cases/A/p1_label.nrrd"}
    whole = {"patient": "p1", "center": "A", **files}
    lost = whole | {"image": "gone.nrrd"}
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
        ([".", "--center-from", "A"], "--center-from has 'A', which has 0 groups"),
        ([".", "--write", "list.txt"], "list.txt has the wrong format"),
        ([".", "--write", "gone/list.json"], "gone does not exist"),
        (["p.mrb"], "p.mrb is an archive"),
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


def test_a_written_list_is_what_was_listed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "list.json"
    write = ["cases", str(folder), "--write", str(output)]
    assert main([*write, "--json", *CENTERS]) == 0
    note, *rows, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert note == {"note": f"Wrote {output}: 4 cases."}
    assert main(["cases", str(output), "--json"]) == 0
    again = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert again[:-1] == rows
    assert json.loads(output.read_text())["cases"][0] == {
        "patient": "A/p1", "center": "A",
        "image": "cases/A/p1.nrrd", "label": "cases/A/p1_label.nrrd",
    }  # fmt: skip
    output.write_text("edited by hand")
    assert main([*write, *CENTERS]) == EXIT_USER_ERROR
    assert "exists already" in capsys.readouterr().err and output.read_text() == "edited by hand"
    assert main([*write, *CENTERS, "--force"]) == 0
    assert "Wrote" in capsys.readouterr().err and len(read_datalist(output)) == 4


def test_what_cannot_be_told_is_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders that may be centers or patients, and centers of one patient."""
    assert main(["cases", str(folder), "--json"]) == EXIT_USER_ERROR
    out, err = capsys.readouterr()
    assert json.loads(out) == {"question": {"folders": ["A", "B"]}}
    assert "centers (--center-from folder) or patients (--center-from none)" in err
    for name in ("p2.nrrd", "p2_label.nrrd"):
        (folder / "B" / name).unlink()
    assert main(["cases", str(folder), *CENTERS]) == 0  # a look is free
    assert "1 have one patient each (B): are they patients?" in capsys.readouterr().err
    write = ["cases", str(folder), *CENTERS, "--write", str(tmp_path / "list.json")]
    assert main(write) == EXIT_USER_ERROR
    assert "1 have one patient each (B)" in capsys.readouterr().err
    assert not (tmp_path / "list.json").exists()
    assert main([*write, "--yes"]) == 0
    assert len(read_datalist(tmp_path / "list.json")) == 3


def test_copies_under_another_name_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Windows makes them; without it one could validate the other's training."""
    for name in ("p1", "p1_label"):
        shutil.copy(folder / "A" / f"{name}.nrrd", folder / "B" / f"{name}.nrrd")
    assert main(["cases", str(folder), *CENTERS]) == 0
    assert "Cases 1, 3 have the same voxels under several patients" in capsys.readouterr().out
    assert main(["cases", str(folder), *CENTERS, "--json"]) == 0
    *_, note, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert note["note"].startswith("Cases 1, 3 ") and last["summary"]["copies"] == [[1, 3]]
    assert main(["cases", str(folder), "--center-from", "none"]) == 0
    assert "Cases 1, 3 have" in capsys.readouterr().out
