"""Copies of the cases: what is in them, and what may go wrong."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest
import slicer
import slicer.util

CENTER = 4
"""Column of the table."""


def status_of(panel):
    return panel.ui.statusLabel.text


def test_the_copies_have_numbers_for_names(panel, begin, look, spin, tmp_path):
    begin("quick")
    spin(lambda: look().isFinished, 60)
    listed = json.loads((tmp_path / "run" / "datalist.json").read_text())["cases"]
    assert [case["patient"] for case in listed] == ["001", "002", "003", "004"]
    assert [case["image"] for case in listed][:2] == ["cases/case-001.nrrd", "cases/case-002.nrrd"]
    assert {case["center"] for case in listed} == {"Clinic"}
    assert [case["use"] for case in listed] == [case.use for case in panel.cases.cases]


def test_no_identifier_is_anywhere_in_the_folder(panel, make_case, begin, look, spin, tmp_path):
    """Neither of a volume of the scene with DICOM attributes, nor of a file with a header."""
    volume, segmentation = make_case("Doe^Jane 1960")
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.840.99.1 1.2.840.99.2")
    segmentation.SetAttribute("DICOM.PatientID", "PID-4711")
    panel.cases.addFromScene()
    begin_all = panel.cases.cases
    panel.cases.addPath(str(tmp_path / "site" / "datalist.json"))
    spin(lambda: not panel.cases.reader.isRunning)
    assert len(panel.cases.cases) == len(begin_all) + 4
    begin("quick")
    spin(lambda: look().isFinished and not panel.logic.isComparing, 60)
    found = sorted(path for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert len(found) > 15
    for path in found:
        for name in ("Doe", "Jane", "1.2.840", "4711", "Muster", "Max0", "scan-0", "site"):
            assert name not in str(path.relative_to(tmp_path)), path
            assert name.encode() not in path.read_bytes(), (name, path)


@pytest.mark.parametrize("letters", ["Иванова^Анна", "王^小明", "Ω 🧠 é", "a\nb: c\\d"])
def test_other_alphabets_are_no_obstacle(panel, make_case, begin, look, spin, tmp_path, letters):
    """In names, attributes and the folder; the copies hold none of it and the right voxels."""
    import SimpleITK as sitk

    volume, segmentation = make_case(letters)
    before = slicer.util.arrayFromVolume(volume).copy()
    for node in (volume, segmentation):
        for name in ("DICOM.PatientName", "DICOM.instanceUIDs", f"note {letters}"):
            node.SetAttribute(name, letters)
        node.SetDescription(letters)
    folder = tmp_path / letters.replace("\n", " ").replace(":", "").replace("\\", "")
    panel.ui.runFolderPathLineEdit.currentPath = str(folder / "run")
    panel.cases.addFromScene()
    panel.ui.caseTable.item(0, CENTER).setText(letters.strip())
    begin("quick")
    spin(lambda: look().isFinished, 60)
    assert panel.shown == []
    for name, expected in (
        ("case-001.nrrd", before),
        ("case-001-labels.nrrd", np.where(before == 200, 2, before == 100)),
    ):
        path = folder / "run" / "cases" / name
        assert letters.encode() not in path.read_bytes()
        assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), expected)
    listed = json.loads((folder / "run" / "datalist.json").read_text(encoding="utf-8"))["cases"]
    assert (listed[0]["patient"], listed[0]["center"]) == ("001", letters.strip())


def test_what_is_copied_is_what_was_drawn(panel, make_case, begin, look, spin, tmp_path):
    """On an oblique grid; and later edits of the scene do not reach the training."""
    import SimpleITK as sitk

    volume, segmentation = make_case("oblique", matrix=OBLIQUE)
    before = slicer.util.arrayFromVolume(volume).copy()
    panel.cases.addFromScene()
    begin("slow")
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    slicer.util.arrayFromVolume(volume)[:] = 7
    slicer.util.arrayFromVolumeModified(volume)
    segmentation.GetSegmentation().RemoveSegment(ids[1])
    assert look().isRunning
    image = sitk.ReadImage(str(tmp_path / "run/cases/case-001.nrrd"))
    labels = sitk.ReadImage(str(tmp_path / "run/cases/case-001-labels.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), before)
    expected = np.where(before == 200, 2, np.where(before == 100, 1, 0))
    assert np.array_equal(sitk.GetArrayFromImage(labels), expected)
    assert image.GetDirection() == pytest.approx(labels.GetDirection())
    point = image.TransformIndexToPhysicalPoint((3, 4, 5))
    r, a, s, _one = OBLIQUE @ (3, 4, 5, 1)
    assert point == pytest.approx((-r, -a, s), abs=1e-4)


ANGLE = np.radians(25)


OBLIQUE = np.array(
    [
        [0.7 * np.cos(ANGLE), -0.7 * np.sin(ANGLE), 0, -10],
        [0.7 * np.sin(ANGLE), 0.7 * np.cos(ANGLE), 0, -30],
        [0, 0, 0.9, -18],
        [0, 0, 0, 1],
    ]
)


def test_a_full_disk_while_copying_is_explained(panel, make_case, monkeypatch, tmp_path, spin):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    make_case()
    panel.cases.addFromScene()
    monkeypatch.setattr(os, "replace", full)
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isPreparing)
    assert "No space left on device" in panel.shown[0]
    assert "No space left on device" in status_of(panel)
    assert not (tmp_path / "run" / "cases").exists()
    assert not panel.train.view.isRunning


def test_a_file_that_went_away_is_explained(panel, add_cases, tmp_path, spin):
    add_cases()
    (tmp_path / "site" / "label-2.nrrd").unlink()
    panel.ui.trainButton.click()
    spin(lambda: not panel.logic.isPreparing, 60)
    assert "label-2.nrrd" in panel.shown[0]
    assert not (tmp_path / "run" / "cases").exists()


def test_ignored_voxels_and_what_labels_mean_reach_the_copies(panel, begin, look, spin, tmp_path,
                                                              datalist):  # fmt: skip
    """255 is many programs' only label: the copies' list says that it is to be ignored."""
    import SimpleITK as sitk

    from gsema_core.datasets import read_case, read_datalist

    document = json.loads(datalist.read_text())
    document["labels"] = {"vessel": 1, "aneurysm": 2, "ignore": [7, 0.5]}
    path = datalist.parent / document["cases"][0]["label"]
    labels = sitk.Cast(sitk.ReadImage(str(path)), sitk.sitkFloat32)
    labels[0, 0, 0], labels[1, 0, 0] = 7, 0.5
    sitk.WriteImage(labels, str(path))
    datalist.write_text(json.dumps(document))
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    begin("quick")
    spin(lambda: look().isFinished, 60)
    array = read_case(read_datalist(tmp_path / "run" / "datalist.json")[0])[1].array
    assert array[0, 0, 0] == array[0, 0, 1] == 255 and {*np.unique(array)} <= {0, 1, 2, 255}


def test_mixed_cases_train_together(panel, begin, make_case, look, spin, tmp_path, datalist):
    """Another spacing, grid and label values; files and nodes."""
    import SimpleITK as sitk

    coarse = np.diag([1.1, 0.9, 1.4, 1.0])
    make_case("coarse", matrix=coarse)
    panel.cases.addFromScene()
    entries = json.loads(datalist.read_text())["cases"]
    path = datalist.parent / entries[0]["label"]
    labels = sitk.ReadImage(str(path))
    sitk.WriteImage(sitk.Cast(labels * 10, sitk.sitkInt16), str(path))
    entries[0]["relabel"] = [[0, 0], [10, 1], [20, 2]]
    datalist.write_text(json.dumps({"cases": entries}))
    panel.cases.addPath(str(datalist))
    spin(lambda: not panel.cases.reader.isRunning)
    assert "Voxels are 0.6 to 1.4 mm" in panel.ui.casesInfoLabel.text
    begin("quick")
    spin(lambda: look().isFinished, 60)
    for number in range(1, 6):
        written = sitk.ReadImage(str(tmp_path / f"run/cases/case-{number:03d}-labels.nrrd"))
        assert set(np.unique(sitk.GetArrayFromImage(written))) == {0, 1, 2}
