from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels
from gsema_core.grids import Geometry, Volume

GRID = Geometry((16, 16, 16), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).reshape(-1)))


def write(path: Path, *edges: int) -> None:
    """A vessel and, where a second edge is given, an aneurysm: cubes of these edges."""
    array = np.zeros(GRID.shape, dtype=np.uint8)
    for label, edge in enumerate(edges, start=1):
        corner = 8 * (label - 1)
        array[corner : corner + edge, :edge, :edge] = label
    write_labels(Volume(array, GRID), path)


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Case a: half of the aneurysm. Case b: none where there is one. Case c: no aneurysm."""
    for name in ("found", "true"):
        (tmp_path / name).mkdir()
    for name, found, true in (("a", (4, 2), (4, 4)), ("b", (4,), (4, 4)), ("c", (4,), (4,))):
        write(tmp_path / "found" / f"{name}.nii.gz", *found)
        write(tmp_path / "true" / f"{name}.seg.nrrd", *true)
    return ["evaluate", str(tmp_path / "found"), str(tmp_path / "true"), "--output"]


@pytest.fixture
def summary(folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    path = tmp_path / "summary.json"
    assert main([*folders, str(path), "--csv", str(tmp_path / "cases.csv")]) == 0
    captured = capsys.readouterr()
    assert "dice" in captured.out and "case 3 of 3" in captured.err
    return json.loads(path.read_text())


def test_summary(summary: Any) -> None:
    # Case a: 8 of 64 voxels, so the Dice is 16 / 72; b misses, c has nothing to find.
    dice, sensitivity = summary["aneurysm"]["dice"], summary["aneurysm"]["sensitivity"]
    assert dice["mean"] == pytest.approx((16 / 72 + 0 + 1) / 3, abs=1e-4)
    assert (dice["worst"], dice["worst_case"]) == (0.0, "b")
    assert (sensitivity["count"], sensitivity["mean"]) == (2, 0.0625)
    assert summary["aneurysm"]["hd95_mm"]["worst"] == pytest.approx(16 * math.sqrt(3), abs=1e-4)
    assert summary["vessel"]["dice"]["mean"] == 1.0
    assert summary["lesions"]["missed_share"]["value"] == 0.5
    assert summary["missed_by_size"]["5 to 10 mm"] == {"aneurysms": 2, "missed": 1}


def test_cases(summary: Any, tmp_path: Path) -> None:
    assert [case["case"] for case in summary["per_case"]] == ["a", "b", "c"]
    assert summary["per_case"][2]["aneurysm"]["sensitivity"] is None
    with (tmp_path / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["a", "b", "c"]
    assert float(rows[0]["aneurysm_dice"]) == pytest.approx(16 / 72, abs=1e-6)
    assert [row["missed"] for row in rows] == ["0", "1", "0"]
    assert rows[2]["aneurysm_sensitivity"] == ""


def test_unknown_patients_are_said(summary: Any) -> None:
    assert summary["patients"] is None
    assert summary["intervals_over"].startswith("cases, each taken for a patient of its own")


def test_patients_of_a_list(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [
        {"patient": patient, "center": "A", "image": f"{name}.nrrd", "label": f"{name}.mha"}
        for name, patient in (("a", "Quixote"), ("b", "Sancho"), ("c", "Quixote"))
    ]
    (tmp_path / "list.json").write_text(json.dumps({"cases": cases}))
    csv_path, path = tmp_path / "cases.csv", tmp_path / "s.json"
    options = ["--csv", str(csv_path), "--datalist", str(tmp_path / "list.json")]
    assert main([*folders, str(path), *options]) == 0
    summary = json.loads(path.read_text())
    assert (summary["patients"], summary["intervals_over"]) == (2, "patients")
    assert [case["patient"] for case in summary["per_case"]] == [1, 2, 1]
    out = capsys.readouterr().out
    assert "intervals over: patients" in out
    assert not [name for name in ("Quixote", "Sancho")
                if name in out + path.read_text() + csv_path.read_text()]  # fmt: skip


def test_same_input_same_summary(summary: Any, folders: list[str], tmp_path: Path) -> None:
    assert main([*folders, str(tmp_path / "again.json"), "--quiet"]) == 0
    assert json.loads((tmp_path / "again.json").read_text()) == summary


def test_quiet(folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*folders, str(tmp_path / "s.json"), "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_refusals_write_nothing(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "summary.json"
    assert main([*folders, str(tmp_path / "summary.txt")]) == EXIT_USER_ERROR
    assert main([*folders, str(tmp_path / "missing" / "s.json")]) == EXIT_USER_ERROR
    (tmp_path / "found" / "b.nii.gz").unlink()
    assert main([*folders, str(output)]) == EXIT_USER_ERROR
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.startswith("error: ") for line in lines)
    assert "end its name with .json" in lines[0]
    assert "create it first" in lines[1]
    assert "b.seg.nrrd has no prediction" in lines[2]
    assert not output.exists()


def test_endings_missing_percent_and_latex(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "found" / "b.nii.gz").unlink()
    for name in ("a", "c"):
        path = tmp_path / "found" / f"{name}.nii.gz"
        path.rename(path.with_name(f"{name}_pred.nii.gz"))
    options = ["--prediction-suffix", "_pred", "--missing", "score", "--percent"]
    latex, path = tmp_path / "tables.tex", tmp_path / "s.json"
    assert main([*folders, str(path), *options, "--latex", str(latex)]) == 0
    out, summary = capsys.readouterr().out, json.loads(path.read_text())
    assert "1 scored as empty, as they have no prediction: b." in out
    assert "dice (%)" in out and "voxel spacing 1 x 1 x 1 mm" in out
    assert summary["aneurysm"]["dice"]["mean"] == pytest.approx((16 / 72 + 1) / 3, abs=1e-4)
    assert summary["pairing"]["scored_as_empty"] == ["b"]
    assert r"Dice (\%) & 40.7" in latex.read_text()


def test_broken_files_write_nothing(folders: list[str], tmp_path: Path) -> None:
    (tmp_path / "found" / "c.nii.gz").write_bytes(b"no image")
    outputs = [tmp_path / name for name in ("s.json", "c.csv", "t.tex")]
    options = ["--csv", str(outputs[1]), "--latex", str(outputs[2])]
    assert main([*folders, str(outputs[0]), *options]) == EXIT_USER_ERROR
    assert not any(path.exists() for path in outputs)


def test_help_defines_empty_cases(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    assert "Empty cases" in capsys.readouterr().out
