"""Whose scan it was and where its slices lie, as objects made from it have to repeat it.

Patient and study go from the scan's header into these objects, which is how an archive files them,
and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from highdicom import UID
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pydicom.valuerep import DS

from gsema_core.files.dicom.elements import text_of, values_of, vector_of
from gsema_core.files.dicom.guard import guarded, read_header
from gsema_core.files.dicom.series_volume import SeriesSource, SourceSlice
from gsema_core.files.voxel_data import DamagedFile
from gsema_core.grids import Geometry

ORTHONORMAL = 5e-5
"""How far axes may be from unit vectors at right angles: highdicom allows 1e-4. Five decimals are
well below. Our choice."""

_PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
    "StudyDescription", "ReferringPhysicianName",
)  # fmt: skip
"""What an archive needs to file an object with its study; age, weight, history stay behind."""
_OF_THE_IMAGES = (
    "FrameOfReferenceUID", "PositionReferenceIndicator", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
_MAY_BE_MISSING = ("IssuerOfPatientID", "StudyDescription")


@dataclass(frozen=True, eq=False)
class SourceStudy:
    """The scan of which a result was made.

    Attributes:
        number: of the series.
        header: patient, study and frame of reference.
    """

    series: SeriesSource
    number: int
    header: Dataset = field(repr=False)

    @property
    def instances(self) -> list[SourceSlice]:
        """One slice of each file, in their order."""
        return list({one.instance: one for one in self.series.slices}.values())

    def planes(self, geometry: Geometry) -> list[Dataset]:
        """A stand-in for each plane of the volume, as an image of one frame.

        highdicom takes images of one frame or one image of many; scans come in more kinds, some
        of which have no geometry where it looks for it. ``SOPInstanceUID`` is ``plane_uid``.
        """
        shared = Dataset()
        shared.update(self.header)
        shared.SOPClassUID, shared.SeriesInstanceUID = CTImageStorage, self.series.uid
        shared.Modality = "CT"
        shared.Columns, shared.Rows, _ = geometry.size
        i_mm, j_mm, k_mm = (round(mm, 9) for mm in geometry.spacing)  # 0.6, not 0.60000000000003
        shared.PixelSpacing = _decimals((j_mm, i_mm))
        shared.SliceThickness, shared.SpacingBetweenSlices = _decimals((k_mm, k_mm))
        shared.ImageOrientationPatient = _decimals(self._orientation(geometry))
        planes = []
        for k, one in enumerate(self.series.slices):
            plane = Dataset()
            plane.update(shared)
            plane.SOPInstanceUID = plane_uid(k)
            plane.ImagePositionPatient = _decimals(one.position)
            planes.append(plane)
        return planes

    def _orientation(self, geometry: Geometry) -> tuple[float, ...]:
        """As the files say it, or where they round so much that readers refuse it, as read."""
        axes = np.reshape(self.series.orientation, (2, 3))
        if np.abs(axes @ axes.T - np.eye(2)).max() <= ORTHONORMAL:
            return self.series.orientation
        return tuple(geometry.direction_matrix[:, :2].T.reshape(-1))


def plane_uid(k: int) -> str:
    """What a plane's stand-in is called until the references are put right."""
    return f"2.25.{k + 1}"


def read_study(series: SeriesSource, number: int) -> SourceStudy:
    """Read whose the series is.

    Raises:
        DamagedFile: the files lack an identifier without which nothing can refer to them.
        OSError: the first file cannot be read any more.
    """
    with guarded(series.slices[0].path) as file:
        header = read_header(file, [*_PATIENT_AND_STUDY, *_OF_THE_IMAGES])
        known = _known(header)
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not (series.uid if name.startswith("Series") else known.StudyInstanceUID):
            raise DamagedFile(f"they have no {name}")
    if not all(one.instance and one.kind for one in series.slices):
        raise DamagedFile("some have no SOPInstanceUID or SOPClassUID")
    if len({one.instance for one in series.slices}) < len({one.path for one in series.slices}):
        raise DamagedFile("several have the same SOPInstanceUID")
    return SourceStudy(series, number, known)


def _known(header: Dataset) -> Dataset:
    """The elements that are wanted, each with a value that the standard allows, or empty."""
    known = Dataset()
    for name in _PATIENT_AND_STUDY:
        text = _checked(name, text_of(header, name))
        if text or name not in _MAY_BE_MISSING:
            setattr(known, name, text)
    # Objects in no frame of reference are in their own: only their images tell where they lie.
    known.FrameOfReferenceUID = text_of(header, "FrameOfReferenceUID") or UID()
    known.PositionReferenceIndicator = text_of(header, "PositionReferenceIndicator")
    if text_of(header, "LossyImageCompression") == "01":
        known.LossyImageCompression = "01"
        ratios, methods = (values_of(header, name) for name in _OF_THE_IMAGES[3:])
        if methods and len(ratios) == len(methods):
            known.LossyImageCompressionRatio = _decimals(
                vector_of(header, "LossyImageCompressionRatio", len(ratios))
            )
            known.LossyImageCompressionMethod = [str(one) for one in methods]
    return known


def _checked(name: str, text: str) -> str:
    if name.endswith("Date"):
        return text if _is_date(text) else ""
    if name.endswith("Time"):
        return text if _TIME.fullmatch(text) else ""
    if name == "PatientSex":
        return text if text in ("M", "F", "O") else ""
    return text


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{8}", text) and datetime.strptime(text, "%Y%m%d"))
    except ValueError:
        return False


def _decimals(values: tuple[float, ...]) -> list[Any]:
    return [DS(float(value), auto_format=True) for value in values]
