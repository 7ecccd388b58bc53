"""Rejecting and accepting aneurysms: whose voxels go where, what is said, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

from gsema_core.errors import UserError

TAG = "GSEMASegmentation.judgement"
FIRST, SECOND = "GSEMA_Aneurysm", "GSEMA_Aneurysm_2"
ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])


def surfaces(node):
    ids = node.GetSegmentation().GetSegmentIDs()
    return {
        one: 0 if surface is None else surface.GetNumberOfPoints()
        for one in ids
        for surface in [node.GetClosedSurfaceInternalRepresentation(one)]
    }


def test_a_rejected_aneurysm_is_vessel_and_comes_back_exactly(segmented, masks, rows):
    logic, _volume, node = segmented
    before, shown = masks(node), surfaces(node)
    (first, second) = rows(logic.measure(node))
    logic.rejectAneurysm(node, FIRST)
    after = masks(node)
    assert after["Aneurysm 1"] == set()
    assert after["Vessel"] == before["Vessel"] | before["Aneurysm 1"]
    assert after["Aneurysm 2"] == before["Aneurysm 2"]
    assert surfaces(node)["GSEMA_Aneurysm"] == 0
    assert surfaces(node)["GSEMA_Vessel"] > shown["GSEMA_Vessel"]
    kept, gone = rows(logic.measure(node))
    assert gone == {**first, "index": 2, "status": "rejected by the user"}
    assert kept == {**second, "index": 1}
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before
    assert surfaces(node) == shown
    assert rows(logic.measure(node)) == [{**first, "status": "confirmed by the user"}, second]


def test_undo_takes_decisions_back_one_by_one(segmented, masks, tag):
    logic, _volume, node = segmented
    before = masks(node)
    logic.acceptAneurysm(node, SECOND)
    confirmed = tag(node, SECOND, TAG)
    logic.rejectAneurysm(node, SECOND)
    logic.acceptAneurysm(node, SECOND)
    assert logic.undoTitle == "the acceptance of Aneurysm 2"
    assert logic.undo() == "the acceptance of Aneurysm 2"
    assert masks(node)["Aneurysm 2"] == set()
    assert logic.undo() == "the rejection of Aneurysm 2"
    assert masks(node) == before
    assert tag(node, SECOND, TAG) == confirmed
    logic.undo()
    assert tag(node, SECOND, TAG) is False
    assert masks(node) == before and logic.undoTitle == ""


def test_clicks_and_decisions_are_on_one_stack(make_logic, make_balls, masks, scene):
    volume, logic = make_balls(), make_logic("good")
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    node = outcome.segmentationNode
    clicked = masks(node)
    logic.rejectAneurysm(node, outcome.segmentId)
    assert masks(node) == {"Aneurysm": set(), "Vessel": clicked["Aneurysm"]}
    logic.undo()
    assert masks(node) == clicked  # the vessel that was made for it is gone
    assert logic.undo() == "the click"
    assert not scene.IsNodePresent(node)


@pytest.mark.parametrize("where", ["vessel", "aneurysm"])
def test_what_was_edited_since_does_not_come_back(segmented, masks, paint, where):
    logic, volume, node = segmented
    place = next(iter(masks(node)["Aneurysm 1"]))
    logic.rejectAneurysm(node, FIRST)
    if where == "vessel":
        paint(node, "GSEMA_Vessel", volume, place, 0)
    else:
        paint(node, FIRST, volume, place)
    edited = masks(node)
    for call in (logic.acceptAneurysm, lambda *_: logic.undo()):
        if where == "aneurysm" and call == logic.acceptAneurysm:
            continue  # drawn anew, it is an aneurysm like any other
        with pytest.raises(UserError, match="edited"):
            call(node, FIRST)
    assert masks(node) == edited


def test_an_aneurysm_drawn_anew_is_none_that_was_rejected(segmented, masks, paint, rows):
    logic, volume, node = segmented
    place = next(iter(masks(node)["Aneurysm 1"]))
    logic.rejectAneurysm(node, FIRST)
    paint(node, FIRST, volume, place)
    statuses = {row["segment"]: row["status"] for row in rows(logic.measure(node))}
    assert statuses == {"Aneurysm 1": "", "Aneurysm 2": ""}
    logic.acceptAneurysm(node, FIRST)
    assert len(masks(node)["Aneurysm 1"]) == 1


def test_edits_elsewhere_do_not_hinder(segmented, masks, paint):
    logic, volume, node = segmented
    before = masks(node)
    logic.rejectAneurysm(node, FIRST)
    paint(node, "GSEMA_Vessel", volume, (0, 0, slice(0, 5)))
    logic.acceptAneurysm(node, FIRST)
    after = masks(node)
    assert after["Aneurysm 1"] == before["Aneurysm 1"]
    assert after["Vessel"] == before["Vessel"] | {(0, 0, i) for i in range(5)}


def test_segments_of_others_keep_their_voxels(segmented, masks, paint):
    """Also where they overlap, and where they are in the vessel's own layer."""
    logic, volume, node = segmented
    node.GetSegmentation().AddEmptySegment("bone", "Bone")
    k, j, i = next(iter(masks(node)["Aneurysm 1"]))
    paint(node, "bone", volume, (slice(k - 2, k + 3), j, i))
    before = masks(node)
    assert before["Bone"] & before["Aneurysm 1"]
    logic.rejectAneurysm(node, FIRST)
    after = masks(node)
    assert after["Bone"] == before["Bone"]
    assert after["Vessel"] == before["Vessel"] | before["Aneurysm 1"]
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before


def test_a_segment_in_the_vessels_own_label_map_is_not_overwritten(segmented, masks):
    """It lies over the aneurysm, where the vessel would have to write."""
    logic, _volume, node = segmented
    segmentation = node.GetSegmentation()
    segmentation.SeparateSegmentLabelmap(FIRST)
    image = segmentation.GetSegment("GSEMA_Vessel").GetRepresentation("Binary labelmap")
    extent = np.array(image.GetExtent())
    places = [
        place
        for place in masks(node)["Aneurysm 1"]
        if (extent[::2] <= place[::-1]).all() and (extent[1::2] >= place[::-1]).all()
    ]
    bone = slicer.vtkSegment()
    bone.SetName("Bone")
    bone.SetLabelValue(99)
    bone.AddRepresentation("Binary labelmap", image)
    segmentation.AddSegment(bone, "bone")
    array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, "GSEMA_Vessel")
    array[tuple(np.array(places[0]) - extent[::2][::-1])] = 99
    before = masks(node)
    assert len(before["Bone"] & before["Aneurysm 1"]) == 1
    logic.rejectAneurysm(node, FIRST)
    after = masks(node)
    assert after["Bone"] == before["Bone"]
    assert after["Vessel"] == before["Vessel"] | before["Aneurysm 1"]
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before


def test_vessel_that_overlaps_stays_vessel(segmented, masks, paint):
    logic, volume, node = segmented
    k, j, i = next(iter(masks(node)["Aneurysm 1"]))
    paint(node, "GSEMA_Vessel", volume, (k, j, i))
    before = masks(node)
    assert (k, j, i) in before["Vessel"] & before["Aneurysm 1"]
    logic.rejectAneurysm(node, FIRST)
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before


def test_of_several_vessels_the_one_that_is_touched(make_logic, make_balls, masks, paint):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segment(volume)
    segmentation = node.GetSegmentation()
    segmentation.GetSegment("GSEMA_Vessel").SetName("Parent vessel")
    segmentation.AddEmptySegment("far", "Far vessel")
    paint(node, "far", volume, (slice(1, 4), slice(1, 4), slice(1, 4)))
    segmentation.SetSegmentIndex("far", 0)
    before = masks(node)
    logic.rejectAneurysm(node, FIRST)
    after = masks(node)
    assert after["Parent vessel"] == before["Parent vessel"] | before["Aneurysm"]
    assert after["Far vessel"] == before["Far vessel"]


def test_a_vessel_on_another_grid_takes_the_nearest_voxels(make_logic, make_balls, masks, scene):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segment(volume)
    vessel = node.GetSegmentation().GetSegment("GSEMA_Vessel")
    image = slicer.vtkOrientedImageData()
    reference = slicer.vtkOrientedImageData()
    reference.DeepCopy(vessel.GetRepresentation("Binary labelmap"))
    reference.SetSpacing([n / 2 for n in reference.GetSpacing()])
    reference.SetExtent([2 * n for n in reference.GetExtent()])
    resample = slicer.vtkOrientedImageDataResample
    resample.ResampleOrientedImageToReferenceOrientedImage(
        vessel.GetRepresentation("Binary labelmap"), reference, image, False
    )
    vessel.AddRepresentation("Binary labelmap", image)
    vessel.SetLabelValue(1)
    before = masks(node)
    logic.rejectAneurysm(node, FIRST)
    after = masks(node)
    assert after["Aneurysm"] == set()
    added = len(after["Vessel"]) - len(before["Vessel"])
    assert added == pytest.approx(8 * len(before["Aneurysm"]), rel=0.03)
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before


def test_several_pieces_are_rejected_together(make_logic, two_aneurysms, masks, paint, rows):
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    paint(node, FIRST, two_aneurysms, (slice(40, 44), slice(40, 44), slice(40, 44)))
    before = masks(node)
    assert [row["segment"] for row in rows(logic.measure(node))] == [
        "Aneurysm 1",
        "Aneurysm 1 (2)",
        "Aneurysm 2",
    ]
    logic.rejectAneurysm(node, FIRST)
    assert [(row["segment"], row["status"]) for row in rows(logic.measure(node))] == [
        ("Aneurysm 2", ""),
        ("Aneurysm 1", "rejected by the user"),
        ("Aneurysm 1 (2)", "rejected by the user"),
    ]
    logic.undo()
    assert masks(node) == before


def test_a_saved_scene_keeps_decisions_and_voxels(segmented, masks, rows, scene, tmp_path):
    logic, _volume, node = segmented
    before = masks(node)
    logic.rejectAneurysm(node, FIRST)
    logic.acceptAneurysm(node, SECOND)
    expected = rows(logic.measure(node))
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    node = slicer.util.getNode("balls aneurysms")
    assert logic.undoTitle == ""
    assert rows(logic.measure(node)) == expected
    logic.acceptAneurysm(node, FIRST)
    assert masks(node) == before


def test_a_moved_segmentation_moves_what_was_rejected(make_logic, make_balls, rows, scene):
    logic = make_logic("good")
    node = logic.segment(make_balls())
    logic.rejectAneurysm(node, FIRST)
    (before,) = rows(logic.measure(node))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    matrix = np.eye(4)
    matrix[0, 3] = 10
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    (after,) = rows(logic.measure(node))
    assert after == {**before, "r_mm": pytest.approx(before["r_mm"] + 10)}


def test_rejected_aneurysms_have_no_lines(segmented):
    logic, _volume, node = segmented
    logic.rejectAneurysm(node, FIRST)
    logic.measure(node, lines=True)
    names = [one.GetName() for one in slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode")]
    assert names == ["Aneurysm 2 diameter"]


def test_a_new_run_is_a_new_judgement_and_says_so(segmented, masks, tag, rows):
    logic, volume, node = segmented
    before = masks(node)
    logic.rejectAneurysm(node, FIRST)
    logic.acceptAneurysm(node, SECOND)
    assert logic.report["judgements"] == {
        "Aneurysm 1": "rejected by the user",
        "Aneurysm 2": "confirmed by the user",
    }
    logic.segment(volume, outputSegmentation=node)
    assert masks(node) == before
    assert logic.report["notes"][-1] == (
        "What was decided before counts no more: Aneurysm 1 (rejected by the user), "
        "Aneurysm 2 (confirmed by the user)."
    )
    assert "judgements" not in logic.report
    assert not tag(node, FIRST, TAG) and not tag(node, SECOND, TAG)
    assert [row["status"] for row in rows(logic.measure(node))] == ["", ""]
    for _change in range(2):
        with pytest.raises(UserError, match="edited after the"):
            logic.undo()
    assert masks(node) == before


def test_a_click_leaves_rejected_segments_alone(make_logic, two_aneurysms, masks):
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    logic.rejectAneurysm(node, SECOND)
    logic.rejectAneurysm(node, FIRST)
    outcome = logic.segmentAtPoint(two_aneurysms, ANEURYSM_CENTER, outputSegmentation=node)
    assert outcome.segmentId == "GSEMA_Aneurysm_3"
    assert masks(node)["Aneurysm 1"] == masks(node)["Aneurysm 2"] == set()


def test_what_cannot_be_judged_is_explained(make_logic, make_balls, scene):
    logic, volume = make_logic("good"), make_balls()
    node = logic.segment(volume)
    for segment_id, words in (("GSEMA_Vessel", "has no aneurysm"), ("nothing", "has no aneurysm")):
        for call in (logic.rejectAneurysm, logic.acceptAneurysm):
            with pytest.raises(UserError, match=words):
                call(node, segment_id)
    logic.rejectAneurysm(node, FIRST)
    with pytest.raises(UserError, match="is empty: there is nothing to reject"):
        logic.rejectAneurysm(node, FIRST)
    node.GetSegmentation().AddEmptySegment("a", "Another aneurysm")
    with pytest.raises(UserError, match="is empty: there is nothing to accept"):
        logic.acceptAneurysm(node, "a")
    with pytest.raises(UserError, match="choose one"):
        logic.rejectAneurysm(None, FIRST)
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(UserError, match="stored as surfaces"):
        logic.acceptAneurysm(node, FIRST)


def test_segmentations_from_elsewhere_can_be_judged(make_balls, make_logic, masks, rows, scene):
    """Without our ids and tags, and without a vessel."""
    volume = make_balls()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().AddEmptySegment("x", "MCA aneurysm")
    array = slicer.util.arrayFromVolume(volume)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        (array == 200).astype(np.uint8), node, "x", volume
    )
    logic, before = make_logic("good"), masks(node)
    logic.rejectAneurysm(node, "x")
    assert masks(node) == {"MCA aneurysm": set(), "Vessel": before["MCA aneurysm"]}
    assert [row["status"] for row in rows(logic.measure(node))] == ["rejected by the user"]
    logic.acceptAneurysm(node, "x")
    assert masks(node) == {**before, "Vessel": set()}


@pytest.mark.parametrize("text", ["?", "AAAA", "eJyrrgUAAXUA+Q=="])
def test_a_tag_that_cannot_be_read_is_no_decision(make_logic, make_balls, rows, text):
    logic = make_logic("good")
    node = logic.segment(make_balls())
    node.GetSegmentation().GetSegment(FIRST).SetTag(TAG, text)
    assert [row["status"] for row in rows(logic.measure(node))] == [""]
    logic.acceptAneurysm(node, FIRST)
    assert [row["status"] for row in rows(logic.measure(node))] == ["confirmed by the user"]


def test_decisions_on_segments_of_one_name_are_all_reported(make_logic, two_aneurysms):
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    for segment_id in (FIRST, SECOND):
        node.GetSegmentation().GetSegment(segment_id).SetName("MCA aneurysm")
    logic.rejectAneurysm(node, FIRST)
    logic.acceptAneurysm(node, SECOND)
    assert logic.report["judgements"] == {
        f"MCA aneurysm ({FIRST})": "rejected by the user",
        f"MCA aneurysm ({SECOND})": "confirmed by the user",
    }
