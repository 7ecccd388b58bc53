from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.files.dicom import series
from gsema_core.files.dicom.series import has_dicom
from gsema_core.grids import Geometry, Volume

Write = Callable[..., None]
PROJECTIONS = "1.2.840.10008.5.1.4.1.1.12.1"


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


def test_several_volumes_are_listed_and_one_file_chooses(
    tmp_path: Path, scan: Volume, write_dicom: Write
) -> None:
    other = Volume(scan.array + 500, scan.geometry)
    write_dicom(tmp_path, scan, uid="1.2.5", description="native")
    write_dicom(tmp_path, other, uid="1.2.6", description="subtracted")
    message = refusal(tmp_path)
    assert "has 2 DICOM volumes: choose one by giving one of its files" in message
    assert "'native' with" in message
    assert "'subtracted' with" in message
    chosen = read_volume(tmp_path / "1.2.6-898.dcm")
    np.testing.assert_array_equal(chosen.array, other.array.astype(np.int16))


@pytest.mark.parametrize("files", [{}, {"notes.txt": "no image"}])
def test_a_folder_without_images(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert "has no DICOM images: give the folder of a DICOM series" in refusal(tmp_path)


def test_a_folder_with_far_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAXIMUM_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    assert "more than 3 files" in refusal(tmp_path)


@pytest.mark.parametrize(
    "how",
    [{"color": True}, {"sop_class": PROJECTIONS}, {"skip": tuple(range(1, 7))}],
    ids=["color", "projections", "one slice"],
)
def test_images_that_are_no_volume(
    tmp_path: Path, scan: Volume, write_dicom: Write, how: dict[str, object]
) -> None:
    write_dicom(tmp_path, scan, **how)
    assert "do not make a 3D volume" in refusal(tmp_path)
    assert "do not make a 3D volume" in refusal(next(tmp_path.iterdir()))


@pytest.mark.parametrize("missing", [1, 3, 5])
def test_a_missing_slice(tmp_path: Path, scan: Volume, write_dicom: Write, missing: int) -> None:
    write_dicom(tmp_path, scan, skip=(missing,))
    assert "missing, repeated or unevenly spaced" in refusal(tmp_path)


def test_repeated_slices(tmp_path: Path, scan: Volume, write_dicom: Write) -> None:
    write_dicom(tmp_path, scan)
    for file in list(tmp_path.iterdir()):
        shutil.copy(file, file.with_name(f"copy-{file.name}"))
    assert "missing, repeated or unevenly spaced" in refusal(tmp_path)


def test_a_tilted_gantry(tmp_path: Path, scan: Volume, write_dicom: Write) -> None:
    write_dicom(tmp_path, scan, shift_mm=0.3)
    assert "tilted gantry" in refusal(tmp_path)


@pytest.mark.parametrize("number", [0, 3, 6])
def test_a_damaged_slice_is_named(
    tmp_path: Path, scan: Volume, write_dicom: Write, number: int
) -> None:
    """GDCM passes over it without a word: at an end, the volume would only be shorter."""
    write_dicom(tmp_path, scan)
    file = sorted(tmp_path.iterdir())[number]
    file.write_bytes(file.read_bytes()[:-30])
    message = refusal(tmp_path)
    assert file.name in message
    assert "damaged or cut off" in message


@pytest.mark.parametrize("spacing", [0.01, 20.0])
def test_absurd_spacing(tmp_path: Path, scan: Volume, write_dicom: Write, spacing: float) -> None:
    geometry = replace(scan.geometry, spacing=(spacing,) * 3)
    write_dicom(tmp_path, Volume(scan.array, geometry))
    assert f"voxel spacing of {spacing:g} mm" in refusal(tmp_path)


def test_constant(tmp_path: Path, scan: Volume, write_dicom: Write) -> None:
    write_dicom(tmp_path, Volume(np.full_like(scan.array, 9), scan.geometry))
    assert "same value (9) in every voxel" in refusal(tmp_path)


def test_a_folder_has_dicom_where_one_of_its_first_files_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = bytes(128) + b"DICM"
    assert not has_dicom(tmp_path)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "IM1").write_bytes(marked)
    (tmp_path / "notes.txt").write_text("no image")
    assert has_dicom(tmp_path)
    assert not has_dicom(tmp_path / "missing")
    monkeypatch.setattr(series, "FILES_BEFORE_FIRST", 0)  # it gives up where only others come
    assert not has_dicom(tmp_path)
