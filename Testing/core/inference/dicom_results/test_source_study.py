"""Whose the scan is: repeated in DICOM objects, whatever a scanner wrote, and told nowhere else."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from studies import STUDY, forms, result_of, standard_errors

from gsema_core.errors import UserError
from gsema_core.files import read_volume

KNOWN = forms.Known().changed(**STUDY)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "Люкceмбypг"),
        (None, "ONE WORD"),
        (None, ""),
    ],
)
def test_names_in_every_alphabet(made: Any, charset: Any, name: str) -> None:
    known = KNOWN.changed(SpecificCharacterSet=charset) if charset else KNOWN
    _, seg, sr = made(forms.slices(known.changed(PatientName=name)))
    for path in (seg, sr):
        assert str(dcmread(path).PatientName) == name
        assert dcmread(path).SpecificCharacterSet == "ISO_IR 192"
        assert not standard_errors(path)


@pytest.mark.parametrize(
    ("element", "value", "told"),
    [
        ("PatientBirthDate", "12.03.1965", ""),
        ("PatientBirthDate", "19651399", ""),
        ("StudyDate", "2024-02-29", ""),
        ("StudyTime", "25:61", ""),
        ("StudyTime", "1011", "1011"),
        ("PatientSex", "weiblich", ""),
        ("PatientSex", "O", "O"),
        ("AccessionNumber", "", ""),
        ("PatientID", None, ""),
        ("PatientName", None, ""),
        ("StudyDate", None, ""),
    ],
)
def test_a_value_that_the_standard_forbids_is_left_empty(
    made: Any, element: str, value: Any, told: str
) -> None:
    objects = forms.slices(KNOWN)
    for one in objects:
        if value is None:
            del one[element]
        else:
            one.add_new(element, one[element].VR, value)
    _, seg, sr = made(objects)
    for path in (seg, sr):
        assert str(dcmread(path)[element].value or "") == told
        assert not standard_errors(path)


def test_lossy_compression_is_told(made: Any) -> None:
    lossy = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": ["8.5"],
        "LossyImageCompressionMethod": ["ISO_10918_1"],
    }
    _, seg, _ = made(forms.slices(KNOWN.changed(**lossy)))
    read = dcmread(seg)
    assert (read.LossyImageCompression, read.LossyImageCompressionRatio) == ("01", 8.5)
    assert not standard_errors(seg)


def test_only_what_an_archive_needs_is_repeated(made: Any) -> None:
    known = KNOWN.changed(
        PatientAge="059Y", PatientWeight=71, PatientComments="Sister Houdart, 4711",
        PatientAddress="Houdart street 1", OtherPatientIDs="0815", InstitutionName="Houdart clinic",
        OperatorsName="Op^Erator", ImageComments="Houdart",
    )  # fmt: skip
    _, seg, sr = made(forms.slices(known))
    for path in (seg, sr):
        read = dcmread(path)
        assert not {"PatientAge", "PatientComments", "InstitutionName", "OperatorsName"} & set(
            read.dir()
        )
        content = path.read_bytes()
        assert content.count(b"Houdart") == 1, "in the patient's name alone"


@pytest.mark.parametrize(
    ("element", "words"),
    [("StudyInstanceUID", "no StudyInstanceUID"), ("SOPInstanceUID", "no SOPInstanceUID")],
)
def test_without_identifiers_nothing_refers_to_a_scan(
    tmp_path: Path, element: str, words: str
) -> None:
    forms.save(tmp_path / "study", forms.slices(KNOWN.changed(**{element: None})))
    with pytest.raises(UserError, match=words):
        result_of(read_volume(tmp_path / "study")).save(tmp_path / "out.dcm")
    assert [one.name for one in tmp_path.iterdir()] == ["study"]


def test_files_that_went_away(tmp_path: Path) -> None:
    forms.save(tmp_path / "study", forms.slices(KNOWN))
    result = result_of(read_volume(tmp_path / "study"))
    (tmp_path / "study").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"cannot be read any more \(No such file"):
        result.save(tmp_path / "out.dcm")


def test_no_name_gets_into_warnings_logs_or_errors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The libraries cite values that they find unusual; a name of one word is such a value."""
    caplog.set_level(logging.DEBUG)
    unusual = KNOWN.changed(
        PatientName="HOUDART" * 12,
        PatientID="HOUDART4711" * 8,
        StudyID="HOUDART4711 " * 3,
        StudyInstanceUID="1.2.3.HOUDART",
    )
    forms.save(tmp_path / "study", forms.slices(unusual))
    result = result_of(read_volume(tmp_path / "study"))
    caplog.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result.save(tmp_path / "out.dcm", dicom_sr=tmp_path / "sr.dcm")
    captured = capsys.readouterr()
    assert "HOUDART" not in caplog.text + captured.out + captured.err + repr(result)
    assert "1.2.3" not in repr(result)
    assert logging.getLogger("highdicom").level == logging.NOTSET


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, Exception])
def test_what_the_libraries_refuse_ends_in_a_sentence_without_the_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    from gsema_core.inference.dicom_results import segmentation_object

    def refuse(**values: Any) -> None:
        raise kind(f"{values['source_images'][0].PatientName} is no name")

    forms.save(tmp_path / "study", forms.slices(KNOWN))
    result = result_of(read_volume(tmp_path / "study"))
    monkeypatch.setattr(segmentation_object, "Segmentation", refuse)
    with pytest.raises(UserError, match=f"{kind.__name__} in refuse") as told:
        result.save(tmp_path / "out.dcm")
    assert "Houdart" not in str(told.value)
    assert told.value.__suppress_context__


def test_without_highdicom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    forms.save(tmp_path / "study", forms.slices(KNOWN))
    result = result_of(read_volume(tmp_path / "study"))
    monkeypatch.delitem(sys.modules, "gsema_core.inference.dicom_results.source_study", False)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(UserError, match="pip install highdicom"):
        result.save(tmp_path / "out.dcm")
    result.save(tmp_path / "out.nrrd")


def test_series_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    for number in (5, 7):
        known = replace(KNOWN, series=f"1.2.3.{number}").changed(SeriesNumber=number)
        forms.save(tmp_path / str(number), forms.slices(known))
        scan = read_volume(tmp_path / str(number))
        result_of(scan, series={"number": number}).save(tmp_path / f"{number}.dcm")
        assert dcmread(tmp_path / f"{number}.dcm").SeriesNumber == 7000 + number
