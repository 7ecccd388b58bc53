"""The demo's scan as the DICOM series of a scanner, and its segments on their way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from gsema_core.files import read_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationResult
from gsema_core.labels import ANEURYSM, VESSEL
from gsema_core.measurements import Aneurysm

PATIENT = "Phantom^Simulated"


def write_series(volume: Volume, folder: Path) -> None:
    """Write a volume of whole numbers as CT images, a file a slice, in place of earlier ones."""
    grid = volume.geometry
    axes = grid.direction_matrix
    study, series, frame_of_reference = (generate_uid() for _ in range(3))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("slice_*.dcm"):
        old.unlink()
    for k, plane in enumerate(volume.array.astype(np.int16)):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = frame_of_reference, ""
        image.PatientName, image.PatientID = PATIENT, "PHANTOM"
        image.PatientBirthDate, image.PatientSex = "", ""
        image.StudyDate, image.StudyTime, image.StudyID = "", "", "1"
        image.AccessionNumber, image.ReferringPhysicianName = "", ""
        image.Modality, image.Manufacturer = "CT", "AneurysmSegmentation"
        image.PatientPosition, image.BodyPartExamined = "HFS", "HEAD"
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 1, k + 1, 1
        image.SeriesDescription = "3DRA simulated"
        image.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
        image.ImagePositionPatient = _decimals(grid.index_to_world((0, 0, k)))
        image.ImageOrientationPatient = _decimals(axes[:, :2].T.reshape(-1))
        image.PixelSpacing = _decimals(grid.spacing[1::-1])
        image.SliceThickness, image.KVP = _decimals(grid.spacing[2:])[0], ""
        image.RescaleSlope, image.RescaleIntercept = 1, 0
        image.Rows, image.Columns = plane.shape
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
        image.PixelRepresentation = 1
        image.PixelData = plane.astype("<i2").tobytes()
        image["PixelData"].VR = "OW"
        image.save_as(folder / f"slice_{k:03d}.dcm", enforce_file_format=True)


def write_segmentation(
    folder: Path, masks: dict[str, Any], report: dict[str, Any], aneurysms: list[Aneurysm]
) -> list[Path]:
    """Write the segments of a scene as DICOM SEG and SR of the series they were drawn on.

    Args:
        folder: of the demo; the series is in its folder ``dicom``.
        masks: (k, j, i) of each segment, by its identifier.
        report: of the run.
        aneurysms: as measured.
    """
    scan = read_volume(folder / "dicom")
    labels = Volume(np.zeros(scan.array.shape, np.uint8), scan.geometry)
    for name, mask in masks.items():
        labels.array[mask > 0] = VESSEL if "Vessel" in name else ANEURYSM
    source = getattr(scan, "source", None)
    told = {**report, "series": getattr(scan, "series", {}), "seconds": {}}
    paths = [folder / "case.seg.dcm", folder / "case.sr.dcm"]
    SegmentationResult(labels, None, aneurysms, told, source).save(paths[0], dicom_sr=paths[1])
    return paths


def _decimals(values: Any) -> list[str]:
    return [f"{value:.10g}"[:16] for value in values]
