"""GSEMASegmentationLogic.segmentAtPoint: what a click adds, replaces and leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
import vtk

from gsema_core.errors import Cancelled, UserError
from gsema_core.labels import ANEURYSM, COLORS
from gsema_core.terminology import terminology_entry

VESSEL_CENTER = np.array([3.0, -2.0, 5.0])
ANEURYSM_CENTER = np.array([14.0, 1.0, 3.0])
SECOND = (10, 12, 14)  # voxel (k, j, i) of a second aneurysm
OBLIQUE_PARENT = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def voxels(node, segment_id):
    """Where a segment is; slicer.util's function for it would leave nodes in the scene."""
    array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
    return array == node.GetSegmentation().GetSegment(segment_id).GetLabelValue()


def snapshot(scene):
    """All of the scene's nodes with what a click could have changed of them."""
    described = []
    for nodes in slicer.util.getNodes("*", useLists=True).values():
        for node in nodes:
            segments = []
            if node.IsA("vtkMRMLSegmentationNode"):
                segments = [described_segment(node, one) for one in segment_ids(node)]
            if not node.IsA("vtkMRMLLabelMapVolumeDisplayNode"):  # slicer.util leaves these
                described.append((node.GetID(), node.GetName(), segments))
    return sorted(described)


def described_segment(node, segment_id):
    """Id, name, all voxels by their place in the world, and the surface's size."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation("Binary labelmap")
    where = b""
    if image is not None and not image.IsEmpty():
        i, _, j, _, k, _ = image.GetExtent()
        where = np.add(np.argwhere(voxels(node, segment_id)), (k, j, i)).tobytes()
    surface = node.GetClosedSurfaceInternalRepresentation(segment_id)
    points = 0 if surface is None else surface.GetNumberOfPoints()
    return segment_id, segment.GetName(), where, points


def surface_points(node, segment_id):
    return described_segment(node, segment_id)[-1]


def at_voxel(volume, kji):
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix.MultiplyPoint((*kji[::-1], 1.0))[:3]


@pytest.fixture
def two_aneurysms(make_balls):
    """The two balls of ``make_balls`` and a second aneurysm: a block of 4 voxels in the corner."""
    volume = make_balls()
    k, j, i = SECOND
    slicer.util.arrayFromVolume(volume)[k - 2 : k + 2, j - 2 : j + 2, i - 2 : i + 2] = 200
    slicer.util.arrayFromVolumeModified(volume)
    return volume


def segment_ids(node):
    return list(node.GetSegmentation().GetSegmentIDs())


def names(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(one).GetName() for one in segmentation.GetSegmentIDs()]


def test_a_click_gives_the_aneurysm_on_the_volumes_own_grid(make_logic, make_balls, ijk_to_ras):
    volume = make_balls(ijk_to_ras)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    assert outcome.kind == "found" and outcome.message == ""
    node = outcome.segmentationNode
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, outcome.segmentId, volume)
    assert np.array_equal(found != 0, slicer.util.arrayFromVolume(volume) == 200)
    assert np.abs(outcome.aneurysm.ras - ANEURYSM_CENTER).max() < 0.5 * min(volume.GetSpacing())


@pytest.mark.parametrize("kind", ["shifted and turned", "turned"])
def test_the_click_is_meant_in_the_world(make_logic, make_balls, world_centroid, kind):
    parent = OBLIQUE_PARENT.copy()
    if kind == "turned":
        parent[:3, 3] = 0
    volume = make_balls(parent=parent)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    node = outcome.segmentationNode
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    assert np.abs(world_centroid(node, "Aneurysm") - ANEURYSM_CENTER).max() < 0.4
    assert np.abs(outcome.aneurysm.ras - ANEURYSM_CENTER).max() < 0.4
    assert np.linalg.norm(outcome.highestRas - ANEURYSM_CENTER) < 4.5


def test_name_color_terminology_surface_and_place(make_logic, make_balls, scene):
    volume = make_balls()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    outcome = make_logic("good").segmentAtPoint(volume, ANEURYSM_CENTER)
    node = outcome.segmentationNode
    assert names(node) == ["Aneurysm"]
    segment = node.GetSegmentation().GetSegment(outcome.segmentId)
    assert segment.GetColor() == pytest.approx(COLORS[ANEURYSM])
    text = vtk.reference("")
    assert segment.GetTag("TerminologyEntry", text)
    assert text.get() == terminology_entry(ANEURYSM)
    assert surface_points(node, outcome.segmentId) > 100
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_further_clicks_add_further_aneurysms(make_logic, two_aneurysms):
    logic = make_logic("good")
    first = logic.segmentAtPoint(two_aneurysms, ANEURYSM_CENTER)
    second = logic.segmentAtPoint(two_aneurysms, at_voxel(two_aneurysms, SECOND))
    node = second.segmentationNode
    assert node is first.segmentationNode  # the last click's, without being told
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = [
        slicer.util.arrayFromSegmentBinaryLabelmap(node, one.segmentId, two_aneurysms)
        for one in (first, second)
    ]
    assert found[1].sum() == 64 and found[1][SECOND] == 1
    both = (found[0] + found[1]) != 0
    assert np.array_equal(both, slicer.util.arrayFromVolume(two_aneurysms) == 200)


def test_undo_takes_click_after_click_back(make_logic, two_aneurysms, scene):
    logic = make_logic("good")
    states = [snapshot(scene)]
    for place in (ANEURYSM_CENTER, at_voxel(two_aneurysms, SECOND)):
        logic.segmentAtPoint(two_aneurysms, place)
        states.append(snapshot(scene))
    for state in reversed(states[:-1]):
        assert logic.canUndoClick
        logic.undoClick()
        assert snapshot(scene) == state
    assert not logic.canUndoClick
    with pytest.raises(UserError, match="no click to take back"):
        logic.undoClick()


def test_a_click_on_what_is_there_refreshes_it_and_undo_brings_the_old_back(
    make_logic, make_balls, scene
):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    array = slicer.util.arrayFromVolume(volume)
    k, _, i = np.argwhere(array == 200).mean(axis=0).round().astype(int)
    array[k:, :, i:][array[k:, :, i:] == 200] = 0  # a part of it is gone
    slicer.util.arrayFromVolumeModified(volume)
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert outcome.isRefreshed
    assert segment_ids(node) == ["GSEMA_Aneurysm"]
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, outcome.segmentId, volume)
    assert np.array_equal(found != 0, array == 200)
    assert snapshot(scene) != before
    logic.undoClick()
    assert snapshot(scene) == before


def test_a_click_after_a_whole_run_refreshes_the_runs_aneurysm(make_logic, two_aneurysms):
    logic = make_logic("good")
    node = logic.segment(two_aneurysms)
    before = {one: int(voxels(node, one).sum()) for one in segment_ids(node)}
    second = at_voxel(two_aneurysms, SECOND)
    outcome = logic.segmentAtPoint(two_aneurysms, second, outputSegmentation=node)
    assert outcome.isRefreshed
    assert outcome.segmentId == "GSEMA_Aneurysm_2"
    assert {one: int(voxels(node, one).sum()) for one in segment_ids(node)} == before


def test_the_empty_segment_of_a_run_without_aneurysm_is_filled_first(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    array = slicer.util.arrayFromVolume(volume)
    ball = array == 200
    array[ball] = 0
    slicer.util.arrayFromVolumeModified(volume)
    node = logic.segment(volume)
    before = snapshot(scene)
    array[ball] = 200
    slicer.util.arrayFromVolumeModified(volume)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert not outcome.isRefreshed
    assert segment_ids(node) == ["GSEMA_Vessel", "GSEMA_Aneurysm"]
    assert voxels(node, "GSEMA_Aneurysm").sum() == ball.sum()
    logic.undoClick()
    assert snapshot(scene) == before


def test_aneurysms_that_only_touch_are_two(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    array = slicer.util.arrayFromVolume(volume)
    ball = array == 200
    i = int(np.argwhere(ball)[:, 2].max())
    edge = np.argwhere(ball & (np.indices(ball.shape)[2] == i))[0]  # shared by both
    array[ball] = 0
    array[edge[0] : edge[0] + 5, edge[1] : edge[1] + 5, i : i + 5] = 200
    slicer.util.arrayFromVolumeModified(volume)
    place = at_voxel(volume, (edge[0] + 2, edge[1] + 2, i + 2))
    assert not logic.segmentAtPoint(volume, place).isRefreshed
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = [
        slicer.util.arrayFromSegmentBinaryLabelmap(node, one, volume) for one in segment_ids(node)
    ]
    assert np.array_equal(found[0] != 0, ball)
    assert (found[0] & found[1]).sum() > 0


def test_segments_of_others_stay_untouched(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().AddEmptySegment("mine", "Aneurysm", (1.0, 1.0, 0.5))
    drawn = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
    drawn[20:40, 20:40, 20:45] = 1  # overlaps both balls
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, "mine", volume)
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert segment_ids(node) == ["mine", outcome.segmentId]
    assert names(node) == ["Aneurysm", "Aneurysm 2"]
    found = slicer.util.arrayFromSegmentBinaryLabelmap(node, "mine", volume)
    assert np.array_equal(found, drawn)
    logic.undoClick()
    assert snapshot(scene) == before


def test_nothing_there_is_said_and_changes_nothing(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    before = snapshot(scene)
    outcome = logic.segmentAtPoint(volume, VESSEL_CENTER)
    assert outcome.kind == "nothing" and not outcome.isFound
    assert outcome.segmentationNode is None
    assert outcome.probability == pytest.approx(0.4)
    assert outcome.highestProbability == pytest.approx(0.8)
    assert np.linalg.norm(outcome.highestRas - ANEURYSM_CENTER) <= 4
    assert "R 3.0, A -2.0, S 5.0 mm" in outcome.message and "0.80 at R 1" in outcome.message
    assert snapshot(scene) == before
    assert not logic.canUndoClick


def test_undo_spares_what_was_edited_after_the_click(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("good")
    outcome = logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    node, one = outcome.segmentationNode, outcome.segmentId
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, one, volume)
    drawn[0, 0, :5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, one, volume)
    with pytest.raises(UserError, match="was changed after the click"):
        logic.undoClick()
    assert voxels(node, one).sum() == drawn.sum()


@pytest.mark.parametrize("what", ["segment", "segmentation", "scene"])
def test_what_is_gone_needs_no_undo(make_logic, make_balls, scene, what):
    logic = make_logic("good")
    outcome = logic.segmentAtPoint(make_balls(), ANEURYSM_CENTER)
    if what == "segment":
        outcome.segmentationNode.GetSegmentation().RemoveSegment(outcome.segmentId)
    elif what == "segmentation":
        scene.RemoveNode(outcome.segmentationNode)
    else:
        scene.Clear()
    assert not logic.canUndoClick
    with pytest.raises(UserError, match="no click to take back"):
        logic.undoClick()


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("error", "The volume is constant"),
        ("crash", "crashed or was killed"),
        ("othergrid", "another grid"),
        ("outside", "lies outside balls"),
        ("otherlabels", "unknown labels 3"),
        ("nofile", "no readable result"),
        ("oldprotocol", "another version"),
    ],
)
def test_a_failing_worker_leaves_the_scene_as_it_was(make_logic, make_balls, scene, mode, sentence):
    volume = make_balls()
    before = snapshot(scene)
    with pytest.raises(UserError, match=sentence):
        make_logic(mode).segmentAtPoint(volume, ANEURYSM_CENTER)
    assert snapshot(scene) == before


def test_an_import_that_breaks_half_way_is_taken_back(make_logic, make_balls, scene, monkeypatch):
    from GSEMASegmentationLib import ClickImport

    def breaking(real):
        def broken(*values):
            real(*values)
            raise RuntimeError("no memory")

        return broken

    volume, logic = make_balls(), make_logic("good")
    node = logic.segmentAtPoint(volume, ANEURYSM_CENTER).segmentationNode
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    before = snapshot(scene)
    # The last things that it does.
    for name in ("placeOutput", "setVoxels"):
        monkeypatch.setattr(ClickImport, name, breaking(getattr(ClickImport, name)))
    for output in (None, node, empty):
        with pytest.raises(UserError, match=r"could not be imported \(no memory\)"):
            # Without telling the output, it would be that of the last click.
            logic._clicks._changes.clear()
            logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=output)
        assert snapshot(scene) == before


def test_undo_leaves_an_empty_segmentation_as_it_was(make_logic, make_balls, scene):
    parent = OBLIQUE_PARENT
    volume, logic = make_balls(parent=parent), make_logic("good")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "empty")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), folder)

    def links():
        role = node.GetReferenceImageGeometryReferenceRole()
        name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
        return (
            node.GetNodeReferenceID(role),
            node.GetSegmentation().GetConversionParameter(name),
            node.GetTransformNodeID(),
            node.GetNumberOfDisplayNodes(),
            hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)),
        )

    before = (links(), snapshot(scene))
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, outputSegmentation=node)
    assert all(old != new for old, new in zip(before[0], links(), strict=True))
    logic.undoClick()
    assert (links(), snapshot(scene)) == before


def test_places_that_are_none_are_explained(make_logic, make_balls):
    volume, logic = make_balls(), make_logic("good")
    with pytest.raises(UserError, match=r"R 500.0, A 0.0, S 0.0 mm lies outside balls"):
        logic.segmentAtPoint(volume, (500, 0, 0))
    with pytest.raises(UserError, match="lies outside balls"):
        logic.segmentAtPoint(volume, (float("nan"), 0, 0))
    for wrong in ((1, 2), ("a", 2, 3), None):
        with pytest.raises(UserError, match="must be three numbers"):
            logic.segmentAtPoint(volume, wrong)
    assert not logic._client.isRunning


def test_the_scan_is_sent_once_for_all_clicks(make_logic, make_balls, monkeypatch):
    from GSEMASegmentationLib import ScanTransfer

    exported = []
    export = ScanTransfer.exportVolume
    monkeypatch.setattr(
        ScanTransfer, "exportVolume", lambda *values: exported.append(values) or export(*values)
    )
    volume, logic = make_balls(), make_logic("good")
    for _ in range(3):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 1
    slicer.util.arrayFromVolumeModified(volume)  # it may be another one now
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 2
    logic.stop()  # a new worker knows nothing
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert len(exported) == 3


def test_a_click_while_the_scan_is_handed_over_waits_for_it(make_logic, make_balls, spin):
    volume, logic = make_balls(), make_logic("good")
    prepared, outcomes = [], []
    logic.prepareClicks(volume, onDone=prepared.append)
    assert not logic.isRunning  # it may be clicked already
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, blocking=False, onDone=outcomes.append)
    assert logic.isRunning
    with pytest.raises(UserError, match="is running"):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    spin(lambda: bool(outcomes))
    assert prepared[0].kind == "result"
    assert outcomes[0].isFound
    assert not logic.isRunning


def test_the_same_scan_is_handed_over_once(make_logic, make_balls, monkeypatch, spin):
    from GSEMASegmentationLib import ScanTransfer

    exported = []
    export = ScanTransfer.exportVolume
    monkeypatch.setattr(
        ScanTransfer, "exportVolume", lambda *values: exported.append(values) or export(*values)
    )
    logic, volume, other = make_logic("good"), make_balls(), make_balls(name="other")
    kinds = []

    def prepare(node):
        logic.prepareClicks(node, onDone=lambda outcome: kinds.append(outcome.kind))

    prepare(volume)
    prepare(volume)  # while the first is under way
    spin(lambda: len(kinds) == 2)
    prepare(volume)
    assert kinds == ["result"] * 3
    assert len(exported) == 1
    prepare(other)
    prepare(volume)  # the user has changed their mind
    spin(lambda: len(kinds) == 5)
    assert kinds[-1] == "result"
    assert logic.segmentAtPoint(volume, ANEURYSM_CENTER).isFound
    logic.stop()
    prepare(volume)
    spin(lambda: len(kinds) == 6)
    assert len(exported) == 4
    prepare(None)
    assert kinds[-1] == "error"


def test_cancel_leaves_the_scene(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("slow")
    before = snapshot(scene)
    with pytest.raises(Cancelled):
        logic.segmentAtPoint(
            volume, ANEURYSM_CENTER, onProgress=lambda fraction, phase: logic.cancel()
        )
    assert snapshot(scene) == before
    assert not logic.isRunning


@pytest.mark.parametrize("what", ["volume", "output", "scene"])
def test_what_is_removed_meanwhile_gets_nothing(make_logic, make_balls, scene, spin, what):
    volume, outcomes = make_balls(), []
    output = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "output")
    logic = make_logic("good")
    logic.segmentAtPoint(volume, ANEURYSM_CENTER, output, blocking=False, onDone=outcomes.append)
    if what == "scene":
        scene.Clear()
    else:
        scene.RemoveNode({"volume": volume, "output": output}[what])
    remaining = snapshot(scene)
    spin(lambda: bool(outcomes))
    assert outcomes[0].kind == ("cancelled" if what == "scene" else "error")
    assert what == "scene" or "was removed in the meantime" in outcomes[0].message
    assert snapshot(scene) == remaining


def test_many_clicks_leave_nothing_behind(make_logic, make_balls, scene):
    volume, logic = make_balls(), make_logic("good")
    logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    before = (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent"))
    for _ in range(10):
        logic.segmentAtPoint(volume, ANEURYSM_CENTER)
    assert (scene.GetNumberOfNodes(), scene.HasObserver("AnyEvent")) == before
    assert not logic._client._requests
