from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk

from gsema_core.cli import main
from gsema_core.evaluation.teacher_score import write_with_card
from gsema_core.exit_codes import EXIT_BROKEN_PIPE, EXIT_SOME_FAILED, EXIT_STOPPED, EXIT_USER_ERROR
from gsema_core.files import read_labels, read_volume, write_labels
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationSettings, Segmenter, opening
from gsema_core.inference.folders import shards
from gsema_core.inference.folders.folder_run import LOG
from gsema_core.inference.folders.resume import compared
from gsema_core.intensities import IntensityRule
from gsema_core.intensities.appearance_ranges import AppearanceRanges
from gsema_core.intensities.prepared_scan import prepare
from gsema_core.labels import ANEURYSM
from gsema_core.measurements import measurements_report
from gsema_core.progress_line import ProgressLine
from gsema_core.teachers import read_card

Gsema = Callable[..., int]


@pytest.fixture
def scans(tmp_path: Path, scan_file: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a.nrrd", "c.nrrd"):
        shutil.copy(scan_file, folder / name)
    (folder / "b.nii.gz").write_bytes(b"no image at all")
    (folder / "notes.txt").write_text("not a scan")
    (folder / "old.seg.nrrd").write_text("no scan either")
    return folder


@pytest.fixture
def gsema(scans: Path, tmp_path: Path, teacher_file: Path) -> Gsema:
    def run(*options: str, source: Path = scans, output: Path = tmp_path / "out") -> int:
        call = ["segment", source, "-o", output, "--teacher", teacher_file, "--device", "cpu"]
        return main([str(part) for part in (*call, "--threads", "1", *options)])

    return run


def test_one_bad_file_does_not_stop_the_rest(
    gsema: Gsema,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []
    load = opening.load_teacher
    monkeypatch.setattr(
        opening, "load_teacher", lambda path, **o: loaded.append(path) or load(path, **o)
    )
    assert gsema() == EXIT_SOME_FAILED
    assert len(loaded) == 1
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "a.json", "a.seg.nrrd", "c.json", "c.seg.nrrd", "overview", "overview.html"
    ]  # fmt: skip
    assert (read_labels(out / "c.seg.nrrd").array == ANEURYSM).sum() > 500
    assert json.loads((out / "c.json").read_text())["input"] == "c.nrrd"
    captured = capsys.readouterr()
    first, second, third, counts = captured.out.splitlines()
    assert first.split() == ["a.nrrd", "done", "1", "aneurysm"]
    assert second.startswith("b.nii.gz  failed   The image")
    assert third.split()[:2] == ["c.nrrd", "done"]
    assert counts == "2 done, 1 failed."
    page = (out / "overview.html").read_text(encoding="utf-8")
    assert "1 failed</a>" in page and "2 done without notes</a>" in page
    assert page.count('<a href="c.seg.nrrd">label map</a> · <a href="c.json">report</a>') == 1
    assert "a.nrrd: Segmenting" in captured.err
    assert "Traceback" not in captured.err


def test_resume_does_only_what_is_missing(
    gsema: Gsema, scans: Path, tmp_path: Path, scan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    corrected = read_volume(scan_file)
    write_labels(Volume(corrected.array > 1000, corrected.geometry), out / "a.seg.nrrd")
    by_hand = (out / "a.seg.nrrd").read_bytes()
    shutil.copy(scan_file, scans / "b.nrrd")
    (scans / "b.nii.gz").unlink()
    assert gsema("--resume") == 0
    assert (out / "a.seg.nrrd").read_bytes() == by_hand
    first, *_, counts = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=2)[1:] == [
        "skipped", "its output is there, without a report of how it was made"
    ]  # fmt: skip
    assert counts == "2 done, 1 skipped."
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    assert gsema("--resume") == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    assert capsys.readouterr().out.splitlines()[-1] == "3 skipped."


def test_resume_makes_damaged_output_again_and_keeps_other_settings(
    gsema: Gsema, scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scans / "b.nii.gz").unlink()
    assert gsema("--quiet", "--minimum-aneurysm", "7") == 0
    whole = tmp_path / "out" / "a.seg.nrrd"
    content = whole.read_bytes()
    whole.write_bytes(content[:-100])
    capsys.readouterr()
    assert gsema("--resume", "--threads", "2") == 0
    first, second, counts = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["a.nrrd", "done"]
    assert "skipped  its output is there, with another minimum aneurysm mm3: delete it" in second
    assert counts == "1 done, 1 skipped."
    assert (read_labels(whole).array == ANEURYSM).any()


def test_a_result_of_another_teacher_is_named(tmp_path: Path) -> None:
    settings = SegmentationSettings()
    report = {"teacher": {"sha256": "a"}, "settings": settings.to_dict(), **measurements_report([])}
    assert "by another model" in compared(report, "b", settings)
    assert compared(report, "a", settings) == "its output is there"
    older = {name: value for name, value in report.items() if name != "measurements_version"}
    assert "by an earlier version's measurements" in compared(older, "a", settings)
    for odd in (None, {}, {"teacher": 3, "settings": []}, {**report, "settings": {}}):
        assert "without a report" in compared(odd, "a", settings)


def test_names_that_would_collide_stay_apart(gsema: Gsema, scans: Path, tmp_path: Path) -> None:
    sitk.WriteImage(sitk.ReadImage(str(scans / "a.nrrd")), str(scans / "a.mha"))
    assert gsema("--quiet") == EXIT_SOME_FAILED
    names = {path.name for path in (tmp_path / "out").glob("*.seg.nrrd")}
    assert names == {"a.mha.seg.nrrd", "a.nrrd.seg.nrrd", "c.seg.nrrd"}


def test_quiet_still_tells_what_failed(gsema: Gsema, capsys: pytest.CaptureFixture[str]) -> None:
    assert gsema("--quiet") == EXIT_SOME_FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: b.nii.gz: The image")


def _write_dicom(folder: Path, scan_file: Path) -> None:
    folder.mkdir()
    image = read_volume(scan_file).to_image()
    axes = [f"{image.GetDirection()[n]:.10g}" for n in (0, 3, 6, 1, 4, 7)]
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for index in range(image.GetSize()[2]):
        piece = sitk.GetImageFromArray(sitk.GetArrayFromImage(image[:, :, index])[None])
        piece.SetSpacing(image.GetSpacing())
        position = image.TransformIndexToPhysicalPoint((0, 0, index))
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"1.2.4.{index + 1}",
            "0008|0060": "CT",
            "0020|000d": "1.2.3",
            "0020|000e": "1.2.5",
            "0020|0013": str(index + 1),
            "0020|0032": "\\".join(f"{x:.10g}" for x in position),
            "0020|0037": "\\".join(axes),
        }
        for tag, value in tags.items():
            piece.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{index:03d}.dcm"))
        writer.Execute(piece)


def test_dicom_folders_are_one_scan_each(
    gsema: Gsema, scans: Path, tmp_path: Path, scan_file: Path
) -> None:
    series = scans / "patient 7"
    _write_dicom(series, scan_file)
    assert gsema("--quiet") == EXIT_SOME_FAILED
    name = shown_name(series)
    assert (read_labels(tmp_path / "out" / f"{name}.seg.nrrd").array == ANEURYSM).sum() > 500
    assert gsema("--quiet", source=series, output=tmp_path / "alone") == 0
    assert {path.name for path in (tmp_path / "alone").iterdir()} == {
        f"{name}.seg.nrrd", f"{name}.json", "overview", "overview.html"
    }  # fmt: skip
    single = tmp_path / "single.nrrd"
    assert gsema("--quiet", source=series, output=single) == 0
    assert (read_labels(single).array == ANEURYSM).sum() > 500


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--at", "0", "0", "0"), "--at is for one scan"),
        (("--probabilities", "p.nrrd"), "--probabilities is for one scan"),
        (("--report", "r.json"), "--report is for one scan"),
        (("--profile", "p.json"), "--profile is for one scan"),
        (("--teacher", "no-such-teacher"), "no-such-teacher"),
        (("--device", "gpu"), "'gpu' is unknown"),
    ],
)
def test_what_stops_all_is_one_sentence(
    gsema: Gsema, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    assert gsema(*options) == EXIT_USER_ERROR
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_folder_without_scans_and_an_output_that_cannot_be(
    gsema: Gsema, tmp_path: Path, capsys: pytest.CaptureFixture[str], scan_file: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert gsema(source=empty) == EXIT_USER_ERROR
    assert "has no scans" in capsys.readouterr().err
    assert gsema(output=tmp_path / "none" / "out") == EXIT_USER_ERROR
    assert "cannot be made" in capsys.readouterr().err
    assert gsema("--resume", source=scan_file, output=tmp_path / "o.nrrd") == EXIT_USER_ERROR
    assert "--resume is for folders" in capsys.readouterr().err


def test_a_signal_keeps_what_is_done(
    gsema: Gsema,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kill(line: ProgressLine, fraction: float, phase: str) -> None:
        if phase == "c.nrrd: Segmenting":
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(ProgressLine, "__call__", kill)
    assert gsema() == EXIT_STOPPED
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.json", "a.seg.nrrd", "overview", "overview.html"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:2] == ["c.nrrd", "left"]
    assert lines[-1] == "1 done, 1 failed, 1 left."


def test_ctrl_c_still_tells_what_is_done(
    gsema: Gsema, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(line: ProgressLine, fraction: float, phase: str) -> None:
        if phase == "c.nrrd: Segmenting":
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "__call__", interrupt)
    assert gsema() == EXIT_STOPPED
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 1 failed, 1 left."


def test_a_folder_of_archives_says_to_unpack_them(
    gsema: Gsema, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "scans.zip").write_bytes(b"PK")
    assert gsema(source=packed) == EXIT_USER_ERROR
    assert "archives (scans.zip), and none is opened: unpack them" in capsys.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("a surprise")])
def test_whatever_goes_wrong_the_rest_is_done(
    gsema: Gsema,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    segment = Segmenter.segment
    calls: list[object] = []

    def failing_once(self: Segmenter, *arguments: object, **options: object) -> object:
        calls.append(self)
        if len(calls) == 1:
            raise error
        return segment(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Segmenter, "segment", failing_once)
    assert gsema() == EXIT_SOME_FAILED
    captured = capsys.readouterr()
    lines, log = captured.out.splitlines(), tmp_path / "out" / LOG
    assert lines[-1] == "1 done, 2 failed."
    assert "Traceback" not in captured.out + captured.err
    if isinstance(error, MemoryError):
        assert "memory did not suffice" in lines[0]
        assert not log.exists()
    else:
        assert f"RuntimeError occurred (a surprise): please report it with {log}." in lines[0]
        text = log.read_text(encoding="utf-8")  # of the other failure, a bad file, nothing
        assert text.count("Traceback") == 1
        assert "The scan a.nrrd failed." in text
        assert "in failing_once" in text and text.rstrip().endswith("RuntimeError: a surprise")


def test_two_processes_share_the_scans(
    scans: Path, scan_file: Path, teacher_file: Path, tmp_path: Path
) -> None:
    """A bad scan of one does not end the other."""
    shutil.copy(scan_file, scans / "d.nrrd")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out = tmp_path / "out"
    start = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    segment = ["-m", "gsema_core", "segment", scans, "-o", out, "--teacher", teacher_file]
    parts = [sys.executable, *start, "--master-port", port, *segment, "--threads", "1"]
    done = subprocess.run(
        [str(part) for part in parts],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"},
    )
    # torchrun's own code is 1 whatever its processes say: of all scans one failed.
    assert done.returncode == 1, done.stderr
    assert f"exitcode  : {EXIT_SOME_FAILED} " in done.stderr
    tables = re.split(r"Process (\d) of 2:\n", done.stdout)[1:]
    shares = {
        int(number): [line.split()[:2] for line in table.splitlines()]
        for number, table in zip(tables[::2], tables[1::2], strict=True)
    }
    assert shares == {
        1: [["a.nrrd", "done"], ["c.nrrd", "done"], ["2", "done."]],
        2: [["b.nii.gz", "failed"], ["d.nrrd", "done"], ["1", "done,"]],
    }
    assert sorted(path.name for path in out.glob("*.seg.nrrd")) == [
        "a.seg.nrrd", "c.seg.nrrd", "d.seg.nrrd"
    ]  # fmt: skip
    page = (out / "overview.html").read_text(encoding="utf-8")
    assert "1 failed</a>" in page and "3 done without notes</a>" in page
    assert page.count("<article") == 4


def test_more_processes_than_scans(
    gsema: Gsema,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shards, "any_failed", lambda failed, ranks, stop: failed)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "6")
    assert gsema() == 0
    assert capsys.readouterr().out == "Process 6 of 6:\nNo scan was left for it.\n"
    assert not list((tmp_path / "out").iterdir())


def test_shares_together_are_the_folder(
    gsema: Gsema, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gsema("--share", "1/2") == 0
    page = (tmp_path / "out" / "overview.html").read_text(encoding="utf-8")
    assert page.count("<article") == 3 and "1 not done yet</a>" in page
    assert capsys.readouterr().out.endswith("\n2 done.\n")
    assert gsema("--share", "2/2") == EXIT_SOME_FAILED  # the bad one
    page = (tmp_path / "out" / "overview.html").read_text(encoding="utf-8")
    assert page.count("<article") == 3 and "not done yet</a>" not in page
    assert gsema("--share", "4/4") == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.nrrd")) == [
        "a.seg.nrrd", "c.seg.nrrd"
    ]  # fmt: skip


def test_numbers_that_others_left_behind_make_no_part(
    gsema: Gsema, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a training by hand, or in a task of SLURM."""
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert gsema("--resume") == EXIT_SOME_FAILED
    captured = capsys.readouterr()
    assert captured.out.endswith("2 done, 1 failed.\n")
    assert "note: WORLD_SIZE=2 is set, but torchrun did not start this process" in captured.err
    assert gsema("--resume", "--share", "1/2") == 0
    assert "note:" not in capsys.readouterr().err


def test_a_reader_that_leaves_fails_no_scan(gsema: Gsema, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scans were told as failed, and all of them."""

    def left(line: ProgressLine, fraction: float, phase: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(ProgressLine, "__call__", left)
    monkeypatch.setattr("os.dup2", lambda *numbers: None)
    assert gsema() == EXIT_BROKEN_PIPE


def test_a_scan_unlike_the_training_scans_is_noted_in_every_place(
    gsema: Gsema, tmp_path: Path, teacher_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def teacher_with(name: str, **changes: float) -> Path:
        seen = replace(prepare(read_volume(scan), 0.8, IntensityRule()).appearance, **changes)
        card = replace(read_card(teacher_file), appearance=AppearanceRanges.of([seen]))
        write_with_card(teacher_file, card, tmp_path / f"{name}.safetensors")
        return tmp_path / f"{name}.safetensors"

    scan, out = tmp_path / "scans" / "a.nrrd", tmp_path / "out"
    for name, changes, notes in (("like", {}, 0), ("unlike", {"voxel_mm": 0.1}, 1)):
        gsema("--teacher", str(teacher_with(name, **changes)))
        report = json.loads((out / "a.json").read_text())
        assert len(report["notes"]) == notes
    first = capsys.readouterr().out.splitlines()[-4]
    note = (
        "Unlike the model's training scans, with their range in brackets, this one has voxels of "
        "0.9 mm (0.1 to 0.1): check the result closely."
    )
    assert report["notes"] == [note]
    assert note in first
    assert "this one has voxels of 0.9 mm" in (out / "overview.html").read_text(encoding="utf-8")
