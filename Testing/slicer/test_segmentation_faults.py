"""What may go wrong with a run: the scene is as before, and one sentence says why."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
import vtk

from gsema_core.errors import Cancelled, UserError


def voxels(node, segment_id):
    """Count a segment's voxels; slicer.util's function for it would leave nodes in the scene."""
    array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
    return int((array == node.GetSegmentation().GetSegment(segment_id).GetLabelValue()).sum())


def snapshot(scene):
    """All of the scene's nodes with what a run could have changed of them."""
    described = []
    for node in slicer.util.getNodes("*", useLists=True).values():
        for one in node:
            segments = ()
            if one.IsA("vtkMRMLSegmentationNode"):
                segments = tuple((i, voxels(one, i)) for i in one.GetSegmentation().GetSegmentIDs())
            described.append((one.GetID(), one.GetName(), segments))
    return sorted(described)


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("error", "The volume is constant"),
        ("crash", "crashed or was killed"),
        ("exit", r"exit code 3.*something deep inside"),
        ("othergrid", "another grid"),
        ("otherlabels", "unknown labels 3, 6"),
        ("nofile", "no readable result"),
        ("oldprotocol", "another version"),
    ],
)
def test_a_failing_worker_leaves_the_scene_as_it_was(
    existing_segmentation, make_logic, make_balls, scene, mode, sentence
):
    volume = make_balls()
    node, _ = existing_segmentation(volume)
    before = snapshot(scene)
    for output in (None, node):
        with pytest.raises(UserError, match=sentence):
            make_logic(mode).segment(volume, outputSegmentation=output)
    assert snapshot(scene) == before


def test_an_import_that_breaks_half_way_is_taken_back(
    existing_segmentation, make_logic, make_balls, scene, monkeypatch
):
    from GSEMASegmentationLib.scene import SegmentationOutput

    def broken(node, volume):
        raise RuntimeError("no memory")

    monkeypatch.setattr(SegmentationOutput, "placeOutput", broken)  # the last thing it does
    volume, logic = make_balls(), make_logic("good")
    node, _ = existing_segmentation(volume)
    before = snapshot(scene)
    for output in (None, node):
        with pytest.raises(UserError, match=r"could not be imported \(no memory\)"):
            logic.segment(volume, outputSegmentation=output)
        assert snapshot(scene) == before


def test_garbage_from_the_worker_is_log_and_nothing_else(make_logic, make_balls):
    logic = make_logic("garbage")
    assert logic.segment(make_balls()).GetSegmentation().GetNumberOfSegments() == 2
    assert any("broken" in line for line in logic._client.log)


def test_a_program_that_cannot_be_started_is_named(segmentation_module, make_balls):
    logic = segmentation_module.GSEMASegmentationLogic(workerCommand=["/no/such/program"])
    with pytest.raises(UserError, match="/no/such/program cannot be run"):
        logic.segment(make_balls())


@pytest.mark.parametrize(("mode", "longest"), [("slow", 1.0), ("stubborn", 2.0)])
def test_cancel_is_quick_and_leaves_the_scene(make_logic, make_balls, scene, mode, longest):
    import time

    volume = make_balls()
    before = snapshot(scene)
    logic = make_logic(mode)
    asked: list[float] = []

    def on_progress(fraction, phase):
        if fraction > 0.15 and not asked:
            asked.append(time.monotonic())
            logic.cancel()

    with pytest.raises(Cancelled):
        logic.segment(volume, onProgress=on_progress)
    assert time.monotonic() - asked[0] < longest
    assert snapshot(scene) == before
    assert not logic.isRunning


def test_cancel_before_the_worker_said_anything(make_logic, make_balls, spin):
    logic, outcomes = make_logic("mute"), []
    logic.segment(make_balls(), blocking=False, onDone=outcomes.append)
    logic.cancel()
    spin(lambda: bool(outcomes))
    assert outcomes[0].isCancelled
    assert not logic._client.isRunning  # it had to be killed


@pytest.mark.parametrize("what", ["volume", "output", "scene"])
def test_what_is_removed_meanwhile_gets_nothing(
    existing_segmentation, make_logic, make_balls, scene, spin, what
):
    volume = make_balls()
    output, _ = existing_segmentation(volume)
    logic, outcomes = make_logic("good"), []
    logic.segment(volume, outputSegmentation=output, blocking=False, onDone=outcomes.append)
    if what == "scene":
        scene.Clear()
    else:
        scene.RemoveNode({"volume": volume, "output": output}[what])
    remaining = snapshot(scene)
    spin(lambda: bool(outcomes))
    assert outcomes[0].segmentationNode is None
    assert outcomes[0].isCancelled == (what == "scene")
    assert what == "scene" or "was removed in the meantime" in outcomes[0].message
    assert snapshot(scene) == remaining


def test_a_volume_that_changed_meanwhile_is_not_given_old_segments(make_logic, make_balls, spin):
    volume, outcomes = make_balls(), []
    make_logic("good").segment(volume, blocking=False, onDone=outcomes.append)
    slicer.util.arrayFromVolume(volume)[:] = 0
    slicer.util.arrayFromVolumeModified(volume)
    spin(lambda: bool(outcomes))
    assert "was changed in the meantime" in outcomes[0].message


def test_two_runs_at_once_are_refused(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("slow")
    logic.segment(volume, blocking=False)
    with pytest.raises(UserError, match="is running"):
        logic.segment(volume)
    logic.cancel()


def test_volumes_that_cannot_be_segmented_are_explained(make_logic, make_balls, scene):
    logic = make_logic("good")
    label_map = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    color = slicer.util.addVolumeFromArray(
        np.zeros((4, 4, 4, 3), np.uint8), name="photo", nodeClassName="vtkMRMLVectorVolumeNode"
    )
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    flat = slicer.util.addVolumeFromArray(np.zeros((1, 9, 9), np.float32), name="slice")
    bent = make_balls(name="bent")
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", "warp")
    transform.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    bent.SetAndObserveTransformNodeID(transform.GetID())
    for volume, sentence in (
        (None, "No volume is selected"),
        (label_map, "is a label map"),
        (color, "3 values for each voxel"),
        (empty, "has no 3D image"),
        (flat, "has no 3D image"),
        (bent, "non-linear transform warp: harden it"),
        (transform, "is not a volume"),
    ):
        with pytest.raises(UserError, match=sentence):
            logic.segment(volume)
    assert not logic._client.isRunning


def test_outputs_that_would_be_damaged_are_refused(
    existing_segmentation, make_logic, make_balls, scene
):
    volume, logic = make_balls(), make_logic("good")
    node, _ = existing_segmentation(volume)
    moved = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    node.SetAndObserveTransformNodeID(moved.GetID())
    with pytest.raises(UserError, match="not under the same transform"):
        logic.segment(volume, outputSegmentation=node)
    node.SetAndObserveTransformNodeID(None)
    node.CreateClosedSurfaceRepresentation()
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(UserError, match="stored as surfaces"):
        logic.segment(volume, outputSegmentation=node)
