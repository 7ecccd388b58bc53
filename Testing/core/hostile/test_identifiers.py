"""Nothing that a DICOM study carries of its patient, in its files or their names, gets out."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_SOME_FAILED, EXIT_USER_ERROR
from gsema_core.files import write_labels
from gsema_core.files.dicom import reader
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.grids import Geometry, Volume
from gsema_core.inference.folders.folder_run import LOG

sys.path.insert(0, str(Path(__file__).parent))
import marked

sys.path.pop(0)

Gsema = Callable[..., int]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory, scan_file: Path) -> Path:
    return marked.studies(tmp_path_factory.mktemp("in"), scan_file)


@pytest.fixture
def gsema(teacher_file: Path) -> Gsema:
    def run(*call: object) -> int:
        return main([*map(str, call), "--teacher", str(teacher_file), "--device", "cpu"])

    return run


def study(studies: Path, kind: str) -> Path:
    (folder,) = studies.glob(f"*_{kind}")
    return folder


def test_the_markers_are_everywhere(studies: Path) -> None:
    first = sorted(study(studies, "good").rglob("*_000.dcm"))[0].read_bytes()
    counts = [first.count(one.encode()) for one in (marked.WORD, marked.NUMBER, marked.DATE)]
    assert all(one >= least for one, least in zip(counts, (600, 15, 40), strict=True)), counts


def test_a_folder_of_studies(
    gsema: Gsema,
    studies: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    out = tmp_path / "out"
    caplog.set_level("DEBUG")
    for more in ((), ("--resume",), ("--quiet",)):
        assert gsema("segment", studies, "-o", out, *more) == EXIT_SOME_FAILED
        printed = capfd.readouterr()
        assert marked.found_in(printed.out) == marked.found_in(printed.err) == []
        assert marked.found_below(out) == []
    assert marked.found_in(caplog.text) == []
    assert [str(one.message) for one in recwarn if marked.found_in(one.message)] == []
    name = shown_name(study(studies, "good"))
    labels = (out / f"{name}.seg.nrrd").read_bytes()
    head, _, voxels = labels.partition(b"\n\n")
    assert marked.found_in(head) == marked.found_in(gzip.decompress(voxels)) == []
    assert len(list((out / "overview").iterdir())) == 6
    page = (out / "overview.html").read_text(encoding="utf-8")
    assert page.count('class="failed"') == 5 and page.count(f"<bdi>{name}</bdi>") == 1


def test_only_dicom_objects_carry_the_patient(
    gsema: Gsema, studies: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    objects = ("--dicom-seg", "--dicom-sr")
    assert gsema("segment", studies, "-o", out, *objects) == EXIT_SOME_FAILED
    printed = capfd.readouterr()
    assert marked.found_in(printed.out + printed.err) == []
    name = shown_name(study(studies, "good"))
    assert marked.found_below(out) == [f"{name}.seg.dcm", f"{name}.sr.dcm"]
    page = (out / "overview.html").read_text(encoding="utf-8")
    assert f'<a href="{name}.seg.dcm">DICOM SEG</a>' in page


def test_an_unexpected_error_of_the_reader(
    gsema: Gsema,
    studies: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Libraries quote in their errors what they stumble over."""

    def stumble(frames: Any) -> None:
        header = frames[0].picture.header
        raise RuntimeError(f"{frames[0].picture.path}: {header.SeriesDescription} {header!r}")

    monkeypatch.setattr(reader, "physical_values", stumble)
    out = tmp_path / "out"
    assert gsema("segment", studies, "-o", out) == EXIT_SOME_FAILED
    log = (out / LOG).read_text()
    assert "in stumble" in log and "RuntimeError" in log
    assert shown_name(study(studies, "good")) in log
    printed = capfd.readouterr()
    assert marked.found_in(printed.out + printed.err) == marked.found_below(out) == []
    shutil.copytree(study(studies, "good"), tmp_path / "plain")  # a name that may be repeated
    assert gsema("segment", tmp_path / "plain", "-o", tmp_path / "one.nrrd") == 70
    printed = capfd.readouterr()
    assert "in stumble" in printed.err
    assert marked.found_in(printed.out + printed.err) == []


@pytest.mark.parametrize("kind", ["good", "gap", "several", "cut", "report", "odd", "spoilt"])
def test_one_study(
    gsema: Gsema, studies: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    """A message may repeat what was typed, and that alone."""
    given, out = study(studies, kind), tmp_path / "out"
    out.mkdir()
    files = ("--report", out / "report.json", "--profile", out / "profile.json")
    more = (*files, "--probabilities", out / "p.nrrd")
    done = gsema("segment", given, "-o", out / "labels.nii", *more)
    assert done == (0 if kind == "good" else EXIT_USER_ERROR)
    printed = capfd.readouterr()
    assert marked.found_in(printed.out) == marked.found_below(out) == []
    assert marked.found_in(printed.err.replace(str(given), "")) == []
    at = gsema("segment", given, "-o", out / "click.nrrd", *files, "--at", 0, 0, 0)
    assert at == EXIT_USER_ERROR
    printed = capfd.readouterr()
    assert marked.found_in((printed.out + printed.err).replace(str(given), "")) == []
    file = min(path for path in given.rglob("*.dcm"))
    gsema("segment", file, "-o", out / "file.nrrd", *files)
    told = capfd.readouterr()
    told_text = told.err.replace(str(file), "").replace(str(file.parent), "")
    assert marked.found_in(told.out + told_text) == marked.found_below(out) == []


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_studys_table(
    studies: Path, capfd: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    for given in sorted(studies.iterdir()):
        main(["series", str(given), *more])
        printed = capfd.readouterr()
        assert marked.found_in(printed.out) == []
        assert marked.found_in(printed.err.replace(str(given), "")) == []


@pytest.fixture
def cases(studies: Path, tmp_path: Path, truth: Volume) -> Path:
    """Labelled studies: two good ones, a damaged one, and one whose label map does not fit."""
    root = tmp_path / "cases"
    for number, kind in enumerate(("good", "cut", "several")):
        home = root / f"{marked.WORD}_{number}"
        shutil.copytree(study(studies, kind), home / "dicom")
        write_labels(Volume(truth.array[number:], _shorter(truth, number)), home / "label.nrrd")
    return root


def _shorter(truth: Volume, number: int) -> Geometry:
    i, j, k = truth.geometry.size
    return replace(truth.geometry, size=(i, j, k - number))


def test_labelled_studies(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main(["cases", str(cases)])
    printed = capfd.readouterr()
    assert "patient dicom_" in printed.out
    assert marked.found_in(printed.out + printed.err) == []
    main(["cases", str(cases), "--json"])
    for line in capfd.readouterr().out.splitlines():
        row = json.loads(line)
        row.pop("image", None), row.pop("label", None)  # the list itself: where the files are
        assert marked.found_in(json.dumps(row)) == []


def test_the_worker(studies: Path, tmp_path: Path, teacher_file: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "gsema_core", "worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None
    ends, told = [], ""
    for number, kind in enumerate(("good", "gap", "several", "odd")):
        request = {"id": number, "command": "segment", "input": str(study(studies, kind))}
        request |= {"output": str(tmp_path / f"{number}.nrrd"), "teacher": str(teacher_file)}
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        for line in worker.stdout:
            told += line
            event = json.loads(line.partition(" ")[2])
            if event["event"] in ("result", "error"):
                ends.append(event["event"])
                break
    worker.communicate()
    assert ends == ["result", "error", "error", "error"]
    assert marked.found_in(told) == marked.found_below(tmp_path) == []


def test_the_key_is_written_only_where_it_is_asked_for(
    gsema: Gsema, studies: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key.csv"
    assert gsema("segment", studies, "-o", tmp_path / "out", "--key", key) == EXIT_SOME_FAILED
    assert marked.found_below(tmp_path / "out") == []
    with key.open(encoding="utf-8") as file:
        told = {row["name"]: row["folder"] for row in csv.DictReader(file)}
    scans = [folder for folder in studies.iterdir() if not folder.name.endswith("_report")]
    assert told == {shown_name(folder): str(folder) for folder in scans}
    assert (tmp_path / "out" / f"{shown_name(study(studies, 'good'))}.json").exists()
    capfd.readouterr()
    one = study(studies, "good")
    assert gsema("segment", one, "-o", tmp_path / "o.nrrd", "--key", key) == EXIT_USER_ERROR
    assert "--key is for folders" in capfd.readouterr().err
    assert gsema("segment", studies, "-o", tmp_path / "out", "--key", "k.txt") == EXIT_USER_ERROR
    assert "end its name with .csv" in capfd.readouterr().err


@pytest.mark.parametrize("damaged", [False, True])
def test_a_training_on_studies(
    tmp_path: Path,
    make_scan: Callable[[Geometry], tuple[Volume, Volume]],
    capfd: pytest.CaptureFixture[str],
    damaged: bool,
) -> None:
    scan, truth = make_scan(Geometry((40, 38, 36), (0.7, 0.9, 0.8)))
    for number in range(4):
        home = tmp_path / "cases" / "ABCD"[number // 2] / f"{marked.WORD}_{number}"
        marked.save(home / "dicom", marked.slices_of(scan, f"3.9{number}"))
        write_labels(truth, home / "label.nrrd")
    if damaged:
        first = min(home.rglob("*.dcm"))
        first.write_bytes(first.read_bytes()[:-99])
    datalist = tmp_path / "list.json"
    write = ["cases", str(tmp_path / "cases"), "--write", str(datalist)]
    assert main(write) == main([*write, "--center-from", "(no such)"]) == EXIT_USER_ERROR
    assert main([*write, "--center-from", "folder"]) == (1 if damaged else 0)
    config = tmp_path / "config.toml"
    config.write_text(
        f"""
        preset = "paper"
        [data]
        datalist = "{datalist}"
        spacing_mm = 1.0
        patch = [16, 16, 16]
        workers = 0
        validation_share = 0.25
        [network]
        kind = "cnn"
        features = 8
        stages = 2
        depth = 1
        [run]
        output = "{tmp_path / "run"}"
        steps = 3
        precision = "fp32"
        threads = 1
        device = "cpu"
        validate_every = 3
        """
    )
    assert main(["train", str(config)]) == (EXIT_USER_ERROR if damaged else 0)
    printed = capfd.readouterr()
    assert marked.found_in(printed.out + printed.err) == []
    assert marked.found_below(tmp_path / "run") == []
    assert damaged or (tmp_path / "run" / "teacher.safetensors").exists()
