"""Names in place of folders' names, and errors that quote nothing."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forms
import pytest

from gsema_core.errors import UserError
from gsema_core.files.dicom.neutral import neutral_name, shown_name, told_as, without_values

Study = Callable[..., Path]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    def make(folder: str, **changes: Any) -> Path:
        forms.save(tmp_path / folder, forms.slices(forms.Known().changed(**changes)))
        return tmp_path / folder

    return make


def test_a_study_keeps_its_name_wherever_it_lies(study: Study, tmp_path: Path) -> None:
    name = neutral_name(study("HOUDART/a"))
    assert name is not None and name.startswith("dicom_") and len(name) == 18
    shutil.copytree(tmp_path / "HOUDART", tmp_path / "elsewhere" / "b")
    assert neutral_name(tmp_path / "HOUDART") == neutral_name(tmp_path / "elsewhere") == name
    (tmp_path / "HOUDART" / "a" / "._first").write_bytes(b"")
    (tmp_path / "HOUDART" / "a" / "0.txt").write_bytes(b"no DICOM")
    assert neutral_name(tmp_path / "HOUDART") == name


def test_a_result_beside_the_study_does_not_rename_it(study: Study) -> None:
    folder = study("a")
    name = neutral_name(folder)
    written = forms.written(forms.report("1.2.840.10008.5.1.4.1.1.88.22"))
    (folder / "0.dcm").write_bytes(written)
    assert neutral_name(folder) == name
    for file in folder.glob("IM*"):
        file.unlink()
    assert neutral_name(folder) not in (None, name)


def test_other_studies_have_other_names(study: Study) -> None:
    assert neutral_name(study("a")) != neutral_name(study("b", PatientName="B"))


def test_a_damaged_study_has_a_name_too(study: Study) -> None:
    folder = study("a")
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:200])
    assert str(neutral_name(folder)).startswith("dicom_")


def test_what_is_no_dicom_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "HOUDART.nrrd"
    path.write_bytes(b"NRRD")
    assert (neutral_name(path), shown_name(path)) == (None, "HOUDART.nrrd")
    assert shown_name(tmp_path / "missing.nrrd") == "missing.nrrd"
    assert shown_name(Path("b\udcff.nrrd")) == "b\\udcff.nrrd"


@pytest.mark.parametrize("folder", ["a", "x\ny", "n" * 200 + "/" + "m" * 200 + "/" + "o" * 200])
def test_errors_tell_the_name(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path(folder)
    place.mkdir(parents=True)
    with pytest.raises(UserError) as caught, told_as("dicom_1", place) as path:
        raise UserError(f"The image {path} is a blank, {path}/b too: take another.", ["1", "2"])
    assert str(caught.value) == "The image dicom_1 is a blank, dicom_1/b too: take another."
    assert caught.value.table == ["1", "2"]
    with pytest.raises(UserError) as caught, told_as("dicom_1", place / "HOUDART.dcm") as path:
        raise UserError(f"The folder {path.parent} has no {path.name[-3:]}.")
    assert str(caught.value) == "The folder its folder has no dcm."


def test_an_unexpected_error_tells_its_kind_and_place_only() -> None:
    def fail() -> None:
        try:
            raise ValueError("HOUDART")
        except ValueError as error:
            raise KeyError("HOUDART ANNA") from error

    with pytest.raises(Exception) as caught, without_values():
        fail()
    told = "".join(traceback.format_exception(caught.value))
    assert "KeyError" in told and "in fail" in told
    assert told.replace('"HOUDART', "").replace("'HOUDART", "").count("HOUDART") == 0


@pytest.mark.parametrize("error", [UserError("The scan is blue."), MemoryError()])
def test_what_a_sentence_explains_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, without_values():
        raise error
    assert caught.value is error
