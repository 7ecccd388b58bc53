"""The measurements as a DICOM structured report (PS3.16, TID 1500) that points at the segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from highdicom import UID
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceSeriesForSegmentation,
    TextContentItem,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset

from gsema_core.inference.dicom_results.equipment import (
    MANUFACTURER,
    METHOD,
    RESEARCH,
    algorithm,
    equipment,
    statement,
)
from gsema_core.inference.dicom_results.measured_segments import MeasuredSegment
from gsema_core.inference.dicom_results.segmentation_object import coded, dated, series_number
from gsema_core.inference.dicom_results.source_study import SourceStudy
from gsema_core.terminology import TERMS, Code

SERIES_NUMBERS = 8000
"""Reports on series N are series 8000 + N. Our choice."""
DIGITS = 6
"""Of a measurement; a decimal string has room for 16 characters. Our choice."""
OWN_SCHEME, OWN_SCHEME_NAME = "99GSEMA", "Measurements of cerebral aneurysms"
"""Of what no public list of codes has; the standard wants such names to begin with 99, and values
of at most 16 characters."""

ANGIOGRAPHY = Code("77343006", "Angiography")
DEVICE = Code("121007", "Device", "DCM")
EVALUATIONS = Code("C0034375", "Qualitative Evaluations", "UMLS")
COMMENT = Code("121106", "Comment", "DCM")
MAXIMUM = Code("56851009", "Maximum")
CUT_OFF = Code("cut-off", "Reaches the border of the scan", OWN_SCHEME)
YES, NO = Code("373066001", "Yes"), Code("373067005", "No")

MM = Code("mm", "millimeter", "UCUM")
MM2 = Code("mm2", "square millimeter", "UCUM")
MM3 = Code("mm3", "cubic millimeter", "UCUM")
DEGREE = Code("deg", "degree", "UCUM")
RATIO = Code("{ratio}", "ratio", "UCUM")
PERCENT = Code("%", "Percent", "UCUM")
NO_UNITS = Code("1", "no units", "UCUM")


@dataclass(frozen=True)
class Measure:
    """What a measurement is called, in which unit, and how it was chosen from several values.

    Attributes:
        factor: what turns our value into that unit.
    """

    name: Code
    unit: Code
    derivation: Code | None = None
    factor: float = 1.0


def own(value: str, meaning: str, unit: Code) -> Measure:
    """A measurement that is in no public list of codes."""
    return Measure(Code(value, meaning, OWN_SCHEME), unit)


VOLUME = Measure(Code("118565006", "Volume"), MM3, factor=1000)
MEASURES = {
    "largest_diameter_mm": Measure(Code("81827009", "Diameter"), MM, MAXIMUM),
    "height_mm": Measure(Code("121207", "Height", "DCM"), MM),
    "sac_centerline_length_mm": own("centerline", "Length of the sac's centerline", MM),
    "maximum_height_mm": own("maximum-height", "Maximum height from the neck's center", MM),
    "width_mm": own("sac-width", "Largest width parallel to the neck", MM),
    "neck_width_mm": own("neck-width", "Aneurysm neck width", MM),
    "neck_breadth_mm": own("neck-breadth", "Aneurysm neck breadth across its width", MM),
    "neck_area_mm2": own("neck-area", "Aneurysm neck area", MM2),
    "neck_perimeter_mm": own("neck-perimeter", "Aneurysm neck perimeter", MM),
    "aspect_ratio": own("aspect-ratio", "Aspect ratio (height / neck width)", RATIO),
    "size_ratio": own("size-ratio", "Size ratio (maximum height / parent vessel)", RATIO),
    "bottleneck_factor": own("bottleneck", "Bottleneck factor (width / neck width)", RATIO),
    "height_width_ratio": own("height-width", "Height / width ratio", RATIO),
    "surface_area_mm2": own("surface-area", "Surface area", MM2),
    "dome_area_mm2": own("dome-area", "Area of the wall without the neck", MM2),
    "sphericity": Measure(Code("QCFX", "Sphericity", "IBSI"), NO_UNITS),
    "undulation_index": own("undulation", "Undulation index", NO_UNITS),
    "ellipticity_index": own("ellipticity", "Ellipticity index", NO_UNITS),
    "non_sphericity_index": own("non-sphericity", "Non-sphericity index", NO_UNITS),
    "parent_vessel_diameter_mm": own("parent-diameter", "Parent vessel diameter", MM),
    "aneurysm_angle_deg": own("aneurysm-angle", "Angle of long axis and neck plane", DEGREE),
    "inflow_angle_deg": own("inflow-angle", "Angle of long axis and inflow vessel", DEGREE),
    "vessel_angle_deg": own("vessel-angle", "Angle of inflow vessel and neck plane", DEGREE),
    "certainty": Measure(Code("111012", "Certainty of Finding", "DCM"), PERCENT, factor=100),
}
"""Of an aneurysm, by the names of ``Aneurysm``. Codes are those of PS3.16, CID 7469 and 7477, where
these mean just this: the surface there is a mesh's."""


def measurement_report(
    segmentation: Dataset,
    segments: list[MeasuredSegment],
    study: SourceStudy,
    report: dict[str, Any],
) -> Dataset:
    """Make the object.

    Args:
        segmentation: the object that has the segments.
        segments: vessels and aneurysms.
        study: of the scan.
        report: where the result comes from.
    """
    content = MeasurementReport(
        observation_context=_observer(report),
        procedure_reported=coded(ANGIOGRAPHY),
        imaging_measurements=[_group(segment, segmentation, study, report) for segment in segments],
    )
    content[0].ContentSequence.append(_comments(segments, report))
    own = CodingSchemeIdentificationItem(
        OWN_SCHEME, OWN_SCHEME_NAME, responsible_organization=MANUFACTURER
    )
    made = EnhancedSR(
        evidence=[segmentation, *_evidence(study)],
        content=content,
        series_instance_uid=UID(),
        series_number=series_number(SERIES_NUMBERS, study),
        sop_instance_uid=UID(),
        instance_number=1,
        is_complete=True,
        series_description=f"{METHOD} measurements. {RESEARCH}",
        specific_character_set="ISO_IR 192",
        coding_schemes=[own],
        **equipment(report),
    )
    # highdicom takes the maker of the first evidence, which is this program, for the scanner's.
    made.ContributingEquipmentSequence = made.ContributingEquipmentSequence[-1:]
    return dated(made)


def _observer(report: dict[str, Any]) -> ObservationContext:
    """This program, as the device that looked at the scan."""
    made_by = equipment(report)
    return ObservationContext(
        ObserverContext(
            coded(DEVICE),
            DeviceObserverIdentifyingAttributes(
                uid=UID(f"2.25.{int(report['teacher']['sha256'][:32], 16)}"),
                name=made_by["software_versions"][0],
                manufacturer_name=MANUFACTURER,
                model_name=made_by["manufacturer_model_name"],
                serial_number=made_by["device_serial_number"],
            ),
        )
    )


def _group(
    segment: MeasuredSegment, segmentation: Dataset, study: SourceStudy, report: dict[str, Any]
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    """A segment's measurements; what has no meaning for it is left out."""
    term, made_by = TERMS[segment.label], algorithm(report)
    evaluations = None
    if segment.aneurysm is not None:
        answer = YES if segment.aneurysm.cut_off else NO
        evaluations = [QualitativeEvaluation(coded(CUT_OFF), coded(answer))]
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(segment.uid, segment.name),
        referenced_segment=ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            segment.number,
            source_series=SourceSeriesForSegmentation(study.series.uid),
        ),
        finding_type=coded(term.type),
        finding_sites=[FindingSite(coded(term.region))] if term.region else None,
        algorithm_id=AlgorithmIdentification(
            made_by["name"],
            made_by["version"],
            [f"{name}={value}" for name, value in made_by["parameters"].items()],
        ),
        measurements=_measurements(segment),
        qualitative_evaluations=evaluations,
    )


def _measurements(segment: MeasuredSegment) -> list[Measurement]:
    found: list[tuple[Measure, float | None]] = [(VOLUME, segment.volume_ml)]
    found += [(one, getattr(segment.aneurysm, name, None)) for name, one in MEASURES.items()]
    return [
        Measurement(
            coded(one.name),
            float(f"{value * one.factor:.{DIGITS}g}"),
            coded(one.unit),
            derivation=coded(one.derivation) if one.derivation else None,
        )
        for one, value in found
        if value is not None
    ]


def _comments(segments: list[MeasuredSegment], report: dict[str, Any]) -> ContainerContentItem:
    """How many aneurysms there are, as no number in the report says none, and who says so."""
    count = sum(segment.aneurysm is not None for segment in segments)
    what = {0: "No aneurysm was", 1: "1 aneurysm was"}.get(count, f"{count} aneurysms were")
    container = ContainerContentItem(
        coded(EVALUATIONS), relationship_type=RelationshipTypeValues.CONTAINS
    )
    texts = (f"{what} found.", statement(report), *report.get("notes", ()))
    container.ContentSequence = ContentSequence(
        [TextContentItem(coded(COMMENT), text, RelationshipTypeValues.CONTAINS) for text in texts]
    )
    return container


def _evidence(study: SourceStudy) -> list[Dataset]:
    """The scan's own files."""
    evidence = []
    for one in study.instances:
        file = Dataset()
        file.StudyInstanceUID = study.header.StudyInstanceUID
        file.SeriesInstanceUID = study.series.uid
        file.SOPClassUID, file.SOPInstanceUID = one.kind, one.instance
        evidence.append(file)
    return evidence
