"""The labels as a DICOM Segmentation (PS3.3, A.51): a segment for the vessels, and each aneurysm.

Its frames lie exactly where the scan's slices do, and each refers to the slice that it was drawn
on. Planes without a voxel of a segment have no frame for it.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from highdicom import UID, AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.seg.sop import Segmentation
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset

from gsema_core.grids import Geometry
from gsema_core.inference.dicom_results.equipment import (
    METHOD,
    RESEARCH,
    algorithm,
    equipment,
    statement,
)
from gsema_core.inference.dicom_results.measured_segments import MeasuredSegment
from gsema_core.inference.dicom_results.source_study import SourceStudy, plane_uid
from gsema_core.labels import COLORS
from gsema_core.terminology import TERMS, Code

SERIES_NUMBERS = 7000
"""Segmentations of series N are series 7000 + N, beyond what scanners count to. Our choice."""
ARTIFICIAL_INTELLIGENCE = Code("123110", "Artificial Intelligence", "DCM")


def segmentation_object(
    array: npt.NDArray[Any],
    geometry: Geometry,
    segments: list[MeasuredSegment],
    study: SourceStudy,
    report: dict[str, Any],
) -> Dataset:
    """Make the object.

    Args:
        array: (k, j, i) the segment's number of each voxel; 0 is none.
        geometry: of the array.
        segments: by their numbers.
        study: of the scan.
        report: where the result comes from.
    """
    made = Segmentation(
        source_images=study.planes(geometry),
        pixel_array=array,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(segment, report) for segment in segments],
        series_instance_uid=UID(),
        series_number=series_number(SERIES_NUMBERS, study),
        sop_instance_uid=UID(),
        instance_number=1,
        content_label="ANEURYSMS",
        content_description=f"Vessels and aneurysms. {RESEARCH}",
        series_description=f"{METHOD} segmentation. {RESEARCH}",
        specific_character_set="ISO_IR 192",
        **equipment(report),
    )
    _refer(made, study)
    return dated(made)


def dated(made: Dataset) -> Dataset:
    """The object, as a series of its own: archives list series by their dates."""
    made.SeriesDate, made.SeriesTime = made.ContentDate, made.ContentTime
    return made


def series_number(first: int, study: SourceStudy) -> int:
    """The number of a new series, told from those of a study's other scans."""
    return first + study.number % 1000


def coded(code: Code) -> CodedConcept:
    """A code as highdicom has it."""
    return CodedConcept(code.value, code.scheme, code.meaning)


def _description(segment: MeasuredSegment, report: dict[str, Any]) -> SegmentDescription:
    term = TERMS[segment.label]
    description = SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=coded(term.category),
        segmented_property_type=coded(term.type),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            family=coded(ARTIFICIAL_INTELLIGENCE), **algorithm(report)
        ),
        tracking_uid=segment.uid,
        tracking_id=segment.name,
        anatomic_regions=[coded(term.region)] if term.region else None,
        display_color=CIELabColor.from_rgb(*(round(255 * c) for c in COLORS[segment.label])),
    )
    description.SegmentDescription = statement(report)
    return description


def _refer(made: Segmentation, study: SourceStudy) -> None:
    """Put the scan's own files into the references, where the stand-ins are so far."""
    files = [_reference(one.kind, one.instance) for one in study.instances]
    made.SourceImageSequence = files
    made.ReferencedSeriesSequence = [Dataset()]
    made.ReferencedSeriesSequence[0].SeriesInstanceUID = study.series.uid
    made.ReferencedSeriesSequence[0].ReferencedInstanceSequence = files
    slices = {plane_uid(k): one for k, one in enumerate(study.series.slices)}
    for frame in made.PerFrameFunctionalGroupsSequence:
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        one = slices.get(image.ReferencedSOPInstanceUID)
        if one is None:  # an item that the segments of a plane share, put right before
            continue
        image.update(_reference(one.kind, one.instance))
        if one.frame:
            image.ReferencedFrameNumber = one.frame


def _reference(kind: str, instance: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = kind, instance
    return reference
