"""The DICOM SR: each measurement by its code, at the segment it was taken on."""

from __future__ import annotations

from typing import Any

import highdicom
import pytest
from pydicom import dcmread
from studies import STUDY, forms, standard_errors

from gsema_core.inference.dicom_results.measurement_report import MEASURES

KNOWN = forms.Known().changed(**STUDY)


def groups_of(path: Any) -> Any:
    return highdicom.sr.srread(path).content.get_volumetric_roi_measurement_groups()


def test_every_measurement_is_there_with_its_unit(made: Any) -> None:
    result, _, path = made(forms.slices(KNOWN))
    vessel, *groups = groups_of(path)
    (volume,) = vessel.get_measurements()
    assert (volume.name.meaning, volume.unit.value) == ("Volume", "mm3")
    voxels = (result.labels.array == 1).sum()
    assert volume.value == pytest.approx(voxels * 0.4 * 0.5 * 0.6, rel=1e-5)
    assert len(groups) == len(result.aneurysms) == 2
    for group, aneurysm in zip(groups, result.aneurysms, strict=True):
        told = {one.name.value: one for one in group.get_measurements()}
        assert told.pop("118565006").value == pytest.approx(aneurysm.volume_mm3, rel=1e-5)
        for name, measure in MEASURES.items():
            value = getattr(aneurysm, name)
            if value is None:
                assert measure.name.value not in told
                continue
            one = told.pop(measure.name.value)
            assert one.value == pytest.approx(value * measure.factor, rel=1e-5)
            assert (one.unit.value, one.unit.scheme_designator) == (measure.unit.value, "UCUM")
            assert one.name.scheme_designator == measure.name.scheme
        assert not told
        assert group.finding_type.meaning == "Cerebral aneurysm"
        assert group.finding_sites[0].value.meaning == "Brain"
        (cut_off,) = group.get_qualitative_evaluations()
        assert cut_off.value.meaning == ("Yes" if aneurysm.cut_off else "No")
    assert [one.cut_off for one in result.aneurysms] == [False, True]
    assert result.aneurysms[0].aspect_ratio is not None


def test_every_size_of_an_aneurysm_has_a_code() -> None:
    """A new measurement gets one, or stands here."""
    from dataclasses import fields

    from gsema_core.measurements import Aneurysm

    elsewhere = {"index", "volume_ml", "voxels", "centroid_lps", "centroid_ijk", "cut_off"}
    places = {"neck_center_lps", "neck_normal_lps"}
    lines = {"diameter_line_lps", "height_line_lps", "neck_line_lps"}
    told = {*MEASURES, *elsewhere, *places, *lines, "missing"}
    assert {one.name for one in fields(Aneurysm)} == told
    codes = [one.name for one in MEASURES.values()]
    assert len({(one.scheme, one.value) for one in codes}) == len(codes)
    assert all(len(one.value) <= 16 and len(one.meaning) <= 64 for one in codes)


def test_it_points_at_the_segments(made: Any) -> None:
    result, seg_path, path = made(forms.slices(KNOWN))
    seg = dcmread(seg_path)
    groups = groups_of(path)
    for group, segment in zip(groups, seg.SegmentSequence, strict=True):
        assert group.tracking_identifier == segment.TrackingID == segment.SegmentLabel
        assert group.tracking_uid == segment.TrackingUID
        reference = group.reference_type
        assert reference.meaning == "Referenced Segment"
        where = group.referenced_segment
        assert where.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert where.referenced_segment_numbers == [segment.SegmentNumber]
        source = where.source_series_for_segmentation
        assert source.value == result.source.uid
    assert len({group.tracking_uid for group in groups}) == 3
    (evidence,) = dcmread(path).CurrentRequestedProcedureEvidenceSequence
    assert evidence.StudyInstanceUID == "1.2.3"
    listed = {
        one.ReferencedSOPInstanceUID
        for series in evidence.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert listed == {seg.SOPInstanceUID, *(one.instance for one in result.source.slices)}


def test_what_an_archive_shows(made: Any) -> None:
    _, _, path = made(forms.slices(KNOWN), notes=["The scan looks unlike those trained on."])
    sr = dcmread(path)
    shown = {
        "Modality": "SR",
        "SeriesDescription": "GS-EMA measurements. For research use; not a medical device",
        "SeriesNumber": 8005,
        "Manufacturer": "AneurysmSegmentation",
        "SoftwareVersions": ["gsema_core 0.1.0", "teacher default"],
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "PreliminaryFlag": "PRELIMINARY",
        "PatientName": "Houdart^Anna",
        "StudyInstanceUID": "1.2.3",
        "AccessionNumber": "A1",
    }
    assert {name: sr[name].value for name in shown} == shown
    (equipment,) = sr.ContributingEquipmentSequence  # the library, and no scanner of this name
    assert equipment.ManufacturerModelName == "highdicom"
    group = sr.ContentSequence[-2].ContentSequence[0]
    texts = [one.TextValue for one in group.ContentSequence if one.ValueType == "TEXT"]
    assert texts[:3] == ["Vessel", "GS-EMA, teacher default", "gsema_core 0.1.0"]
    comments = [one.TextValue for one in sr.ContentSequence[-1].ContentSequence]
    assert comments == [
        "2 aneurysms were found.",
        "Made automatically by gsema_core 0.1.0 with the teacher default (GS-EMA). "
        "For research use; not a medical device.",
        "The scan looks unlike those trained on.",
    ]


@pytest.mark.parametrize("teacher", ["Ünïted 脳\\teacher\n" + "x" * 90, "default"])
def test_a_teacher_of_any_name(made: Any, teacher: str) -> None:
    named = {"name": teacher, "sha256": "0" * 64}
    _, seg, sr = made(forms.slices(KNOWN), teacher=named)
    assert not standard_errors(seg)
    assert not standard_errors(sr)
    assert len(dcmread(seg).SoftwareVersions) == 2
