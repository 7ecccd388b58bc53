"""The DICOM SEG: each voxel where it was, each frame on its slice, and what an archive shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from highdicom.color import CIELabColor
from pydicom import dcmread
from studies import FORMS, STUDY, forms, report, result_of, standard_errors

from gsema_core.errors import UserError
from gsema_core.files import read_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationResult
from gsema_core.labels import ANEURYSM, COLORS, VESSEL
from gsema_core.measurements import aneurysm_numbers
from gsema_core.terminology import TERMS

KNOWN = forms.Known().changed(**STUDY)


def check_same_place(result: SegmentationResult, path: Path) -> None:
    """Whether each segment has the voxels of its label at their places, and no other."""
    seg = highdicom.seg.segread(path)
    numbers = aneurysm_numbers(result.labels)
    masks = [result.labels.array == VESSEL, *(numbers == n for n in range(1, numbers.max() + 1))]
    assert seg.number_of_segments == len(masks)
    # The reader fills the planes between frames only where all are at even distances from these.
    volume = seg.get_volume(combine_segments=False, allow_missing_positions=True)
    back = np.linalg.inv(volume.affine)
    for index, mask in enumerate(masks):
        places = result.labels.geometry.index_to_world(np.argwhere(mask)[:, ::-1])
        found = places @ back[:3, :3].T + back[:3, 3]
        off = np.abs(found - np.round(found)) * volume.spacing
        assert off.max() <= 0.02, f"{off.max()} mm off"
        k, i, j = np.round(found).astype(int).T
        assert volume.array[k, i, j, index].all()
        assert volume.array[..., index].sum() == mask.sum()


def check_references(result: SegmentationResult, path: Path, axes_off: float = 1e-9) -> None:
    """Whether each frame has the place and the name of a slice of the scan."""
    assert result.source is not None
    seg = dcmread(path)
    places = {
        (one.kind, one.instance, one.frame): one.position for one in result.source.slices
    }  # fmt: skip
    for frame in seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        key = (
            source.ReferencedSOPClassUID,
            source.ReferencedSOPInstanceUID,
            int(source.get("ReferencedFrameNumber", 0)),
        )
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, places[key], rtol=0, atol=1e-9)
    orientation = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    np.testing.assert_allclose(
        orientation.ImageOrientationPatient, result.source.orientation, rtol=0, atol=axes_off
    )
    files = {(one.kind, one.instance) for one in result.source.slices}
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == result.source.uid
    for listed in (series.ReferencedInstanceSequence, seg.SourceImageSequence):
        assert len(listed) == len(files)
        listed_files = {
            (one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in listed
        }  # fmt: skip
        assert listed_files == files


@pytest.mark.parametrize("name", FORMS)
def test_every_form(tmp_path: Path, name: str) -> None:
    (tmp_path / "study").mkdir()
    expected = FORMS[name](tmp_path / "study")
    if expected.volume is None or min(expected.volume.array.shape) < 3:
        pytest.skip("a form that is no volume")
    chosen = {} if expected.series is None else {"series": expected.series}
    result = result_of(read_volume(tmp_path / "study" / expected.give, **chosen))
    path = tmp_path / "out.dcm"
    if "instance identifier" in name:
        with pytest.raises(UserError, match="SOPInstanceUID"):
            result.save(path)
        return
    result.save(path)
    check_same_place(result, path)
    check_references(result, path, 1e-3 if "axes of" in name else 1e-9)


@pytest.mark.parametrize("kind", [forms.CT, forms.XA, forms.SECONDARY, forms.MR, "1.3.46.670589.2"])
@pytest.mark.parametrize("orientation", [forms.AXIAL, forms.OBLIQUE], ids=["axial", "oblique"])
def test_the_standard_has_nothing_against_single_frames(
    made: Any, kind: str, orientation: Any
) -> None:
    """Classes of images that may have many frames, and a private one."""
    known = replace(KNOWN, kind=kind, orientation=orientation)
    result, seg, sr = made(forms.slices(known)[::-1])
    check_same_place(result, seg)
    assert not standard_errors(seg)
    assert not standard_errors(sr)


@pytest.mark.parametrize("kind", [forms.XRAY_3D, forms.ENHANCED_CT, forms.ENHANCED_MR])
def test_the_standard_has_nothing_against_many_frames(made: Any, kind: str) -> None:
    known = replace(KNOWN, kind=kind, orientation=forms.OBLIQUE)
    result, seg, sr = made([forms.many_frames(known, order=(3, 1, 7, 0, 5, 2, 6, 4))])
    check_same_place(result, seg)
    check_references(result, seg)
    assert not standard_errors(seg)
    assert not standard_errors(sr)


def test_what_an_archive_shows(made: Any) -> None:
    _, path, _ = made(forms.slices(KNOWN))
    seg = dcmread(path)
    shown = {
        "Modality": "SEG",
        "SeriesDescription": "GS-EMA segmentation. For research use; not a medical device",
        "SeriesNumber": 7005,
        "Manufacturer": "AneurysmSegmentation",
        "ManufacturerModelName": "gsema_core",
        "SoftwareVersions": ["gsema_core 0.1.0", "teacher default"],
        "DeviceSerialNumber": "0123456789abcdef",
        "ContentLabel": "ANEURYSMS",
        "ContentDescription": "Vessels and aneurysms. For research use; not a medical device",
        "SegmentationType": "BINARY",
        "SegmentsOverlap": "NO",
        "LossyImageCompression": "00",
        "PatientName": "Houdart^Anna",
        "PatientID": "4711-0815",
        "PatientBirthDate": "19650312",
        "StudyInstanceUID": "1.2.3",
        **STUDY,
    }
    assert {name: seg[name].value for name in shown} == shown
    assert seg.SeriesDate == seg.ContentDate
    assert seg.SeriesInstanceUID != "1.2.3.4"


def test_segments_are_named_as_in_slicer(made: Any) -> None:
    _, path, _ = made(forms.slices(KNOWN))
    segments = dcmread(path).SegmentSequence
    assert [one.SegmentLabel for one in segments] == ["Vessel", "Aneurysm 1", "Aneurysm 2"]
    for one, label in zip(segments, (VESSEL, ANEURYSM, ANEURYSM), strict=True):
        term = TERMS[label]
        for code, wanted in (
            (one.SegmentedPropertyCategoryCodeSequence[0], term.category),
            (one.SegmentedPropertyTypeCodeSequence[0], term.type),
            (one.get("AnatomicRegionSequence", [None])[0], term.region),
        ):
            if wanted is not None:
                told = (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning)
                assert told == (wanted.value, wanted.scheme, wanted.meaning)
        color = CIELabColor.from_dicom_value(one.RecommendedDisplayCIELabValue).to_rgb()
        assert np.abs(np.array(color) - 255 * np.array(COLORS[label])).max() <= 1
        assert one.SegmentAlgorithmType == "AUTOMATIC"
        assert one.SegmentAlgorithmName == "GS-EMA, teacher default"
        assert "For research use; not a medical device." in one.SegmentDescription
        (algorithm,) = one.SegmentationAlgorithmIdentificationSequence
        assert algorithm.AlgorithmVersion == "gsema_core 0.1.0"
        assert "teacher=default,teacher_sha256=0123456789abcdef" in algorithm.AlgorithmParameters


def test_no_vessel_no_segment_for_it(tmp_path: Path) -> None:
    forms.save(tmp_path / "study", forms.slices(KNOWN))
    result = result_of(read_volume(tmp_path / "study"))
    result.labels.array[result.labels.array == VESSEL] = 0
    result.save(tmp_path / "out.dcm")
    seg = dcmread(tmp_path / "out.dcm")
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Aneurysm 1", "Aneurysm 2"]


def test_nothing_found_is_an_empty_segment(tmp_path: Path) -> None:
    forms.save(tmp_path / "study", forms.slices(KNOWN))
    scan = read_volume(tmp_path / "study")
    labels = Volume(np.zeros(scan.array.shape, np.uint8), scan.geometry)
    result = SegmentationResult(labels, None, [], report(), scan.source)  # type: ignore[attr-defined]
    result.save(tmp_path / "out.dcm", dicom_sr=tmp_path / "sr.dcm")
    seg = dcmread(tmp_path / "out.dcm")
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Vessel"]
    assert not seg.pixel_array.any()
    assert not standard_errors(tmp_path / "out.dcm")
    assert not standard_errors(tmp_path / "sr.dcm")


def test_aneurysms_that_touch_stay_two_where_clicks_told_them_apart(tmp_path: Path) -> None:
    forms.save(tmp_path / "study", forms.slices(KNOWN))
    result = result_of(read_volume(tmp_path / "study"))
    numbers = aneurysm_numbers(result.labels)
    inside = np.argwhere(numbers == 1)
    numbers[tuple(inside[: len(inside) // 3].T)] = 2
    replace(result, numbers=numbers).save(tmp_path / "out.dcm")
    seg = highdicom.seg.segread(tmp_path / "out.dcm")
    volume = seg.get_volume(segment_numbers=[3], allow_missing_positions=True)
    assert volume.array.sum() == (numbers == 2).sum()


def test_a_scan_in_no_frame_of_reference_gets_one(made: Any) -> None:
    known = KNOWN.changed(FrameOfReferenceUID=None)
    result, path, _ = made(forms.slices(replace(known, changes={"PatientSex": "F"})))
    assert dcmread(path).FrameOfReferenceUID.is_valid
    check_same_place(result, path)


def test_only_a_dicom_series_can_be_referred_to(tmp_path: Path) -> None:
    scan = KNOWN.volume()
    with pytest.raises(UserError, match="no DICOM series"):
        result_of(scan).save(tmp_path / "out.dcm")
    assert not list(tmp_path.iterdir())
