"""From a DICOM study to a SEG and an SR for its archive, on the command line."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from gsema_core.cli import main
from gsema_core.exit_codes import EXIT_USER_ERROR
from gsema_core.files import read_labels, read_volume, write_labels
from gsema_core.files.dicom.neutral import shown_name
from gsema_core.grids import Volume
from gsema_core.labels import ANEURYSM

sys.path.insert(0, str(Path(__file__).parents[1] / "files" / "dicom"))
import forms

sys.path.pop(0)

NAMES = ("HOUDART", "Houdart", "4711", "1965", "1.2.3", "Ref^Doc", "ACC77", "20240229")
"""What must not get out but into DICOM objects."""

Gsema = Callable[..., int]


@pytest.fixture(scope="session")
def known(scan_file: Path) -> forms.Known:
    scan = read_volume(scan_file)
    grid = scan.geometry
    axes = grid.direction_matrix
    low, high = float(scan.array.min()), float(scan.array.max())
    stored = ((scan.array - low) / (high - low) * 4000).astype(np.uint16)
    origin = grid.origin
    if np.linalg.det(axes) < 0:
        stored, axes = stored[::-1], axes * [1, 1, -1]
        origin = tuple(grid.index_to_world((0, 0, grid.size[2] - 1)))
    orientation = tuple(axes[:, :2].T.reshape(-1))
    return forms.Known(stored, orientation, grid.spacing, origin).changed(
        SeriesDescription="3DRA native HOUDART", ReferringPhysicianName="Ref^Doc",
        AccessionNumber="ACC77", FrameOfReferenceUID="1.2.3.77", InstitutionName="Houdart clinic",
        PatientComments="Houdart 4711", ImageComments="Houdart", OtherPatientIDs="4711",
        StudyDescription="Houdart 3DRA", StudyDate="20240229", OperatorsName="Houdart^Op",
    )  # fmt: skip


@pytest.fixture
def study(tmp_path: Path, known: forms.Known) -> Path:
    forms.save(tmp_path / "HOUDART_ANNA_19650312" / "3DRA", forms.slices(known)[::-1])
    return tmp_path / "HOUDART_ANNA_19650312"


@pytest.fixture
def gsema(study: Path, tmp_path: Path, teacher_file: Path) -> Gsema:
    def run(
        *options: object, source: Path = study, output: Path = tmp_path / "out.seg.nrrd"
    ) -> int:
        call = ["segment", source, "-o", output, "--teacher", teacher_file, "--device", "cpu"]
        return main([str(part) for part in (*call, "--threads", "1", *options)])

    return run


def told_nobody(text: str) -> bool:
    return not forms.names_told(text, NAMES)


def test_both_objects_and_the_same_result_once_they_are_in_the_study(
    gsema: Gsema, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seg, sr = study / "3DRA" / "out.dcm", study / "report.dcm"
    assert gsema("--dicom-seg", seg, "--dicom-sr", sr, "--report", tmp_path / "r.json") == 0
    captured = capsys.readouterr()
    assert told_nobody(captured.out + captured.err + (tmp_path / "r.json").read_text())
    labels = read_labels(tmp_path / "out.seg.nrrd")
    segmentation = highdicom.seg.segread(seg)
    assert segmentation.number_of_segments == 2
    volume = segmentation.get_volume(segment_numbers=[2], allow_missing_positions=True)
    assert volume.array.sum() == (labels.array == ANEURYSM).sum() > 500
    places = labels.geometry.index_to_world(np.argwhere(labels.array == ANEURYSM)[:, ::-1])
    back = np.linalg.inv(volume.affine)
    found = np.round(places @ back[:3, :3].T + back[:3, 3]).astype(int)
    assert volume.array[tuple(found.T)].all()
    (_, group) = highdicom.sr.srread(sr).content.get_volumetric_roi_measurement_groups()
    told = json.loads((tmp_path / "r.json").read_text())
    values = {one.name.meaning: one.value for one in group.get_measurements()}
    assert values["Volume"] == pytest.approx(told["aneurysms"][0]["volume_mm3"], rel=1e-5)
    assert str(dcmread(sr).PatientName) == str(dcmread(seg).PatientName) == "Houdart^Anna"
    assert dcmread(seg).StudyInstanceUID == "1.2.3"

    content = (tmp_path / "out.seg.nrrd").read_bytes()
    again = tmp_path / "again.json"
    assert gsema("--report", again) == 0
    assert (tmp_path / "out.seg.nrrd").read_bytes() == content
    after = json.loads(again.read_text())
    for name in ("series", "aneurysms", "notes", "geometry", "input"):
        assert after[name] == told[name]
    assert main(["series", str(study)]) == 0
    _, scan, objects = capsys.readouterr().out.splitlines()[-3:]
    assert scan.split()[0] == "5"
    assert scan.endswith("yes")
    assert objects.split()[0] == "7005"
    assert "no: a segmentation" in objects


def test_the_output_alone_is_a_segmentation(
    gsema: Gsema, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one of its files, too, and with the report beside it."""
    one = study / "3DRA" / "IM003"
    assert gsema("--dicom-sr", source=one, output=tmp_path / "case.dcm") == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "case.dcm", "case.sr.dcm"
    ]  # fmt: skip
    assert dcmread(tmp_path / "case.dcm").Modality == "SEG"
    assert dcmread(tmp_path / "case.sr.dcm").Modality == "SR"
    assert gsema("--dicom-sr", output=tmp_path / "case.dcm") == 0  # results may be replaced
    assert told_nobody(capsys.readouterr().out)


def test_without_names_they_lie_beside_the_label_map(gsema: Gsema, tmp_path: Path) -> None:
    assert gsema("--dicom-seg", "--dicom-sr", output=tmp_path / "case.nii.gz") == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "case.nii.gz", "case.seg.dcm", "case.sr.dcm"
    ]  # fmt: skip


def test_only_the_aneurysm_at_a_point(gsema: Gsema, tmp_path: Path, scan_file: Path) -> None:
    left, posterior, superior = np.add(read_volume(scan_file).geometry.center, (6.0, 0.0, 2.0))
    seg = tmp_path / "case.dcm"
    assert gsema("--at", -left, -posterior, superior, "--dicom-sr", output=seg) == 0
    assert [one.SegmentLabel for one in dcmread(seg).SegmentSequence] == ["Aneurysm 1"]
    (group,) = highdicom.sr.srread(
        tmp_path / "case.sr.dcm"
    ).content.get_volumetric_roi_measurement_groups()
    assert {"Volume", "Diameter"} <= {
        one.name.meaning for one in group.get_measurements()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "output", "told"),
    [
        (("--dicom-sr", "a.dcm"), "out.nrrd", "add --dicom-seg"),
        (("--dicom-seg", "a.dcm"), "out.dcm", "is the DICOM SEG: leave out --dicom-seg"),
        (("--dicom-seg", "a.nrrd"), "out.nrrd", "a.nrrd is DICOM: end its name with .dcm"),
        (("--dicom-seg", "a.dcm", "--dicom-sr", "a.dcm"), "out.nrrd", "same name"),
        (("--dicom-seg", "no/a.dcm"), "out.nrrd", "does not exist"),
        (("--dicom-seg", "SLICE"), "out.nrrd", "is a DICOM image already"),
        (("--dicom-seg", "a.dcm"), "folder", "give it no file name"),
        (("--dicom-sr",), "folder", "add --dicom-seg"),
    ],
)
def test_what_cannot_be(
    gsema: Gsema, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], output: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (study / "3DRA" / "IM003").rename(study / "3DRA" / "slice.dcm")
    slice_file = study / "3DRA" / "slice.dcm"
    content = slice_file.read_bytes()
    given = [str(slice_file) if option == "SLICE" else option for option in options]
    assert gsema(*given, output=tmp_path / output) == EXIT_USER_ERROR
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error")]
    assert told in line
    assert slice_file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["HOUDART_ANNA_19650312"]


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "SOPInstanceUID", "a series"])
def test_scans_that_nothing_can_refer_to_are_refused_before_the_work(
    gsema: Gsema, known: forms.Known, tmp_path: Path, scan_file: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, missing: str,
) -> None:  # fmt: skip
    from gsema_core.inference import Segmenter

    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("segmented")

    monkeypatch.setattr(Segmenter, "segment", never)
    source = tmp_path / "other"
    if missing == "a series":
        source = scan_file
    else:
        forms.save(source, forms.slices(known.changed(**{missing: None})))
    assert gsema(source=source, output=tmp_path / "out.dcm") == EXIT_USER_ERROR
    error = capsys.readouterr().err.splitlines()[-1]
    assert ("no DICOM series" if missing == "a series" else missing) in error
    assert not (tmp_path / "out.dcm").exists()


@pytest.fixture
def studies(tmp_path: Path, known: forms.Known, scan_file: Path) -> Path:
    """Two DICOM studies and a scan that is none."""
    folder = tmp_path / "studies"
    for name in ("one", "two"):
        uid = f"1.2.3.{name}".replace("one", "1").replace("two", "2")
        one = known.changed(StudyInstanceUID=uid, PatientName=f"Houdart^{name}")
        forms.save(folder / name, forms.slices(one))
    shutil.copy(scan_file, folder / "three.nrrd")
    return folder


def test_each_study_of_a_folder_gets_its_own(
    gsema: Gsema, studies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = studies / "results"
    assert gsema("--dicom-seg", "--dicom-sr", source=studies, output=out) == 0
    names = [shown_name(studies / name) for name in ("one", "two")]
    assert {path.name for path in out.iterdir() if path.suffix == ".dcm"} == {
        f"{name}.{end}.dcm" for name in names for end in ("seg", "sr")
    }
    for name, uid, patient in zip(names, ("1.2.3.1", "1.2.3.2"), ("one", "two"), strict=True):
        for end in ("seg", "sr"):
            read = dcmread(out / f"{name}.{end}.dcm")
            assert (read.StudyInstanceUID, read.PatientName) == (uid, f"Houdart^{patient}")
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.split()[1] == "done" for line in lines[:-1]) == 3
    for path in (*out.glob("**/*.json"), out / "overview.html"):
        assert told_nobody(path.read_text().replace(str(tmp_path), ""))

    before = {path: path.stat().st_mtime_ns for path in out.glob("*.*")}
    assert gsema("--dicom-seg", "--dicom-sr", "--resume", source=studies, output=out) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 skipped."
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.*")} == before


def test_resume_makes_missing_objects_and_leaves_corrected_labels(
    gsema: Gsema, studies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (studies / "three.nrrd").unlink()
    out = tmp_path / "results"
    assert gsema("--quiet", source=studies, output=out) == 0
    one, two = (shown_name(studies / name) for name in ("one", "two"))
    labels = read_labels(out / f"{one}.seg.nrrd")
    write_labels(Volume(labels.array * 0, labels.geometry), out / f"{one}.seg.nrrd")
    by_hand = (out / f"{one}.seg.nrrd").read_bytes()
    assert gsema("--dicom-seg", "--resume", source=studies, output=out) == 0
    first, *_, counts = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=2)[1:] == ["done", "1 aneurysm; the label map that was there stays"]
    assert counts == "2 done."
    assert (out / f"{one}.seg.nrrd").read_bytes() == by_hand
    assert len(dcmread(out / f"{one}.seg.dcm").SegmentSequence) == 2

    damaged = out / f"{two}.seg.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert gsema("--dicom-seg", "--resume", source=studies, output=out) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 1 skipped."
    assert dcmread(damaged).pixel_array.any()


def test_results_among_the_studies_are_no_studies(
    gsema: Gsema, studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in the folder itself nor in one of their own, whatever they are called."""
    (studies / "three.nrrd").unlink()
    assert gsema("--quiet", "--dicom-seg", "--dicom-sr", source=studies, output=studies) == 0
    one, two = (shown_name(studies / name) for name in ("one", "two"))
    (studies / "sent back").mkdir()
    (studies / f"{one}.seg.dcm").rename(studies / "sent back" / "7f3a")
    shutil.copy(studies / f"{one}.sr.dcm", studies / "one" / "0000")  # the first file by name
    assert gsema("--dicom-seg", "--dicom-sr", source=studies, output=studies) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        [one, "done"], [two, "done"], ["2", "done."]
    ]  # fmt: skip
