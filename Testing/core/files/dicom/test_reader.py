from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forms import MR, Known, save, slices

from gsema_core.errors import UserError
from gsema_core.files import read_volume, write_volume
from gsema_core.files.dicom import mark
from gsema_core.files.dicom.plain_words import short_hash
from gsema_core.files.dicom.series_volume import SeriesVolume
from gsema_core.files.reading import list_series
from gsema_core.grids import Geometry, Volume

Write = Callable[..., None]
PROJECTIONS = "1.2.840.10008.5.1.4.1.1.12.1.1"


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_series_comes_back_in_place(
    tmp_path: Path, geometry: Geometry, write_dicom: Write
) -> None:
    """DICOM has no left-handed grids: ITK may turn the slices' order, but no voxel moves."""
    small = replace(geometry, size=(9, 8, 7))
    array = np.random.default_rng(0).integers(0, 2000, small.shape).astype(np.int16)
    write_dicom(tmp_path / "series", Volume(array, small))
    read = read_volume(tmp_path / "series")
    assert read.array.dtype == np.int16
    turned = np.linalg.det(small.direction_matrix) < 0
    expected = array[::-1] if turned else array
    np.testing.assert_array_equal(read.array, expected)
    first = small.index_to_world((0, 0, small.size[2] - 1 if turned else 0))
    np.testing.assert_allclose(read.geometry.origin, first, atol=1e-5)
    np.testing.assert_allclose(read.geometry.spacing, small.spacing, atol=1e-6)


def test_subfolders_are_searched_and_other_images_passed_over(
    tmp_path: Path, scan: Volume, write_dicom: Write
) -> None:
    write_dicom(tmp_path / "PA0" / "SE0", scan, uid="1.2.5", sop_class=PROJECTIONS)
    write_dicom(tmp_path / "PA0" / "SE1", scan, uid="1.2.6")
    write_dicom(tmp_path / "PA0" / "SE2", scan, uid="1.2.7", color=True)
    write_dicom(tmp_path / "PA0" / "SE1", scan, uid="1.2.8", skip=tuple(range(1, 7)))
    (tmp_path / "README.txt").write_text("exported by the archive")
    read = read_volume(tmp_path)
    np.testing.assert_array_equal(read.array, scan.array.astype(np.int16))


@pytest.mark.parametrize("files", [{}, {"notes.txt": "no image"}])
def test_a_folder_without_images(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert "has no DICOM images: give the folder of a DICOM series" in refusal(tmp_path)


def test_a_folder_with_far_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mark, "MAXIMUM_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    assert "more than 3 files" in refusal(tmp_path)


@pytest.mark.parametrize("spacing", [0.01, 20.0])
def test_absurd_spacing(tmp_path: Path, scan: Volume, write_dicom: Write, spacing: float) -> None:
    geometry = replace(scan.geometry, spacing=(spacing,) * 3)
    write_dicom(tmp_path, Volume(scan.array, geometry))
    assert f"voxel spacing of {spacing:g} mm" in refusal(tmp_path)


def test_constant(tmp_path: Path, scan: Volume, write_dicom: Write) -> None:
    write_dicom(tmp_path, Volume(np.full_like(scan.array, 9), scan.geometry))
    assert "same value (9) in every voxel" in refusal(tmp_path)


def test_the_volume_says_which_series_it_is(tmp_path: Path) -> None:
    """No identifier, name or date of the patient is in it, nor words that may be one."""
    known = Known().changed(SeriesDescription="3DRA HOUDART native 12.03.1965")
    save(tmp_path, slices(known))
    volume = read_volume(tmp_path)
    assert isinstance(volume, SeriesVolume)
    assert volume.series == {
        "number": 5,
        "description": "3DRA … native …",
        "slices": 8,
        "hash": short_hash(known.series),
        "class": "CT",
        "image_type": "ORIGINAL PRIMARY AXIAL",
    }
    assert volume.notes == ()


@pytest.mark.parametrize(
    ("kind", "modality", "told"),
    [
        (MR, "MR", ("The DICOM series is MR, no rotational angiography.",)),
        ("1.2.840.10008.5.1.4.1.1.2", "CT", ()),
    ],
)
def test_another_modality_is_noted(
    tmp_path: Path, kind: str, modality: str, told: tuple[str, ...]
) -> None:
    save(tmp_path, slices(replace(Known(), kind=kind).changed(Modality=modality)))
    volume = read_volume(tmp_path)
    assert isinstance(volume, SeriesVolume)
    assert volume.notes == told


def test_damage_elsewhere_is_noted(tmp_path: Path) -> None:
    save(tmp_path, slices(Known()))
    save(tmp_path / "other", slices(Known(series="1.2.9"))[:1], name="HOUDART{}")
    (file,) = (tmp_path / "other").iterdir()
    file.write_bytes(file.read_bytes()[:-30])
    volume = read_volume(tmp_path)
    assert isinstance(volume, SeriesVolume)
    assert volume.notes == (
        "Of the study's DICOM files 1 file could not be read (…0: 218 bytes for 240 bytes of "
        "voxels).",
    )


def test_several_volumes_come_with_a_table(tmp_path: Path) -> None:
    save(tmp_path / "a", slices(Known()))
    save(tmp_path / "b", slices(Known(series="1.2.9").changed(SeriesNumber=7)))
    with pytest.raises(UserError) as caught:
        read_volume(tmp_path)
    head, *lines = caught.value.table
    assert head.split()[:4] == ["number", "description", "size", "spacing"]
    assert [line.split()[0] for line in lines] == ["5", "7"]
    assert "12 x 10 x 8" in lines[0] and "0.4 x 0.5 x 0.6" in lines[0]


def test_a_study_has_a_row_for_each_series(tmp_path: Path) -> None:
    save(tmp_path / "a", slices(Known()))
    save(tmp_path / "b", slices(Known(series="1.2.9").changed(SeriesNumber=2))[::2][:3] * 2)
    gap = [ds for k, ds in enumerate(slices(Known(series="1.2.8"))) if k != 4]
    save(tmp_path / "c", gap)
    save(tmp_path / "d", slices(Known(series="1.2.7").changed(SamplesPerPixel=3))[:1])
    rows = {row["number"]: row["volume"] for row in list_series(tmp_path)}
    assert rows[5] == "yes"
    assert rows[2] == "yes"
    assert any("lacks 1 slice" in told for told in rows.values())


def test_a_series_that_is_no_dicom_cannot_be_chosen(tmp_path: Path, scan: Volume) -> None:
    write_volume(scan, tmp_path / "scan.nrrd")
    with pytest.raises(UserError, match="leave out --series"):
        read_volume(tmp_path / "scan.nrrd", series=3)


def test_without_pydicom_one_sentence_says_what_to_do(tmp_path: Path, scan: Volume) -> None:
    """In Slicer the volumes come from the scene: the package does without it there."""
    save(tmp_path / "series", slices(Known()))
    write_volume(scan, tmp_path / "scan.nrrd")
    code = (
        "import sys\n"
        "sys.modules['pydicom'] = None\n"
        "from gsema_core import segment\n"
        "from gsema_core.datasets import find_cases\n"
        "from gsema_core.files import read_volume\n"
        "from gsema_core.inference import segment_aneurysms_at\n"
        "from gsema_core.inference.folders import folder_run\n"
        "read_volume(sys.argv[1])\n"
        "try:\n"
        "    read_volume(sys.argv[2])\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    paths = str(tmp_path / "scan.nrrd"), str(tmp_path / "series")
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True
    )
    assert (
        "the package pydicom (version 3) is not installed: install it (pip install pydicom)"
        in done.stdout
    )
