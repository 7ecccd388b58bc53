"""A study with several volumes: listed, and one of them segmented."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import read_labels, read_volume
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.labels import ANEURYSM

sys.path.insert(0, str(Path(__file__).parents[1] / "files" / "dicom"))
import forms

sys.path.pop(0)

NAMES = ("HOUDART", "Houdart", "4711", "1965", "1.2.3")
"""What must not get out: words, numbers and identifiers of the study's patient."""


@pytest.fixture
def study(tmp_path: Path, scan_file: Path) -> Path:
    """A native and a subtracted volume, in folders named after the patient."""
    scan = read_volume(scan_file)
    grid = scan.geometry
    axes = grid.direction_matrix
    low, high = float(scan.array.min()), float(scan.array.max())
    stored = ((scan.array - low) / (high - low) * 4000).astype(np.uint16)
    if np.linalg.det(axes) < 0:
        stored, axes = stored[::-1], axes * [1, 1, -1]
    known = forms.Known(
        stored, tuple(axes[:, :2].T.reshape(-1)), grid.spacing, grid.origin
    ).changed(SeriesDescription="3DRA native HOUDART")
    other = forms.Known(
        stored[:, ::-1], known.orientation, grid.spacing, grid.origin, "1.2.3.5"
    ).changed(SeriesNumber=7, SeriesDescription="3DRA subtracted")
    folder = tmp_path / "HOUDART_ANNA_19650312"
    forms.save(folder / "a", forms.slices(known))
    forms.save(folder / "b", forms.slices(other))
    return folder


@pytest.fixture
def gsema(study: Path, tmp_path: Path, teacher_file: Path) -> Callable[..., int]:
    def run(*options: object) -> int:
        given = ["segment", study, "-o", tmp_path / "out.nrrd", "--teacher", teacher_file]
        return main([str(part) for part in (*given, "--device", "cpu", "--threads", 1, *options)])

    return run


def test_a_study_is_listed(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["series", str(study)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "number"
    assert [line.split()[0] for line in lines] == ["5", "7"]
    assert not forms.names_told("\n".join(lines), NAMES)
    assert main(["series", str(study), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["description"] for row in rows] == ["3DRA native …", "3DRA subtracted"]
    assert [row["volume"] for row in rows] == ["yes", "yes"]


def test_several_volumes_are_told_with_their_table(
    gsema: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gsema() == EXIT_USER_ERROR
    first, *table = capsys.readouterr().err.splitlines()[-4:]
    assert first.endswith("choose one with --series and its number, or give one of its files.")
    assert [line.split()[0] for line in table] == ["number", "5", "7"]


def test_one_is_chosen_and_the_report_says_which(
    gsema: Callable[..., int], study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert gsema("--series", 5, "--report", report) == 0
    assert (read_labels(tmp_path / "out.nrrd").array == ANEURYSM).sum() > 500
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["series"]["number"] == 5
    assert told["series"]["description"] == "3DRA native …"
    assert told["input"] == shown_name(study)
    assert not forms.names_told(report.read_text(encoding="utf-8"), NAMES)
    assert gsema("--series", 5, "--at", 0, 0, 0, "--report", report) in (0, EXIT_USER_ERROR)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--series", 6), "has no series 6: choose one of 5, 7."),
        (("--series", 5, "-o", "folder"), "The option --series is for one scan"),
    ],
)
def test_what_cannot_be_chosen(
    gsema: Callable[..., int], capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...], told: str,
) -> None:  # fmt: skip
    assert gsema(*options) == EXIT_USER_ERROR
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"), [("missing", "does not exist"), (".", "has no DICOM images")]
)
def test_what_is_no_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    assert main(["series", str(tmp_path / name)]) == EXIT_USER_ERROR
    assert told in capsys.readouterr().err
