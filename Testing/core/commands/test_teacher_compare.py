from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry
from gsema_core.teachers import load_teacher, read_card, save_teacher
from gsema_core.teachers.teacher_file import file_hash

PATIENTS = ("Quixote", "Sancho", "Dulcinea")
USES = ("training", "test", "test")


@pytest.fixture(scope="module")
def datalist(tmp_path_factory: pytest.TempPathFactory, make_scan: Any) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    grid = Geometry((40, 40, 40), (0.8, 0.8, 0.8))
    cases = []
    for patient, use in zip(PATIENTS, USES, strict=True):
        scan, truth = make_scan(grid)
        write_volume(scan, folder / f"{patient}.nrrd")
        write_labels(truth, folder / f"{patient}_labels.nrrd")
        files = {"image": f"{patient}.nrrd", "label": f"{patient}_labels.nrrd"}
        cases.append({"patient": patient, "center": "A", "use": use, **files})
    path = folder / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory, teacher_file: Path) -> Path:
    """The teacher that sees all by its intensity, with weights that see nothing."""
    import torch

    teacher = load_teacher(teacher_file)
    with torch.no_grad():
        teacher.network.head.weight.zero_()
        teacher.network.head.bias.zero_()
        teacher.network.head.bias[:8] = 10.0
    path = tmp_path_factory.mktemp("blind") / "blind.safetensors"
    save_teacher(path, teacher.network, read_card(teacher_file))
    return path


@pytest.fixture
def base(blind: Path, teacher_file: Path, datalist: Path, tmp_path: Path) -> list[str]:
    command = ["teacher", "compare", str(blind), str(teacher_file), str(datalist)]
    options = ["--use", "test", "--device", "cpu", "--threads", "1"]
    return [*command, *options, "--output", str(tmp_path / "report.json")]


def test_report(
    base: list[str], blind: Path, teacher_file: Path, datalist: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    extra = ["--table", str(tmp_path / "report.md"), "--also", str(datalist)]
    assert main([*base, *extra]) == 0
    out, err = capsys.readouterr()
    text = (tmp_path / "report.json").read_text()
    report = json.loads(text)
    assert report["teachers"] == {
        "start": {"name": "tiny", "sha256": file_hash(blind)},
        "new": {"name": "tiny", "sha256": file_hash(teacher_file)},
    }
    # Numbers are places in the list, of which the first case is not for testing.
    assert [row["case"] for row in report["cases"]] == [2, 3]
    for row in report["cases"]:
        assert row["start"]["aneurysm_dice"] == 0 and row["new"]["aneurysm_dice"] > 0.8
        assert row["start"]["missed"] == 1 and row["new"]["missed"] == 0
        assert row["start"]["surface_distance_mm"] is None
        assert row["new"]["surface_distance_mm"] < 2
    assert (report["verdict"], report["p_value"]) == ("better", None)
    assert report["warnings"] == [
        "Only 2 patients were held out: the difference may be chance. Hold out 6 or more for a "
        "test."
    ]
    assert report["replay"]["summary"] == report["summary"]
    page = (tmp_path / "report.md").read_text()
    assert page == out and page.startswith("**The new model is better than its start")
    assert "start: case 1 of 4" in err and "new: case 4 of 4" in err
    assert not [name for name in PATIENTS if name in text + page + err]


def test_what_got_worse_is_said(base: list[str], tmp_path: Path) -> None:
    base[2], base[3] = base[3], base[2]
    assert main(base) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["verdict"] == "worse" and report["replay"] is None
    assert any("got worse" in warning for warning in report["warnings"])
    assert any("misses 2 of 2 aneurysms" in warning for warning in report["warnings"])


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (["--use", "validation"], 'no case with the use "validation"'),
        (["--output", "report.txt"], "end its name with .json"),
        (["--table", "report.html"], "end its name with .md"),
        (["--also", "gone.json"], "gone.json does not exist"),
        (["--device", "tpu"], "'tpu' is unknown"),
    ],
)
def test_refusals(
    base: list[str], extra: list[str], reason: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*base, *extra]) == EXIT_USER_ERROR
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and reason in line
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_teacher(
    base: list[str], datalist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base[3] = str(datalist.parent / f"{PATIENTS[0]}.nrrd")
    assert main(base) == EXIT_USER_ERROR
    assert capsys.readouterr().err.startswith("error: ")


def test_a_case_that_cannot_be_read_leaves_no_report(
    base: list[str], datalist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = dict(json.loads(datalist.read_text())["cases"][1])
    (tmp_path / "scan.nrrd").write_bytes(np.random.default_rng(0).bytes(100))
    entry |= {"image": "scan.nrrd", "label": str(datalist.parent / entry["label"])}
    (tmp_path / "list.json").write_text(json.dumps({"cases": [entry]}))
    base[4] = str(tmp_path / "list.json")
    assert main(base) == EXIT_USER_ERROR
    assert "scan.nrrd" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()


def test_cases_are_looked_at_before_the_first_is_segmented(
    base: list[str], datalist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels that look wrong are told, and all cases that cannot be read."""
    document = json.loads(datalist.read_text())
    for entry in document["cases"]:
        entry |= {name: str(datalist.parent / entry[name]) for name in ("image", "label")}
        entry["relabel"] = [[1, 2], [2, 1]]
    base[4] = str(tmp_path / "list.json")
    Path(base[4]).write_text(json.dumps(document))
    assert main(base) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert any("they may be exchanged" in warning for warning in report["warnings"])
    assert "Check the labels: " in capsys.readouterr().err
    for entry in document["cases"]:
        entry["relabel"] = [[1, 2]]
    Path(base[4]).write_text(json.dumps(document))
    (tmp_path / "report.json").unlink()
    assert main(base) == EXIT_USER_ERROR
    first, *others = capsys.readouterr().err.splitlines()[-2:]
    assert first.endswith("1 more cannot be used.") and len(others) == 1
    assert "has the value 2, where only 0, 1 may occur" in others[0]
    assert not (tmp_path / "report.json").exists()
