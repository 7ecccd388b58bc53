"""A DICOM SEG of ours in a scene: its segments lie where the scan's are.

Slicer loads DICOM SEG through dcmqi in its QuantitativeReporting extension, which the package
slicer-core has not. So the file is read by highdicom, frame by frame, and its voxels are put into a
segmentation node with the file's own geometry; Slicer's core resamples them to the volume.
"""

from __future__ import annotations

import highdicom
import numpy as np
import pytest
import slicer.util
import vtk
from pydicom.dataset import Dataset, FileMetaDataset
from vtk.util.numpy_support import vtk_to_numpy

from gsema_core.files import read_volume, write_volume
from gsema_core.grids import Volume
from gsema_core.inference import SegmentationResult
from gsema_core.measurements import measure_aneurysms

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
TURN = np.radians(25)
OBLIQUE = (np.cos(TURN), np.sin(TURN), 0.0, 0.0, 0.0, 1.0)


def series(folder, orientation, step):
    """A scan of 12 x 10 x 8 voxels, a file a slice."""
    normal = np.cross(orientation[:3], orientation[3:])
    values = np.random.default_rng(1).integers(0, 2000, (8, 10, 12), dtype=np.uint16)
    folder.mkdir()
    for k, plane in enumerate(values):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        one.SOPClassUID, one.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.3.4.{k + 1}"
        one.StudyInstanceUID, one.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        one.ImagePositionPatient = [f"{x:.8g}" for x in (10, -20, 30) + k * step * normal]
        one.ImageOrientationPatient = [f"{x:.10f}" for x in orientation]
        one.PixelSpacing, one.SliceThickness = [0.5, 0.4], 1.2
        one.Rows, one.Columns = plane.shape
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
        one.PixelRepresentation, one.PixelData = 0, plane.tobytes()
        one["PixelData"].VR = "OW"
        one.save_as(folder / f"{k}.dcm", enforce_file_format=True)
    return read_volume(folder)


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), OBLIQUE])
@pytest.mark.parametrize("step", [0.6, -0.6])
def test_segments_lie_where_the_scan_has_them(scene, tmp_path, orientation, step):
    scan = series(tmp_path / "study", orientation, step)
    labels = np.zeros(scan.array.shape, np.uint8)
    labels[1:6, 4:6, 2:4] = 1
    labels[2:5, 3:7, 4:8] = 2
    drawn = Volume(labels, scan.geometry)
    report = {
        "program": {"name": "gsema_core", "version": "0"},
        "teacher": {"name": "default", "sha256": "0" * 64}, "seconds": {}, "notes": [],
    }  # fmt: skip
    result = SegmentationResult(drawn, None, measure_aneurysms(drawn), report, scan.source)
    result.save(tmp_path / "case.dcm")
    write_volume(scan, tmp_path / "case.nrrd")
    volume = slicer.util.loadVolume(str(tmp_path / "case.nrrd"))
    node = segmentation_of(tmp_path / "case.dcm")
    for label, name in ((1, "Vessel"), (2, "Aneurysm 1")):
        segment = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
        np.testing.assert_array_equal(mask > 0, labels == label)


def segmentation_of(path):
    """A node with the segments of a DICOM SEG, in the geometry that the file has."""
    seg = highdicom.seg.segread(path)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "from DICOM")
    node.CreateDefaultDisplayNodes()
    for one in seg.SegmentSequence:
        found = seg.get_volume(segment_numbers=[one.SegmentNumber], allow_missing_positions=True)
        # highdicom's axes are slice, row, column; VTK's the other way round.
        matrix = LPS_TO_RAS @ found.affine[:, [2, 1, 0, 3]]
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(*found.array.shape[:3][::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        array = vtk_to_numpy(image.GetPointData().GetScalars())
        array[:] = found.array.reshape(-1)
        image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
        node.AddSegmentFromBinaryLabelmapRepresentation(image, one.SegmentLabel)
    return node
