from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_STOPPED, EXIT_USER_ERROR
from gsema_core.files import read_labels, read_volume
from gsema_core.inference.run_profile import PARTS
from gsema_core.labels import ANEURYSM
from gsema_core.progress_line import ProgressLine

HEAVY = ("torch", "monai", "SimpleITK", "scipy", "numpy")


@pytest.fixture
def gsema(scan_file: Path, teacher_file: Path, tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """Run ``gsema segment`` with other values for some of its arguments."""

    def run(*options: str, **changes: object) -> tuple[int, Path]:
        values = {
            "input": scan_file, "output": tmp_path / "out.seg.nrrd", "teacher": teacher_file
        } | changes  # fmt: skip
        call = ["segment", values["input"], "-o", values["output"], "--teacher", values["teacher"]]
        code = main([str(part) for part in (*call, "--device", "cpu", "--threads", "1", *options)])
        return code, Path(str(values["output"]))

    return run


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """The one sentence that the user read."""
    captured = capsys.readouterr()
    assert code == EXIT_USER_ERROR
    assert captured.out == ""
    last = captured.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert last.endswith(".")
    assert "Traceback" not in captured.err
    return last


def test_everything_that_can_be_written(
    gsema: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, scan_file: Path
) -> None:
    probabilities, report = tmp_path / "p.nii.gz", tmp_path / "r.json"
    options = ("--probabilities", probabilities, "--report", report, "--overlap", "0.25")
    code, output = gsema(*map(str, options), "--no-skip", "--no-walls")
    assert code == 0
    labels, scan = read_labels(output), read_volume(scan_file)
    assert labels.geometry.is_close(scan.geometry, 1e-6)
    assert (labels.array == ANEURYSM).sum() > 500
    assert read_volume(probabilities).array.max() > 0.9
    told = json.loads(report.read_text())
    assert told["input"] == scan_file.name
    assert told["settings"]["overlap"] == 0.25
    assert told["settings"]["skip_empty"] is False
    assert told["settings"]["walls_by_scan"] is False

    captured = capsys.readouterr()
    printed = dict(re.split(r"\s{2,}", line) for line in captured.out.splitlines())
    assert printed["aneurysm"] == "1"
    assert float(printed["Volume (mm³)"]) == pytest.approx(520, rel=0.3)
    assert float(printed["Largest diameter (mm)"]) == pytest.approx(10.0, abs=1.5)
    assert 0.5 < float(printed["Certainty"]) <= 1
    position = [float(part) for part in printed["Position R, A, S (mm)"].split(", ")]
    left, posterior, superior = np.add(scan.geometry.center, [6.0, 0.0, 2.0])
    np.testing.assert_allclose(position, [-left, -posterior, superior], atol=0.5)
    assert captured.err.splitlines()[0] == "  0% Reading the scan"
    assert "Measuring aneurysms" in captured.err


def ras(scan_file: Path, *offset: float) -> tuple[str, str, str]:
    """A point so many mm (LPS) off the scan's middle, as options have it."""
    left, posterior, superior = np.add(read_volume(scan_file).geometry.center, offset)
    return f"{-left:.3f}", f"{-posterior:.3f}", f"{superior:.3f}"


def test_points(
    gsema: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, scan_file: Path
) -> None:
    there, beside = ras(scan_file, 6.0, 0.0, 2.0), ras(scan_file, 6.0, 6.5, 2.0)
    away = ras(scan_file, -9.0, 3.0, -5.0)
    report = tmp_path / "r.json"
    points = ("--at", *there, "--at", *away, "--at", *beside)
    code, output = gsema(*points, "--report", str(report))
    assert code == 0
    labels = read_labels(output)
    assert labels.geometry.is_close(read_volume(scan_file).geometry, 1e-6)
    assert set(np.unique(labels.array)) == {0, ANEURYSM}
    *lines, miss = capsys.readouterr().out.splitlines()
    printed = dict(re.split(r"\s{2,}", line) for line in lines)
    assert float(printed["Volume (mm³)"]) == pytest.approx(520, rel=0.3)
    assert miss.startswith(f"There is no aneurysm at R {float(away[0]):.1f}, A ")
    told = json.loads(report.read_text())
    assert [click["found"] for click in told["clicks"]] == [True, False]
    assert any("lies beside the aneurysm at" in note for note in told["notes"])
    assert len(told["aneurysms"]) == 1
    assert told["aneurysms"][0]["voxels"] == (labels.array == ANEURYSM).sum()


def test_points_refine_and_correct(gsema: Any, scan_file: Path, tmp_path: Path) -> None:
    """Two points in one sac make one aneurysm; a point that is not part of it is left out."""
    report, corner = tmp_path / "r.json", ras(scan_file, 8.0, 0.0, 2.0)
    points = ("--at", *ras(scan_file, 6.0, 0.0, 2.0), "--at", *ras(scan_file, 4.5, 0.0, 2.0))
    code, output = gsema(*points, "--not-at", *corner, "--report", str(report))
    assert code == 0
    told, labels = json.loads(report.read_text()), read_labels(output)
    (click,) = told["clicks"]
    assert (len(click["inside_lps"]), len(click["outside_lps"])) == (2, 1)
    for points, label in ((click["inside_lps"], ANEURYSM), (click["outside_lps"], 0)):
        for point in points:
            i, j, k = np.rint(labels.geometry.world_to_index(point)).astype(int)
            assert labels.array[k, j, i] == label
    assert any("marked as not aneurysm" in note for note in told["notes"])


def test_points_without_aneurysm_write_nothing(
    gsema: Any, capsys: pytest.CaptureFixture[str], scan_file: Path
) -> None:
    code, output = gsema("--at", *ras(scan_file, -9.0, 3.0, -5.0))
    assert "no aneurysm at R " in refused(capsys, code)
    assert not output.exists()


def test_the_threshold(gsema: Any, tmp_path: Path) -> None:
    sizes = []
    for threshold in ("0.95", "0.05"):
        code, output = gsema("--threshold", threshold, output=tmp_path / f"{threshold}.nrrd")
        assert code == 0
        sizes.append((read_labels(output).array == ANEURYSM).sum())
    assert sizes[0] < sizes[1]


def test_the_profile(gsema: Any, tmp_path: Path) -> None:
    path, report = tmp_path / "profile.json", tmp_path / "report.json"
    code, _ = gsema("--profile", str(path), "--report", str(report))
    assert code == 0
    told, seconds = json.loads(path.read_text()), json.loads(report.read_text())["seconds"]
    parts = {part["part"]: part for part in told["parts"]}
    assert list(parts) == [*PARTS, "other"]
    assert sum(part["seconds"] for part in parts.values()) == pytest.approx(
        told["total_seconds"], abs=0.02
    )
    assert sum(part["share"] for part in parts.values()) == pytest.approx(1.0, abs=0.02)
    for name in ("read", "mask", "network", "clean"):
        assert parts[name]["seconds"] == pytest.approx(seconds[name], abs=1e-3)
    assert parts["write"]["seconds"] > 0
    assert 0 < parts["network"]["seconds"] <= seconds["windows"]
    assert told["windows"]["run"] > 0
    assert told["peak_memory_mb"] > 50


def test_quiet_says_nothing(gsema: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = gsema("--quiet")
    assert code == 0
    assert output.is_file()
    assert capsys.readouterr() == ("", "")


def test_no_aneurysm_is_said(gsema: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = gsema("--minimum-aneurysm", "5000")
    assert code == 0
    assert capsys.readouterr().out == "No aneurysm was found.\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--device", "gpu"), "'gpu' is unknown"),
        (("--device", "cuda:97"), "cuda:97"),
        (("--overlap", "1.5"), "overlap is 1.5"),
        (("--precision", "int8"), "int8"),
        (("--threads", "0"), "threads is 0"),
        (("--minimum-aneurysm", "nan"), "minimum_aneurysm_mm3 is nan"),
        (("--threshold", "1"), "threshold is 1"),
        (("--at", "9999", "0", "0"), "outside the scan"),
        (("--not-at", "0", "0", "0"), "give a point in it with --at"),
        (("--at", "nan", "0", "0"), "finite"),
        (("--at", "0", "0", "0", "--overlap", "0.5"), "--overlap"),
        (("--at", "0", "0", "0", "--minimum-aneurysm", "5"), "--minimum-aneurysm"),
        (("--at", "0", "0", "0", "--probabilities", "p.nrrd"), "--probabilities"),
        (("--memory-limit", "0.1"), "memory_limit_gb is 0.1"),
        (("--memory-limit", "0.51"), "GB of memory where 0.51 GB are allowed"),
        (("--report", "report.txt"), "JSON"),
        (("--profile", "profile.csv"), "JSON"),
        (("--profile", "/no/such/folder/p.json"), "/no/such/folder"),
        (("--probabilities", "/no/such/folder/p.nrrd"), "/no/such/folder"),
    ],
)
def test_a_bad_option_is_one_sentence(
    gsema: Any, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    code, output = gsema(*options)
    assert told in refused(capsys, code)
    assert not output.exists()


def test_a_bad_output_is_told_before_anything_is_read(
    gsema: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, scan_file: Path
) -> None:
    def told(output: Path) -> str:
        code, _ = gsema(output=output, input="no-such-scan.nrrd", teacher="no-such-teacher")
        return refused(capsys, code)

    assert "does not exist" in told(tmp_path / "none" / "out.nrrd")
    assert "out.jpg" in told(tmp_path / "out.jpg")
    assert "is a folder" in told(_made(tmp_path / "folder.nrrd"))
    before = scan_file.read_bytes()
    code, _ = gsema(output=scan_file)
    assert "overwrite the scan" in refused(capsys, code)
    assert scan_file.read_bytes() == before


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_missing_scan(gsema: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = gsema(input="no-such-scan.nrrd")
    assert "no-such-scan.nrrd" in refused(capsys, code)
    assert not output.exists()


def _pickle(path: Path, content: bytes) -> None:
    torch.save({"weights": torch.zeros(3)}, path)


def _other_weights(path: Path, content: bytes) -> None:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    save_file({"conv.weight": torch.zeros(3)}, path, header["__metadata__"])


def _absurd_metadata(path: Path, content: bytes) -> None:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    card = json.loads(header["__metadata__"]["gsema"]) | {"window": [2**40] * 3}
    save_file({"conv.weight": torch.zeros(3)}, path, {"gsema": json.dumps(card)})


BAD_TEACHERS: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "truncated": (lambda path, content: path.write_bytes(content[:-7]), "ends too early"),
    "empty": (lambda path, content: path.write_bytes(b""), "no safetensors file"),
    "text": (lambda path, content: path.write_text("hello " * 99), "no safetensors file"),
    "folder": (lambda path, content: path.mkdir(), "not a file"),
    "missing": (lambda path, content: None, "no such file"),
    "pickle": (_pickle, "pickle"),
    "other weights": (_other_weights, "another network"),
    "absurd metadata": (_absurd_metadata, "window"),
}


@pytest.mark.parametrize("kind", BAD_TEACHERS)
def test_a_bad_teacher_is_one_sentence_and_no_output(
    gsema: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    teacher_file: Path,
    kind: str,
) -> None:
    make, told = BAD_TEACHERS[kind]
    path = tmp_path / "bad.safetensors"
    make(path, teacher_file.read_bytes())
    code, output = gsema(teacher=path)
    assert told in refused(capsys, code)
    assert not output.exists()


def test_the_old_output_survives_a_disk_that_fills_while_writing(
    gsema: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out.seg.nrrd"
    output.write_text("old")

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gsema_core.files.atomic._flush_to_disk", full)
    code, _ = gsema()
    assert "No space left" in refused(capsys, code)
    assert output.read_text() == "old"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(
    gsema: Any,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    output = tmp_path / "out.seg.nrrd"
    output.write_text("old")

    def kill(line: ProgressLine, fraction: float, phase: str) -> None:
        if phase == "Segmenting":
            os.kill(os.getpid(), number)

    monkeypatch.setattr(ProgressLine, "__call__", kill)
    before = signal.getsignal(signal.SIGTERM)
    # A job that was started in the background ignores it, and so do its children.
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    code, _ = gsema()
    signal.signal(signal.SIGINT, interrupt)
    assert code == EXIT_STOPPED
    assert "cancelled" in capsys.readouterr().err
    assert output.read_text() == "old"
    assert list(tmp_path.iterdir()) == [output]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    "program",
    [
        "import gsema_core, gsema_core.cli, gsema_core.inference, gsema_core.teachers",
        "import gsema_core.worker.process, gsema_core.worker.session",
        "from gsema_core.cli import main; main(['segment', '--help'])",
        "from gsema_core.cli import main; main(['--help'])",
    ],
)
def test_nothing_heavy_is_imported_for_nothing(program: str) -> None:
    watched = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print([n for n in {HEAVY} if n in sys.modules]))\n{program}"
    )
    run = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_bad_scan_is_told_without_waiting_for_torch(teacher_file: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from gsema_core.cli import main; "
        "code = main(sys.argv[1:]); print(code, 'torch' in sys.modules)"
    )
    call = ["segment", "none.nrrd", "-o", str(tmp_path / "o.nrrd"), "--teacher", str(teacher_file)]
    run = subprocess.run(
        [sys.executable, "-c", program, *call], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"{EXIT_USER_ERROR} False\n"
