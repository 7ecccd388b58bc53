"""A volume brings its own segmentation back, and never that of another volume."""

from __future__ import annotations

import pytest
import slicer
import slicer.util

ANEURYSM = (14.0, 1.0, 3.0)


@pytest.fixture
def first(panel, make_balls, spin):
    """The panel after a run on the volume "first", whose table may still be on its way."""
    choose(panel, make_balls(name="first"))
    segment(panel, spin)
    return panel


def choose(panel, volume):
    panel.ui.inputSelector.setCurrentNode(volume)


def segment(panel, spin):
    panel.ui.segmentButton.click()
    spin(lambda: not panel.logic.isRunning)


def output(panel):
    return panel.ui.outputSelector.currentNode()


def test_back_at_a_volume_its_table_is_shown_again(first, make_balls, spin, settled):
    settled(first)
    volume, node = first.ui.inputSelector.currentNode(), output(first)
    second = make_balls(name="second")
    choose(first, second)
    assert output(first) is None and not first.ui.show3DButton.visible
    segment(first, spin)
    settled(first)
    assert output(first).GetName() == "second aneurysms"
    first.parent.show()
    choose(first, volume)
    assert output(first) is node
    assert first.ui.aneurysmTable.rowCount == 1
    assert first.ui.show3DButton.visible
    assert not first.logic.measuring.isRunning
    choose(first, second)
    assert output(first).GetName() == "second aneurysms"
    choose(first, None)
    assert output(first) is None


def test_a_table_that_was_on_its_way_comes_after_all(first, make_balls, spin, settled):
    spin(lambda: first.logic.measuring.isRunning)
    volume = first.ui.inputSelector.currentNode()
    choose(first, make_balls(name="second"))
    assert not first.logic.measuring.isRunning
    choose(first, volume)
    assert first.ui.editedLabel.text == "Measuring..."
    settled(first)
    assert first.ui.aneurysmTable.rowCount == 1


def test_a_run_that_ends_while_another_volume_is_chosen(panel, make_balls, fake_worker, settled):
    panel.logic._client._command = fake_worker("slow")
    volume = make_balls(name="case")
    choose(panel, volume)
    panel.ui.segmentButton.click()
    choose(panel, make_balls(name="other"))
    settled(panel)
    assert output(panel) is None
    choose(panel, volume)
    assert output(panel).GetName() == "case aneurysms"
    settled(panel)
    assert panel.ui.aneurysmTable.rowCount == 1


def test_a_click_counts_until_it_is_taken_back(panel, make_balls, spin):
    volume, other = make_balls(name="case"), make_balls(name="other")
    choose(panel, volume)
    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    mine.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    mine.GetSegmentation().AddEmptySegment("bone", "bone")
    panel.ui.outputSelector.setCurrentNode(mine)
    panel.clicks.onPoint(ANEURYSM)
    spin(lambda: not panel.logic.isRunning)
    for expected in (mine, None):
        choose(panel, other)
        assert output(panel) is None
        choose(panel, volume)
        assert output(panel) is expected
        if expected is not None:
            panel.ui.undoClickButton.click()
            assert mine.GetSegmentation().GetNumberOfSegments() == 1


def test_of_several_the_newest(first, make_balls, spin):
    volume = first.ui.inputSelector.currentNode()
    first.ui.outputSelector.setCurrentNode(None)
    segment(first, spin)
    newest = output(first)
    choose(first, make_balls(name="second"))
    choose(first, volume)
    assert output(first) is newest
    slicer.mrmlScene.RemoveNode(newest)
    choose(first, None)
    choose(first, volume)
    assert output(first).GetName() == "first aneurysms"


def test_what_others_have_made_is_not_chosen(panel, make_balls, scene):
    volume = make_balls(name="case")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    choose(panel, volume)
    assert output(panel) is None


def test_what_holds_another_volumes_segments_is_no_ones(first, make_balls, spin):
    """The user has chosen the first volume's segmentation by hand for the second one."""
    volume, node = first.ui.inputSelector.currentNode(), output(first)
    second = make_balls(name="second")
    choose(first, second)
    first.ui.outputSelector.setCurrentNode(node)
    segment(first, spin)
    assert output(first) is node
    for one in (volume, second):
        choose(first, None)
        choose(first, one)
        assert output(first) is None


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("choice", ["older", "none", "newest"])
def test_a_scene_keeps_its_own_choice(first, make_balls, spin, settled, tmp_path, choice, clear):
    older = output(first)
    first.ui.outputSelector.setCurrentNode(None)
    segment(first, spin)
    settled(first)
    chosen = {"older": older, "none": None, "newest": output(first)}[choice]
    name = chosen and chosen.GetName()
    first.ui.outputSelector.setCurrentNode(chosen)
    slicer.util.saveScene(str(tmp_path / "case.mrb"))
    choose(first, make_balls(name="second"))
    slicer.util.loadScene(str(tmp_path / "case.mrb"), {"clear": clear})
    first.parent.enter()
    assert first.ui.inputSelector.currentNode().GetName().startswith("first")
    assert output(first) is None if name is None else output(first).GetName().startswith(name)
    choose(first, None)
    choose(first, slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")[-1])
    made = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert output(first) is made[-1]  # also of a scene that was saved
