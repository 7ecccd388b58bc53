from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsema_core.cli import main
from gsema_core.errors import Cancelled, UserError
from gsema_core.evaluation import case_metrics, score_teacher, teacher_score
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import write_labels, write_volume
from gsema_core.grids import Geometry, Volume
from gsema_core.teachers import load_teacher, read_card

PATIENTS = ("Quixote", "Sancho", "Dulcinea")


@pytest.fixture(scope="module")
def datalist(tmp_path_factory: pytest.TempPathFactory, make_scan: Any, oblique: Geometry) -> Path:
    """Centers A, B and B; the last scan shows nothing of its reference's aneurysm."""
    folder = tmp_path_factory.mktemp("cases")
    plain = Geometry((40, 40, 40), (0.8, 0.8, 0.8), (0.0, 0.0, 0.0), tuple(np.eye(3).reshape(-1)))
    cases = []
    for patient, center, grid in zip(PATIENTS, "ABB", (plain, oblique, plain), strict=True):
        scan, truth = make_scan(grid)
        if patient == PATIENTS[2]:
            array = np.where(truth.array == 2, 100, scan.array).astype(np.int16)
            array[:5, :5, :5] = 2000  # as bright as the aneurysm, so that intensities stay
            scan = Volume(array, grid)
        write_volume(scan, folder / f"{patient}.nrrd")
        write_labels(truth, folder / f"{patient}_labels.nrrd")
        files = {"image": f"{patient}.nrrd", "label": f"{patient}_labels.nrrd"}
        cases.append({"patient": patient, "center": center, **files})
    path = folder / "datalist.json"
    path.write_text(json.dumps({"cases": cases}))
    return path


@pytest.fixture
def base(teacher_file: Path, datalist: Path, tmp_path: Path) -> list[str]:
    command = ["teacher", "score", str(teacher_file), str(datalist), "--device", "cpu"]
    return [*command, "--threads", "1", "--output", str(tmp_path / "scored.safetensors")]


@pytest.fixture
def scored(base: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    """The file that scoring all cases wrote, and what was said on stderr."""
    extra = ["--table", str(tmp_path / "t.md"), "--csv", str(tmp_path / "t.csv"), "--simulated"]
    assert main([*base, *extra]) == 0
    return tmp_path / "scored.safetensors", capsys.readouterr().err


def test_scores_are_those_of_segment(
    scored: tuple[Path, str], teacher_file: Path, datalist: Path, tmp_path: Path
) -> None:
    metrics = read_card(scored[0]).metrics["test"]
    first = metrics["per_case"][0]
    output = tmp_path / "one.nrrd"
    scan = datalist.parent / f"{PATIENTS[0]}.nrrd"
    segment = ["segment", str(scan), "-o", str(output), "--teacher", str(teacher_file)]
    assert main([*segment, "--device", "cpu", "--quiet"]) == 0
    from gsema_core.files import read_labels

    found, true = read_labels(output), read_labels(scan.with_name(f"{PATIENTS[0]}_labels.nrrd"))
    expected = case_metrics(found.array, true.array, 2, true.geometry)
    assert first["dice"] == pytest.approx(expected["dice"], abs=1e-4)
    assert first["hd95_mm"] == pytest.approx(expected["hd95_mm"], abs=1e-4)
    assert first["dice"] > 0.8
    # A sphere of 10 mm: 0.524 ml.
    assert first["reference_ml"] == pytest.approx(0.524, rel=0.05)
    assert first["largest_diameter_mm"] == pytest.approx(10.0, abs=0.8)


def test_card(scored: tuple[Path, str]) -> None:
    card = read_card(scored[0])
    metrics = card.metrics["test"]
    assert card.metrics["D"] == {"aneurysm_dice": 0.5}  # what was there stays
    assert metrics["images"] == "simulated"
    assert metrics["centers_scored"] == ["A", "B"]
    assert "centers_unseen_in_training" not in metrics  # the card does not say where it learned
    assert [(row["case"], row["center"], row["missed"]) for row in metrics["per_case"]] == [
        ("1", "A", 0), ("2", "B", 0), ("3", "B", 1),
    ]  # fmt: skip
    assert metrics["lesions"]["missed_share"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert sum(row["missed"] for row in metrics["missed_by_size"].values()) == 1
    dice = [row["dice"] for row in metrics["per_case"]]
    assert metrics["aneurysm"]["dice"]["mean"] == pytest.approx(np.mean(dice), abs=1e-4)
    assert metrics["across_centers"]["worst_center"] == "B"


def test_no_patient_on_the_card(scored: tuple[Path, str], tmp_path: Path) -> None:
    content = scored[0].read_bytes()
    table = (tmp_path / "t.md").read_text()
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [name for name in PATIENTS if name.encode() in content or name in table]
    assert not [name for name in PATIENTS if name in (tmp_path / "t.csv").read_text()]
    assert [(row["case"], row["patient"]) for row in rows] == [("1", "1"), ("2", "2"), ("3", "3")]
    per_case = read_card(scored[0]).metrics["test"]["per_case"]
    assert [row["patient"] for row in per_case] == [1, 2, 3]


def test_weights_stay(scored: tuple[Path, str], teacher_file: Path) -> None:
    def weights(path: Path) -> bytes:
        content = path.read_bytes()
        return content[8 + int.from_bytes(content[:8], "little") :]

    assert weights(scored[0]) == weights(teacher_file)
    load_teacher(scored[0])
    before, after = read_card(teacher_file), read_card(scored[0])
    assert dataclasses.replace(after, metrics=before.metrics) == before


def test_table_and_progress(scored: tuple[Path, str], tmp_path: Path) -> None:
    table = (tmp_path / "t.md").read_text()
    assert table.startswith("3 simulated scans of 3 patients at A, B with 3 aneurysms.")
    assert "95 % intervals are over patients." in table
    assert "| 10 mm and more |" in table
    assert len(re.findall(r"^\| ([123]) \| \1 \| [AB] \|", table, flags=re.M)) == 3
    assert "case 3 of 3, mean aneurysm Dice so far 0.9" in scored[1]


def test_info_shows_the_scores(
    scored: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def info(*options: str) -> str:
        assert main(["teacher", "info", str(scored[0]), *options]) == 0
        return capsys.readouterr().out

    def cases(text: str) -> int:
        return len(re.findall(r"^ +([123]) +\1 +[AB] +1 ", text, flags=re.M))

    assert cases(info()) == 3
    monkeypatch.setattr("gsema_core.commands.teacher.MOST_ROWS", 2)
    assert "per case: 3 rows, shown with --cases" in info()
    assert cases(info("--cases")) == 3


def test_some_centers(base: list[str], teacher_file: Path, tmp_path: Path, with_card: Any) -> None:
    told = tmp_path / "told.safetensors"
    teacher_score.write_with_card(teacher_file, with_card(training={"centers": ["B"]}), told)
    base[2] = str(told)
    assert main([*base, "--centers", "A"]) == 0
    metrics = read_card(tmp_path / "scored.safetensors").metrics["test"]
    assert metrics["cases"] == len(metrics["per_case"]) == 1
    assert metrics["centers_unseen_in_training"] == ["A"]
    assert "centers" not in metrics and "images" not in metrics


@pytest.mark.parametrize(
    ("extra", "center"), [(["--use", "test"], "B"), (["--patients", PATIENTS[0]], "A")]
)
def test_some_cases(
    base: list[str], datalist: Path, tmp_path: Path, extra: list[str], center: str
) -> None:
    document = json.loads(datalist.read_text())
    for entry in document["cases"]:
        entry["image"], entry["label"] = (
            str(datalist.parent / entry[name]) for name in ("image", "label")
        )
    document["cases"][2]["use"] = "test"
    base[3] = str(tmp_path / "marked.json")
    Path(base[3]).write_text(json.dumps(document))
    assert main([*base, *extra]) == 0
    metrics = read_card(tmp_path / "scored.safetensors").metrics["test"]
    assert [row["center"] for row in metrics["per_case"]] == [center]


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (["--use", "test"], 'no case with the use "test"'),
        (["--patients", "Rocinante"], "no case of patient 'Rocinante': use Dulcinea, Quixote"),
        (["--centers", "A,Z"], "no case of center 'Z': use A, B"),
        (["--output", "scored.pt"], "end its name with .safetensors"),
        (["--table", "t.csv"], "end its name with .md"),
        (["--csv", "missing/t.csv"], "does not exist"),
        (["--device", "tpu"], "'tpu' is unknown"),
        (["--threads", "0"], "Setting threads is 0"),
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


def test_labels_on_another_grid(
    base: list[str], datalist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = json.loads(datalist.read_text())["cases"][0]
    entry["image"] = str(datalist.parent / entry["image"])
    entry["label"] = str(datalist.parent / f"{PATIENTS[1]}_labels.nrrd")
    (tmp_path / "wrong.json").write_text(json.dumps({"cases": [entry]}))
    base[3] = str(tmp_path / "wrong.json")
    assert main(base) == EXIT_USER_ERROR
    assert "is not on the grid of" in capsys.readouterr().err
    assert not (tmp_path / "scored.safetensors").exists()


def test_cancelling(teacher_file: Path, datalist: Path) -> None:
    from gsema_core.datasets import read_datalist
    from gsema_core.inference import Segmenter

    segmenter = Segmenter(load_teacher(teacher_file), "cpu")
    with pytest.raises(Cancelled):
        score_teacher(segmenter, read_datalist(datalist), cancelled=lambda: True)


def test_a_card_that_is_too_large(teacher_file: Path, tmp_path: Path, with_card: Any) -> None:
    card = with_card(metrics={"test": {"per_case": ["x" * 1000] * 1100}})
    with pytest.raises(UserError, match=r"too large: .* score fewer cases"):
        teacher_score.write_with_card(teacher_file, card, tmp_path / "large.safetensors")
    assert list(tmp_path.iterdir()) == []
