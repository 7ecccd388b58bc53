"""The panel's volume is that of the slice views, until somebody chooses one or works on it."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util


@pytest.fixture
def red(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    node.SetLayoutName("Red")
    return node


@pytest.fixture
def show(red):
    """Put a volume into the slice views, as loading one does."""
    return lambda volume: red.SetBackgroundVolumeID(volume and volume.GetID())


def chosen(panel):
    node = panel.ui.inputSelector.currentNode()
    return node and node.GetName()


def segment(panel, spin):
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)


def test_the_shown_volume_is_chosen_and_not_the_first(panel, make_balls, show):
    make_balls(name="first")
    show(make_balls(name="shown"))
    panel.parent.enter()
    assert chosen(panel) == "shown"


def test_it_follows_what_is_loaded(panel, make_balls, show, scene):
    assert chosen(panel) is None
    show(make_balls(name="a"))
    assert chosen(panel) == "a"
    show(make_balls(name="b"))
    assert chosen(panel) == "b"
    show(None)
    assert chosen(panel) == "b"
    scene.RemoveNode(slicer.util.getNode("b"))
    show(slicer.util.getNode("a"))
    assert chosen(panel) == "a"


def test_views_that_come_later_are_followed_too(panel, make_balls, scene):
    volume = make_balls(name="later")
    node = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Yellow")
    node.SetLayoutName("Yellow")
    node.SetBackgroundVolumeID(volume.GetID())
    assert chosen(panel) == "later"


def test_a_choice_by_hand_stays(panel, make_balls, show):
    show(make_balls(name="shown"))
    panel.ui.inputSelector.setCurrentNode(make_balls(name="by hand"))
    show(make_balls(name="loaded"))
    assert chosen(panel) == "by hand"
    panel.parent.exit()
    panel.parent.enter()
    assert chosen(panel) == "by hand"


def test_what_cannot_be_segmented_is_not_followed(panel, make_balls, show, scene):
    show(make_balls(name="shown"))
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    show(labels)
    show(slicer.util.addVolumeFromArray(np.zeros((1, 4, 4)), name="a projection"))
    assert chosen(panel) == "shown"


def test_nothing_changes_while_it_runs_or_clicks(panel, make_balls, show, fake_worker, spin):
    show(make_balls(name="running"))
    panel.logic._client._command = fake_worker("waits")
    panel.ui.segmentButton.click()
    show(make_balls(name="loaded meanwhile"))
    assert chosen(panel) == "running"
    spin(lambda: not panel.logic.isRunning)
    assert panel.ui.outputSelector.currentNode().GetName() == "running aneurysms"
    panel.ui.clickButton.checked = True
    show(make_balls(name="loaded while clicking"))
    assert chosen(panel) == "running"
    assert panel.ui.clickButton.checked
    panel.ui.clickButton.checked = False
    spin(lambda: not panel.logic._client._requests)


def test_after_a_run_only_another_study_is_followed(panel, make_balls, show, spin, settled):
    prior = make_balls(name="prior")
    show(make_balls(name="case"))
    segment(panel, spin)
    show(prior)  # a look at it
    assert chosen(panel) == "case"
    settled(panel)
    assert panel.ui.aneurysmTable.rowCount == 1
    show(make_balls(name="next"))
    assert chosen(panel) == "next"
    assert panel.ui.outputSelector.currentNode() is None
    assert panel.ui.statusLabel.text == ""  # it told of the case before


def test_another_scene_begins_anew(panel, make_balls, show, scene):
    panel.ui.inputSelector.setCurrentNode(make_balls(name="by hand"))
    scene.Clear()
    assert chosen(panel) is None
    node = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    node.SetLayoutName("Red")
    node.SetBackgroundVolumeID(make_balls(name="new").GetID())
    assert chosen(panel) == "new"
