"""What the panel says of the chosen volume, and how it looks at the voxels."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
import vtk


@pytest.fixture
def judgement(scene, segmentation_module):
    from GSEMASegmentationLib.scene.VolumeChoice import volumeJudgement

    return volumeJudgement


def of_spacing(make_balls, *spacing):
    volume = make_balls(name="case")
    volume.SetSpacing(*spacing)
    return volume


def test_a_good_volume_is_ready(judgement, make_balls):
    assert judgement(make_balls()) == ("60 × 56 × 52, 0.8 mm: ready", True)
    volume = of_spacing(make_balls, 0.5, 0.5, 0.8)
    assert judgement(volume) == ("60 × 56 × 52, 0.5 × 0.5 × 0.8 mm: ready", True)


def test_a_coarse_volume_is_ready_with_a_warning(judgement, make_balls):
    text, is_ready = judgement(of_spacing(make_balls, 0.5, 0.5, 2.0))
    assert is_ready
    assert text.endswith("ready, but voxels above 1 mm hide small aneurysms.")


@pytest.mark.parametrize("spacing", [(0.02, 0.02, 0.02), (0.5, 0.5, 30.0)])
def test_a_spacing_that_no_scanner_makes_is_refused(judgement, make_balls, spacing):
    text, is_ready = judgement(of_spacing(make_balls, *spacing))
    assert not is_ready
    assert "correct the spacing in the Volumes module" in text


def test_the_limits_are_those_of_the_worker(judgement):
    from GSEMASegmentationLib.scene.VolumeChoice import SPACING_LIMITS_MM

    from gsema_core.files import image_header

    assert SPACING_LIMITS_MM == image_header.SPACING_LIMITS_MM


def test_no_volume_and_a_bent_one_say_what_to_do(judgement, make_balls, scene):
    assert judgement(None) == ("No volume is selected: choose the angiography to segment.", False)
    volume = make_balls(name="bent")
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    transform.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    volume.SetAndObserveTransformNodeID(transform.GetID())
    text, is_ready = judgement(volume)
    assert not is_ready
    assert text.startswith("60 × 56 × 52, 0.8 mm: bent lies under the non-linear transform warp")


@pytest.fixture
def check(scene, segmentation_module):
    from GSEMASegmentationLib.scene.VoxelCheck import VoxelCheck

    told = []
    made = VoxelCheck(lambda: told.append(made.problem))
    made.told = told
    yield made
    made.stop()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers_are_found(check, make_balls, spin, value):
    volume = make_balls(name="broken")
    slicer.util.arrayFromVolume(volume)[-1, -1, -1] = value
    check.look(volume)
    assert check.problem == ""  # nothing is read before the event loop runs
    spin(lambda: check.isDone)
    assert check.told == [check.problem]
    assert check.problem.startswith("broken has voxels that are not numbers")


def test_a_good_volume_is_read_once(check, make_balls, spin):
    volume = make_balls()
    check.look(volume)
    spin(lambda: check.isDone)
    assert check.told == []
    check.look(volume)
    assert check.isDone
    slicer.util.arrayFromVolume(volume)[0, 0, 0] = np.nan
    slicer.util.arrayFromVolumeModified(volume)
    check.look(volume)
    spin(lambda: check.isDone)
    assert len(check.told) == 1


def test_a_large_volume_is_read_in_small_steps(check, make_balls, monkeypatch):
    from GSEMASegmentationLib.scene import VoxelCheck as module

    monkeypatch.setattr(module, "VOXELS_A_STEP", 10_000)
    volume = make_balls()
    slicer.util.arrayFromVolume(volume)[-1, -1, -1] = np.nan
    check.look(volume)
    steps = 0
    while not check.isDone:
        check._step()
        steps += 1
    assert steps == -(-60 * 56 * 52 // 10_000)
    assert len(check.told) == 1


def test_whole_numbers_are_not_read_at_all(check, scene):
    check.look(slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.int16)))
    assert check.isDone


def test_a_volume_deleted_while_it_is_read_is_no_matter(check, make_balls, scene, spin):
    volume = make_balls()
    check.look(volume)
    scene.RemoveNode(volume)
    del volume
    spin(lambda: check.isDone)
    assert check.told == []


def test_the_panel_refuses_a_volume_with_broken_voxels(panel, make_balls, spin):
    volume = make_balls(name="broken")
    slicer.util.arrayFromVolume(volume)[3, 4, 5] = np.nan
    panel.ui.inputSelector.setCurrentNode(volume)
    spin(lambda: panel.voxelCheck.isDone)
    assert not panel.ui.segmentButton.enabled
    assert "not numbers" in panel.ui.volumeInfoLabel.text
    assert panel.ui.segmentButton.toolTip == panel.ui.volumeInfoLabel.text
    panel.ui.inputSelector.setCurrentNode(make_balls(name="good"))
    spin(lambda: panel.voxelCheck.isDone)
    assert panel.ui.segmentButton.enabled


def sheared(volume, degrees):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    matrix.SetElement(0, 2, 0.8 * np.sin(np.radians(degrees)))
    matrix.SetElement(2, 2, 0.8 * np.cos(np.radians(degrees)))
    volume.SetIJKToRASMatrix(matrix)
    return volume


@pytest.mark.parametrize("degrees", [-8.0, 0.2, 15.0])
def test_sheared_axes_are_refused_before_a_run(judgement, make_balls, degrees):
    """As a gantry's tilt leaves them, or an affine registration that was hardened."""
    text, is_ready = judgement(sheared(make_balls(name="tilted"), degrees))
    assert not is_ready
    assert "tilted has sheared axes" in text
    assert "Crop Volume" in text


def test_rounded_and_oblique_axes_are_no_sheared_ones(judgement, make_balls, ijk_to_ras):
    assert judgement(make_balls(np.round(ijk_to_ras, 4)))[1]
    assert judgement(sheared(make_balls(), 0.04))[1]


class Database:
    """Slicer's DICOM database: ``instanceValue`` is empty for what it does not know."""

    def __init__(self, value):
        self.value, self.asked = value, []

    def instanceValue(self, uid, tag):
        self.asked.append((uid, tag))
        return self.value


@pytest.fixture
def imported(make_balls, monkeypatch):
    def make(pixels=None, matrix=None, uids="1.2.3 1.2.4"):
        volume = make_balls(np.diag([-1.0, -1.0, 1.0, 1.0]) if matrix is None else matrix)
        volume.SetName("series")
        if uids:
            volume.SetAttribute("DICOM.instanceUIDs", uids)
        if pixels is not None:
            monkeypatch.setattr(slicer, "dicomDatabase", Database(pixels), raising=False)
        return volume

    return make


@pytest.mark.parametrize("pixels", ["0.3125\\0.3125", "0.49\\0.5", "1\\1.02"])
def test_a_grid_that_the_dicom_files_contradict_is_refused(judgement, imported, pixels):
    text, is_ready = judgement(imported(pixels))
    assert not is_ready
    assert "series has voxels of 1 mm and no position, but its DICOM files have pixels of" in text
    assert "load the series again, or set the spacing" in text
    assert slicer.dicomDatabase.asked[0] == ("1.2.3", "0028,0030")


def test_a_grid_that_the_dicom_files_confirm_raises_no_doubt(judgement, imported):
    assert judgement(imported("1.0\\1.0"))[0].endswith(": ready")


@pytest.mark.parametrize("pixels", [None, "", "unknown", "0\\0", "1.0"])
def test_a_grid_without_geometry_is_ready_with_a_doubt(judgement, imported, pixels):
    """Nothing contradicts it: a volume that was resampled to 1 mm looks the same."""
    for uids in ("1.2.3", ""):
        text, is_ready = judgement(imported(pixels, uids=uids))
        assert is_ready
        assert "ready, but its voxels are 1 mm and lie at no position" in text


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([1.0, 1.0, 1.5, 1.0]),
        np.array([[1.0, 0, 0, -30], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        np.diag([0.5, 0.5, 0.5, 1.0]),
    ],
)
def test_no_other_grid_is_doubted(judgement, imported, matrix):
    text, is_ready = judgement(imported("0.3\\0.3", matrix))
    assert is_ready
    assert "no position" not in text
