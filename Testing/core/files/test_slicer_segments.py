"""A ``.seg.nrrd`` of ours, read by Slicer's own storage node (slicer-core) and as plain text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from gsema_core.files import read_labels, write_labels
from gsema_core.grids import Geometry, Volume
from gsema_core.labels import COLORS
from gsema_core.terminology import terminology_entry

READ_WITH_SLICER = """
import json, sys
import slicer, vtk
scene = slicer.vtkMRMLScene()
node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
scene.AddNode(node)
scene.AddNode(storage)
storage.SetFileName(sys.argv[1])
assert storage.ReadData(node) == 1
segmentation = node.GetSegmentation()
segments = []
for number in range(segmentation.GetNumberOfSegments()):
    segment = segmentation.GetNthSegment(number)
    tag = vtk.reference("")
    segment.GetTag("TerminologyEntry", tag)
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segmentation.GetNthSegmentID(number), image)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    voxels = [
        (i, j, k)
        for k in range(image.GetExtent()[4], image.GetExtent()[5] + 1)
        for j in range(image.GetExtent()[2], image.GetExtent()[3] + 1)
        for i in range(image.GetExtent()[0], image.GetExtent()[1] + 1)
        if image.GetScalarComponentAsDouble(i, j, k, 0)
    ]
    places = [matrix.MultiplyPoint((*voxel, 1))[:3] for voxel in voxels]
    segments.append({
        "id": segmentation.GetNthSegmentID(number), "name": segment.GetName(),
        "color": segment.GetColor(), "value": segment.GetLabelValue(), "tag": str(tag.get()),
        "ras": places,
    })
grid = segmentation.GetConversionParameter("Reference image geometry")
print("RESULT" + json.dumps({"segments": segments, "grid": grid}))
"""


@pytest.fixture
def labels(geometry: Geometry) -> Volume:
    array = np.zeros(geometry.shape, np.uint8)
    array[5:8, 6:10, 7:12] = 1
    array[8:10, 6:9, 7:9] = 2
    return Volume(array, geometry)


def field(path: Path, key: str) -> str:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return str(reader.GetMetaData(key))


def test_header_fields(tmp_path: Path, labels: Volume) -> None:
    path = tmp_path / "case.seg.nrrd"
    write_labels(labels, path)
    assert field(path, "Segment0_Name") == "Vessel"
    assert field(path, "Segment0_LabelValue") == "1"
    assert field(path, "Segment0_Extent") == "7 11 6 9 5 7"
    assert field(path, "Segment1_Name") == "Aneurysm"
    assert field(path, "Segment1_LabelValue") == "2"
    assert field(path, "Segment1_Extent") == "7 8 6 8 8 9"
    assert "SCT^128059003^Cerebral aneurysm" in field(path, "Segment1_Tags")


def test_a_class_without_voxels_keeps_its_segment(tmp_path: Path, labels: Volume) -> None:
    path = tmp_path / "case.seg.nrrd"
    write_labels(Volume(np.minimum(labels.array, 1), labels.geometry), path)
    assert field(path, "Segment1_Name") == "Aneurysm"
    assert field(path, "Segment1_Extent") == "0 -1 0 -1 0 -1"


def test_other_files_carry_no_segment_fields(tmp_path: Path, labels: Volume) -> None:
    write_labels(labels, tmp_path / "case.nrrd")
    assert b"Segment" not in (tmp_path / "case.nrrd").read_bytes()


@pytest.mark.parametrize("geometry", [("oblique", "anisotropic")], indirect=True)
@pytest.mark.parametrize("empty", [False, True])
def test_slicer_reads_it(tmp_path: Path, labels: Volume, empty: bool) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    import json

    if empty:
        labels = Volume(np.minimum(labels.array, 1), labels.geometry)
    path = tmp_path / "case.seg.nrrd"
    write_labels(labels, path)
    # In a process of its own: one process can hold only one application core.
    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_SLICER, str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    line = next(text for text in done.stdout.splitlines() if text.startswith("RESULT"))
    result = json.loads(line.removeprefix("RESULT"))
    assert [segment["id"] for segment in result["segments"]] == ["Vessel", "Aneurysm"]
    assert [segment["name"] for segment in result["segments"]] == ["Vessel", "Aneurysm"]
    for value, segment in enumerate(result["segments"], start=1):
        assert segment["value"] == value
        assert segment["color"] == pytest.approx(COLORS[value], abs=1e-5)
        assert segment["tag"] == terminology_entry(value)
        indices = np.argwhere(labels.array == value)[:, ::-1]
        expected = labels.geometry.index_to_world(indices) * (-1, -1, 1)
        places = np.array(segment["ras"]).reshape(-1, 3)
        np.testing.assert_allclose(places, expected, atol=1e-6)
    numbers = [float(text) for text in result["grid"].split(";") if text]
    index_to_ras = np.array(numbers[:16]).reshape(4, 4)
    corner = labels.geometry.index_to_world((3, 4, 5)) * (-1, -1, 1)
    np.testing.assert_allclose((index_to_ras @ (3, 4, 5, 1))[:3], corner, atol=1e-9)
    i, j, k = labels.geometry.size
    assert numbers[16:] == [0, i - 1, 0, j - 1, 0, k - 1]


WRITE_WITH_SLICER = """
import sys
import numpy as np
import slicer, vtk
from vtk.util.numpy_support import vtk_to_numpy
file, voxels, crop = sys.argv[1:]
labels, matrix = np.load(voxels).values()
def image(mask):
    made, toRas = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
    made.SetDimensions(mask.shape[::-1])
    made.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(made.GetPointData().GetScalars())[:] = mask.reshape(-1)
    toRas.DeepCopy(matrix.reshape(-1))
    made.SetImageToWorldMatrix(toRas)
    return made
scene = slicer.vtkMRMLScene()
node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
scene.AddNode(node)
scene.AddNode(storage)
segmentation = node.GetSegmentation()
for name, mask in (("脳動脈瘤 Å", labels == 2), ("Gefäße", labels > 0)):
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.AddRepresentation("Binary labelmap", image(mask))
    segmentation.AddSegment(segment)
grid = slicer.vtkSegmentationConverter.SerializeImageGeometry(image(labels))
segmentation.SetConversionParameter("Reference image geometry", grid)
storage.SetCropToMinimumExtent(crop == "True")
storage.SetFileName(file)
assert storage.WriteData(node) == 1
"""


@pytest.mark.parametrize("geometry", [("oblique", "anisotropic")], indirect=True)
@pytest.mark.parametrize("crop", [True, False])
def test_what_slicer_writes_is_read(tmp_path: Path, labels: Volume, crop: bool) -> None:
    """Overlapping segments in two layers, named in other languages, cropped to their extent."""
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    matrix = np.eye(4)
    matrix[:3, :3] = labels.geometry.direction_matrix * labels.geometry.spacing
    matrix[:3, 3] = labels.geometry.origin
    matrix[:2] *= -1
    np.savez(tmp_path / "voxels.npz", labels=labels.array, matrix=matrix)
    path = tmp_path / "case.seg.nrrd"
    program = [sys.executable, "-c", WRITE_WITH_SLICER]
    subprocess.run([*program, str(path), str(tmp_path / "voxels.npz"), str(crop)], check=True)
    assert (b"ReferenceImageExtentOffset:=0 0 0" not in path.read_bytes()) == crop
    found = read_labels(path)
    np.testing.assert_array_equal(found.array, labels.array)
    assert found.geometry.is_close(labels.geometry)
