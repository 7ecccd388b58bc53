"""Volumes out to files and back: voxels and geometry, and nothing about the patient."""

from __future__ import annotations

import ctypes
import locale

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

pytestmark = pytest.mark.usefixtures("segmentation_module")


def test_a_file_has_the_voxels_and_the_geometry_and_no_name(make_balls, ijk_to_ras, tmp_path):
    from GSEMASegmentationLib.scene.VolumeFiles import exportVolume, readVolume

    volume, read = make_balls(ijk_to_ras, name="Doe^Jane"), slicer.vtkMRMLScalarVolumeNode()
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.840.99.1")
    path = tmp_path / "患者.nrrd"
    exportVolume(volume, path)
    content = path.read_bytes()
    assert b"Doe" not in content and b"1.2.840" not in content
    assert readVolume(path, read)
    assert np.array_equal(slicer.util.arrayFromVolume(read), slicer.util.arrayFromVolume(volume))
    matrix = slicer.util.arrayFromVTKMatrix(_ijk_to_ras(read))
    assert matrix == pytest.approx(ijk_to_ras, abs=1e-6)


@pytest.mark.parametrize(
    "words",
    [
        "Иванов^Пётр",
        "山田^太郎=ヤマダ^タロウ",
        "مريض",
        "Müller^Jürgen",
        "😀",
        "a:=b\nspace: LPS\n\n",
    ],
)
def test_words_of_any_alphabet_stay_out_of_the_file(make_balls, tmp_path, words):
    """Slicer writes a node's attributes into the header, in which the worker would stumble."""
    from GSEMASegmentationLib.scene.VolumeFiles import exportVolume

    from gsema_core.files import read_volume

    volume = make_balls(name=words, softness=2.0)
    for key in ("DICOM.PatientName", words.replace("\n", " "), "Description"):
        volume.SetAttribute(key, words)
    volume.SetDescription(words)
    path = tmp_path / "scan.nrrd"
    exportVolume(volume, path)
    header = path.read_bytes().split(b"\n\n", 1)[0]
    assert header.isascii()
    assert b"DICOM" not in header
    read = read_volume(path)
    assert np.array_equal(read.array, slicer.util.arrayFromVolume(volume))


def _ijk_to_ras(node):
    from GSEMASegmentationLib.scene.Coordinates import ijkToRas

    return ijkToRas(node)


def test_what_cannot_be_written_or_read_is_told(make_balls, tmp_path):
    from GSEMASegmentationLib.scene.VolumeFiles import exportVolume, readVolume

    with pytest.raises(UserError, match="free some space"):
        exportVolume(make_balls(), tmp_path / "none" / "volume.nrrd")
    (tmp_path / "broken.nrrd").write_text("NRRD0004\n")
    for name in ("missing.nrrd", "broken.nrrd"):
        assert not readVolume(tmp_path / name, slicer.vtkMRMLScalarVolumeNode())


def test_points_go_to_the_frame_of_files_and_back(make_balls):
    from GSEMASegmentationLib.scene.Coordinates import lpsFromWorld, worldFromLps

    parent = np.array([[0.0, -1, 0, 10], [1, 0, 0, -4], [0, 0, 1, 2], [0, 0, 0, 1]])
    volume, point = make_balls(parent=parent), (3.0, 5.0, 7.0)
    # Back from the parent: (3, 5, 7) - (10, -4, 2) = (-7, 9, 5), turned to (9, 7, 5) in RAS.
    assert lpsFromWorld(point, volume) == pytest.approx((-9.0, -7.0, 5.0))
    assert worldFromLps((-9.0, -7.0, 5.0), volume) == pytest.approx(point)


def test_files_are_the_same_where_the_application_has_decimal_commas(
    make_balls, ijk_to_ras, tmp_path, decimal_commas, monkeypatch
):
    from GSEMASegmentationLib.scene.VolumeFiles import exportVolume, readVolume

    volume, read = make_balls(ijk_to_ras), slicer.vtkMRMLScalarVolumeNode()
    exportVolume(volume, tmp_path / "points.nrrd")
    monkeypatch.setenv("LOCPATH", str(decimal_commas))
    before = locale.setlocale(locale.LC_NUMERIC)
    # As an application in C++ does, past Python.
    ctypes.CDLL(None).setlocale(locale.LC_NUMERIC, b"de_DE.UTF-8")
    try:
        assert locale.localeconv()["decimal_point"] == ","
        exportVolume(volume, tmp_path / "commas.nrrd")
        assert readVolume(tmp_path / "points.nrrd", read)
        assert locale.localeconv()["decimal_point"] == ","
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
    points, commas = ((tmp_path / f"{name}.nrrd").read_bytes() for name in ("points", "commas"))
    assert points == commas
    matrix = slicer.util.arrayFromVTKMatrix(_ijk_to_ras(read))
    assert matrix == pytest.approx(ijk_to_ras, abs=1e-6)
