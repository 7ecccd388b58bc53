"""logic.cutAtPlane: which voxels change sides, and that nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util
from scipy.spatial import cKDTree

from gsema_core.errors import UserError

SAC, VESSEL_ID = "GSEMA_Aneurysm", "GSEMA_Vessel"
CENTER, RADIUS = np.array([2.0, 5.0, 3.0]), 5.0
UP = np.array([0.0, 1.0, 0.0])
OBLIQUE = np.array(
    [[0.8, -0.6, 0.0, 7.0], [0.6, 0.8, 0.0, -3.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]]
)
SHEARED = np.array(
    [[1.1, 0.2, 0.0, 2.0], [0.0, 0.9, 0.1, -3.0], [0.1, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]
)
TILTED = np.array([0.25, 1.0, -0.2]) / np.linalg.norm([0.25, 1.0, -0.2])
HIGH = CENTER + 0.7 * UP


@pytest.mark.parametrize("parent", [None, OBLIQUE, SHEARED], ids=["none", "rigid", "sheared"])
def test_the_dome_beyond_the_plane_stays_and_the_rest_becomes_vessel(
    make_logic, make_case, ijk_to_ras, parent, same
):
    case, logic = make_case(ijk_to_ras, parent), make_logic("good")
    before = case.masks()
    outcome = logic.cutAtPlane(case.node, SAC, HIGH, TILTED)
    after = case.masks()
    beyond = case.above(HIGH, TILTED)
    assert same(after[SAC], before[SAC] & beyond)
    assert same(after[VESSEL_ID], before[VESSEL_ID] | (before[SAC] & ~beyond))
    for other in ("GSEMA_Aneurysm_2", "bone"):
        assert same(after[other], before[other])
    # In the mm of the segmentation itself, as all of its measurements.
    mm3 = np.prod(case.volume.GetSpacing())
    lost = np.count_nonzero(before[SAC] & ~beyond) * mm3 / 1000
    assert outcome.toVesselMl == pytest.approx(lost, rel=1e-9)
    assert (outcome.toAneurysmMl, outcome.isChanged) == (0, True)
    assert (outcome.segmentId, outcome.vesselId) == (SAC, VESSEL_ID)


def test_a_cap_has_the_volume_of_the_formula(make_logic, case):
    make_logic("good").cutAtPlane(case.node, SAC, CENTER + 1.5 * UP, UP)
    height = RADIUS - 1.5
    expected = np.pi * height**2 * (3 * RADIUS - height) / 3
    found = np.count_nonzero(case.mask(SAC)) * 0.6**3
    assert found == pytest.approx(expected, abs=0.3 * np.pi * (RADIUS**2 - 1.5**2))


def test_into_the_vessel_and_back(make_logic, case, same):
    """Forth and back gives the same, whatever lay between; the same plane again changes nothing."""
    logic, before = make_logic("good"), case.masks()
    neck = (2.0, 0.1, 3.0)
    logic.cutAtPlane(case.node, SAC, neck, UP)
    first = case.masks()
    for place, normal in ((HIGH, TILTED), ((2, -1.6, 3), UP), ((2.5, -0.5, 3), (0.3, 1, 0))):
        outcome = logic.cutAtPlane(case.node, SAC, place, normal)
        assert outcome.isChanged
        now = case.masks()
        both = before[SAC] | before[VESSEL_ID]
        assert same(now[SAC] | now[VESSEL_ID], both)
        assert not (now[SAC] & now[VESSEL_ID]).any()
    assert not logic.cutAtPlane(case.node, SAC, place, normal).isChanged
    logic.cutAtPlane(case.node, SAC, neck, UP)
    for segment_id, mask in case.masks().items():
        assert same(mask, first[segment_id])
    outcome = logic.cutAtPlane(case.node, SAC, (2, -1.6, 3), UP)
    assert outcome.toAneurysmMl > 0 and outcome.toVesselMl == 0
    gained = case.mask(SAC) & before[VESSEL_ID]
    assert np.abs(case.points[gained][:, 0] - 2).max() < 6  # not the vessel from end to end


def test_ids_names_colors_layers_and_other_surfaces_stay(make_logic, case):
    segmentation = case.node.GetSegmentation()

    def described():
        found = []
        for one in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(one)
            layer = segmentation.GetLayerIndex(one)
            found.append(
                (one, segment.GetName(), segment.GetColor(), layer, segment.GetLabelValue())
            )
        return found

    before = described()
    others = ("GSEMA_Aneurysm_2", "bone")
    surfaces = {
        one: case.node.GetClosedSurfaceInternalRepresentation(one) for one in (*others, SAC)
    }
    times = {one: surface.GetMTime() for one, surface in surfaces.items()}
    logic = make_logic("good")
    for place in (HIGH, (2, -1, 3)):
        logic.cutAtPlane(case.node, SAC, place, UP)
    assert described() == before
    for one in others:
        now = case.node.GetClosedSurfaceInternalRepresentation(one)
        assert now is surfaces[one] and now.GetMTime() == times[one]
    assert case.node.GetClosedSurfaceInternalRepresentation(SAC) is not surfaces[SAC]


def test_the_surfaces_are_those_of_the_voxels(make_logic, case):
    """While planes move, the vessel's surface is joined from parts; at rest, it is made whole."""
    logic = make_logic("good")

    def surfaces():
        return {one: case.surface(one) for one in (SAC, VESSEL_ID)}

    whole = surfaces()
    for place in (HIGH, CENTER + 2 * UP, HIGH):
        logic.cutAtPlane(case.node, SAC, place, UP)
    joined = surfaces()
    slicer.vtkSlicerSegmentationsModuleLogic.ReconvertAllRepresentations(
        case.node, [SAC, VESSEL_ID]
    )
    for one, (points, triangles) in surfaces().items():
        assert triangles == joined[one][1] != whole[one][1]
        for some, others in ((points, joined[one][0]), (joined[one][0], points)):
            assert cKDTree(others).query(some)[0].max() < 0.01  # mm, of voxels of 0.6 mm


def test_surfaces_that_are_off_stay_off(make_logic, case):
    case.node.RemoveClosedSurfaceRepresentation()
    make_logic("good").cutAtPlane(case.node, SAC, HIGH, UP)
    assert not case.node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_a_sac_in_a_label_map_of_its_own_over_somebodys_segment(make_logic, case, same):
    """What lies in the same place in another layer keeps its voxels."""
    case.add("Plaque", "Plaque", np.linalg.norm(case.points - (2, 1.5, 3), axis=-1) < 2)
    segmentation = case.node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() > 1
    logic, before = make_logic("good"), case.masks()
    for place in (HIGH, (2, -1, 3), HIGH):
        logic.cutAtPlane(case.node, SAC, place, UP)
        after = case.masks()
        for other in ("Plaque", "bone", "GSEMA_Aneurysm_2"):
            assert same(after[other], before[other])
    beyond = case.above(HIGH, UP)
    assert same(after[SAC], before[SAC] & beyond)
    assert same(after[VESSEL_ID], before[VESSEL_ID] | (before[SAC] & ~beyond))


def test_the_vessel_that_the_sac_touches_is_the_one_that_changes(make_logic, case, same):
    case.add("veins", "Vein vessel", case.points[..., 1] > 12)
    before = case.masks()
    outcome = make_logic("good").cutAtPlane(case.node, SAC, HIGH, UP)
    assert outcome.vesselId == VESSEL_ID
    assert same(case.mask("veins"), before["veins"])


@pytest.mark.parametrize(
    ("place", "normal", "words"),
    [
        ((2, 20, 3), UP, "crosses neither"),
        ((2, 60, 3), UP, "5[01] mm from Aneurysm 1: move its middle"),
        (HIGH, -UP, "turned over"),
        (HIGH, (0, 0, 0), "no plane"),
        (HIGH, (0, np.nan, 1), "no plane"),
        ((np.inf, 0, 0), UP, "no plane"),
        ((-14, -2, 3), (1, 0.1, 0), "away from the aneurysm"),
    ],
)
def test_planes_that_separate_nothing_are_refused(make_logic, case, place, normal, words, same):
    logic, before = make_logic("good"), case.masks()
    with pytest.raises(UserError, match=words):
        logic.cutAtPlane(case.node, SAC, place, normal)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])
    assert logic.undoTitle == ""


def test_what_cannot_be_cut_is_refused(make_logic, case, scene):
    logic, node = make_logic("good"), case.node
    for wrong in (None, case.volume):
        with pytest.raises(UserError, match="choose a segmentation"):
            logic.cutAtPlane(wrong, SAC, HIGH, UP)
    for wrong in ("nothing", VESSEL_ID, "bone", ""):
        with pytest.raises(UserError, match=r"has no aneurysm .*GSEMA_Aneurysm, GSEMA_Aneurysm_2"):
            logic.cutAtPlane(node, wrong, HIGH, UP)
    empty = node.GetSegmentation().AddEmptySegment("empty", "Left aneurysm")
    with pytest.raises(UserError, match="Left aneurysm is empty"):
        logic.cutAtPlane(node, empty, HIGH, UP)
    warp = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    node.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(UserError, match="non-linear transform warp"):
        logic.cutAtPlane(node, SAC, HIGH, UP)
    node.SetAndObserveTransformNodeID(None)
    node.GetSegmentation().RemoveSegment(VESSEL_ID)
    with pytest.raises(UserError, match="no vessel that it could be cut from"):
        logic.cutAtPlane(node, SAC, HIGH, UP)
    node.SetSourceRepresentationToClosedSurface()
    with pytest.raises(UserError, match="stored as surfaces"):
        logic.cutAtPlane(node, SAC, HIGH, UP)


def test_undo_step_by_step_and_an_edit_by_hand_in_between(make_logic, case, same):
    logic, states = make_logic("good"), [case.masks()]
    for place in (HIGH, CENTER + 2 * UP, (2, -1, 3)):
        logic.cutAtPlane(case.node, SAC, place, UP)
        states.append(case.masks())
    for state in reversed(states[:-1]):
        assert logic.undoTitle == "the cut of Aneurysm 1"
        logic.undo()
        for segment_id, mask in case.masks().items():
            assert same(mask, state[segment_id])
    assert logic.undoTitle == ""
    # What was undone is known: the next cut starts from the same aneurysm.
    logic.cutAtPlane(case.node, SAC, HIGH, UP)
    assert same(case.mask(SAC), states[1][SAC])
    drawn = case.mask(SAC)
    drawn[:2, :2, :2] = True  # far away from the neck, in the same segment
    case.draw(SAC, drawn)
    drawn &= case.points[..., 1] < 8
    case.draw(SAC, drawn)
    with pytest.raises(UserError, match="Aneurysm 1 was edited after the cut of Aneurysm 1"):
        logic.undo()
    assert same(case.mask(SAC), drawn)


def test_after_an_undo_reset_still_knows_the_first_division(make_logic, case, same):
    logic, before = make_logic("good"), case.masks()
    for place in (HIGH, CENTER + 2 * UP):
        logic.cutAtPlane(case.node, SAC, place, UP)
    logic.undo()
    logic.resetNeck(case.node, SAC)
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_another_aneurysm_that_overlaps_the_vessel_is_no_vessel(make_logic, case, same):
    over = np.linalg.norm(case.points - (2, -1, 3), axis=-1) < 1.3
    case.add("over", "Over aneurysm", over)
    before = case.masks()
    make_logic("good").cutAtPlane(case.node, SAC, (2, -1.6, 3), UP)
    after = case.masks()
    assert (after[SAC] & before[VESSEL_ID]).any()
    assert not (after[SAC] & over).any()
    assert same(after["over"], before["over"])
    assert same(after[VESSEL_ID] & over, before[VESSEL_ID] & over)


def test_after_an_edit_by_hand_the_edited_aneurysm_is_what_is_cut(make_logic, case, same):
    logic = make_logic("good")
    logic.cutAtPlane(case.node, SAC, CENTER + 2 * UP, UP)
    drawn = case.mask(SAC) & (case.points[..., 0] < 4)
    case.draw(SAC, drawn)
    edited = case.masks()
    logic.cutAtPlane(case.node, SAC, CENTER + 3 * UP, UP)
    assert same(case.mask(SAC), drawn & case.above(CENTER + 3 * UP, UP))
    logic.resetNeck(case.node, SAC)
    for segment_id, mask in case.masks().items():
        assert same(mask, edited[segment_id])


def test_reset_brings_the_first_division_back_and_can_be_undone(make_logic, case, same):
    logic, before = make_logic("good"), case.masks()
    for place in (HIGH, (2, -1, 3), CENTER + 2 * UP):
        logic.cutAtPlane(case.node, SAC, place, TILTED)
    cut = case.masks()
    assert logic.resetNeck(case.node, SAC).isChanged
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])
    assert not logic.resetNeck(case.node, SAC).isChanged
    logic.undo()
    for segment_id, mask in case.masks().items():
        assert same(mask, cut[segment_id])


def test_two_aneurysms_are_cut_independently(make_logic, case, same):
    logic, before = make_logic("good"), case.masks()
    logic.cutAtPlane(case.node, SAC, HIGH, UP)
    logic.cutAtPlane(case.node, "GSEMA_Aneurysm_2", (-9, 1.9, 3), UP)
    logic.resetNeck(case.node, SAC)
    after = case.masks()
    assert same(after[SAC], before[SAC])
    beyond = case.above((-9, 1.9, 3), UP)
    assert same(after["GSEMA_Aneurysm_2"], before["GSEMA_Aneurysm_2"] & beyond)
    logic.undo()  # the reset
    logic.undo()
    logic.undo()
    for segment_id, mask in case.masks().items():
        assert same(mask, before[segment_id])


def test_no_node_stays_behind(make_logic, case, scene):
    logic = make_logic("good")
    count = scene.GetNumberOfNodes()
    for n in range(30):
        logic.cutAtPlane(case.node, SAC, CENTER + 0.1 * n * UP, UP)
    assert scene.GetNumberOfNodes() == count
