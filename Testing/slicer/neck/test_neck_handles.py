"""A mouse on the plane's handles in Slicer's own 3D view."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import slicer.util

SAC, VESSEL_ID = "GSEMA_Aneurysm", "GSEMA_Vessel"
CENTER = np.array([2.0, 5.0, 3.0])
UP = np.array([0.0, 1.0, 0.0])


@pytest.fixture
def view(harness, scene):
    """Looks along S at the neck, A upwards."""
    from slicer_harness.views import ThreeDView

    made = ThreeDView(size=(500, 500))
    made.window.Render()
    camera = made.renderer.GetActiveCamera()
    camera.SetFocalPoint(2, 0.5, 3)
    camera.SetPosition(2, 0.5, 45)
    camera.SetViewUp(*UP)
    made.renderer.ResetCameraClippingRange()
    made.window.Render()
    return made


@pytest.fixture
def drag(view, harness):
    """Drag from a pixel to another, counted from the plane's middle; with events in between."""

    def drag(plane, start, end):
        view.window.Render()
        renderer = view.renderer
        renderer.SetWorldPoint(*plane.GetOriginWorld(), 1)
        renderer.WorldToDisplay()
        middle = np.array(renderer.GetDisplayPoint()[:2])

        def mouse(offset, event):
            x, y = (middle + offset).round().astype(int).tolist()
            view.interactor.SetEventInformation(x, y, 0, 0)
            view.interactor.InvokeEvent(event)
            harness.application.processEvents()

        view.interactor.InvokeEvent("EnterEvent")
        mouse(start, "MouseMoveEvent")
        mouse(start, "LeftButtonPressEvent")
        for share in np.linspace(0, 1, 6)[1:]:
            mouse(np.array(start) * (1 - share) + np.array(end) * share, "MouseMoveEvent")
        mouse(end, "LeftButtonReleaseEvent")

    return drag


def test_the_arrow_moves_it_along_its_normal_and_the_ring_turns_it(
    make_logic, case, same, view, drag
):
    logic = make_logic("good")
    logic.showNecks(case.node)
    plane = next(
        one
        for one in slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")
        if one.GetAttribute("GSEMASegmentation.neck") == SAC
    )
    before = case.masks()
    states = [(np.array(plane.GetOriginWorld()), before)]
    drag(plane, (0, 40), (0, 75))  # the arrow of the normal
    origin, normal = np.array(plane.GetOriginWorld()), np.array(plane.GetNormalWorld())
    moved = origin - states[0][0]
    assert moved @ UP > 1 and np.linalg.norm(np.cross(moved, UP)) < 0.2
    assert same(case.mask(SAC), before[SAC] & case.above(origin, normal))
    states.append((origin, case.masks()))
    drag(plane, (53, 53), (20, 72))  # the ring around S
    turned = np.array(plane.GetNormalWorld())
    assert np.degrees(np.arccos(turned @ normal)) > 10
    np.testing.assert_allclose(plane.GetOriginWorld(), origin, atol=1e-3)
    beyond = case.above(plane.GetOriginWorld(), turned)
    assert same(case.mask(SAC) & before[SAC], before[SAC] & beyond)
    # Each drag is one step.
    for origin, masks in reversed(states):
        assert logic.undo() == "the cut of Aneurysm 1"
        np.testing.assert_allclose(plane.GetOriginWorld(), origin, atol=1e-6)
        for segment_id, mask in case.masks().items():
            assert same(mask, masks[segment_id])
    assert logic.undoTitle == ""


def test_dragged_off_the_lumen_it_comes_back(make_logic, case, same, view, drag):
    logic = make_logic("good")
    logic.showNecks(case.node)
    case.node.GetSegmentation().RemoveSegment("GSEMA_Aneurysm_2")
    logic.showNecks(case.node)
    (plane,) = slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode")
    drag(plane, (0, 40), (0, 240))
    origin = np.array(plane.GetOriginWorld())
    assert origin[1] < CENTER[1] + 5  # within the sac, where it divided last
    beyond = case.above(origin, plane.GetNormalWorld())
    assert case.mask(SAC).any() and not (case.mask(SAC) & ~beyond).any()
