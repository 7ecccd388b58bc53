"""What happens around a run while it works: each fault is injected at its worst moment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import gsema_core.files.atomic
from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import read_labels
from gsema_core.files.voxel_data import VoxelData
from gsema_core.labels import ANEURYSM
from gsema_core.progress_line import ProgressLine
from gsema_core.teachers import load_teacher

Gsema = Callable[..., int]


@pytest.fixture
def files(tmp_path: Path, scan_file: Path, teacher_file: Path) -> dict[str, Path]:
    """Copies that a test may spoil, and an output folder with an older result."""
    paths = {"scan": tmp_path / "scan.nrrd", "teacher": tmp_path / "teacher.safetensors"}
    shutil.copy(scan_file, paths["scan"])
    shutil.copy(teacher_file, paths["teacher"])
    paths["folder"] = tmp_path / "out"
    paths["folder"].mkdir()
    paths["output"] = paths["folder"] / "out.nrrd"
    paths["output"].write_text("old")
    paths["report"] = paths["folder"] / "report.json"
    return paths


@pytest.fixture
def gsema(files: dict[str, Path]) -> Gsema:
    def run() -> int:
        call = ["segment", files["scan"], "-o", files["output"], "--teacher", files["teacher"]]
        options = ["--report", files["report"], "--device", "cpu", "--threads", "1"]
        return main([str(part) for part in (*call, *options)])

    return run


@pytest.fixture
def at_phase(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Do something once, when the progress comes to a phase."""

    def plan(phase: str, act: Callable[[], object]) -> None:
        done: list[str] = []

        def watch(line: ProgressLine, fraction: float, text: str) -> None:
            if text == phase and not done:
                done.append(text)
                act()

        monkeypatch.setattr(ProgressLine, "__call__", watch)

    return plan


def refusal(gsema: Gsema, capsys: pytest.CaptureFixture[str]) -> str:
    assert gsema() == EXIT_USER_ERROR
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    return line


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(Path.unlink, "scan.nrrd"), (_cut, "scan.nrrd"), (_touch, "changed while it was read")],
)
def test_a_scan_that_goes_or_changes_while_it_is_read(
    gsema: Gsema,
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
    told: str,
) -> None:
    read = VoxelData.read

    def spoil_and_read(voxels: VoxelData, count: int) -> object:
        spoil(voxels.path)
        return read(voxels, count)

    monkeypatch.setattr(VoxelData, "read", spoil_and_read)
    monkeypatch.setattr(ProgressLine, "__call__", lambda *_: None)
    assert told in refusal(gsema, capsys)
    assert files["output"].read_text() == "old"
    assert list(files["folder"].iterdir()) == [files["output"]]


def test_a_scan_that_goes_after_it_was_read_does_not_matter(
    gsema: Gsema, files: dict[str, Path], at_phase: Callable[..., None]
) -> None:
    at_phase("Preparing the scan", files["scan"].unlink)
    assert gsema() == 0
    assert (read_labels(files["output"]).array == ANEURYSM).any()


@pytest.mark.parametrize("phase", ["Reading the scan", "Measuring aneurysms"])
def test_an_output_folder_that_goes(
    gsema: Gsema,
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    at_phase: Callable[..., None],
    phase: str,
) -> None:
    at_phase(phase, lambda: shutil.rmtree(files["folder"]))
    assert "does not exist" in refusal(gsema, capsys)
    assert not files["folder"].exists()


def test_an_output_folder_that_goes_while_it_is_written_to(
    gsema: Gsema,
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flush = gsema_core.files.atomic._flush_to_disk

    def remove(path: Path) -> None:
        shutil.rmtree(files["folder"])
        flush(path)

    monkeypatch.setattr(gsema_core.files.atomic, "_flush_to_disk", remove)
    monkeypatch.setattr(ProgressLine, "__call__", lambda *_: None)
    assert "Could not write" in refusal(gsema, capsys)


def test_two_runs_that_write_the_same_output(
    gsema: Gsema, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one runs from end to end when the first one has written, but not yet renamed."""
    take_turn = gsema_core.files.atomic._take_turn
    codes: list[int] = []

    def run_and_take(descriptor: int) -> bool:
        if not codes:
            codes.append(-1)
            codes[0] = gsema()
        return take_turn(descriptor)

    monkeypatch.setattr(gsema_core.files.atomic, "_take_turn", run_and_take)
    assert gsema() == 0
    assert codes == [0]
    assert (read_labels(files["output"]).array == ANEURYSM).any()
    assert json.loads(files["report"].read_text())["teacher"]["name"] == "tiny"
    assert sorted(files["folder"].iterdir()) == [files["output"], files["report"]]


def test_a_teacher_that_is_replaced_while_it_is_in_use(
    gsema: Gsema, files: dict[str, Path], at_phase: Callable[..., None]
) -> None:
    used = load_teacher(files["teacher"]).sha256
    at_phase("Segmenting", lambda: files["teacher"].write_bytes(b"another teacher"))
    assert gsema() == 0
    assert json.loads(files["report"].read_text())["teacher"]["sha256"] == used
    assert (read_labels(files["output"]).array == ANEURYSM).any()


def test_a_teacher_that_is_replaced_before_it_is_loaded(
    gsema: Gsema,
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    at_phase: Callable[..., None],
) -> None:
    at_phase("Loading the model", lambda: files["teacher"].write_bytes(b"no teacher"))
    assert "cannot be used" in refusal(gsema, capsys)
    assert files["output"].read_text() == "old"
