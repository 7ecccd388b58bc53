"""A training's curves."""

from __future__ import annotations

import pytest
import slicer
import slicer.util
import vtk

KINDS = ("vtkMRMLTableNode", "vtkMRMLPlotSeriesNode", "vtkMRMLPlotChartNode")


def nodes():
    return [node for kind in KINDS for node in slicer.util.getNodesByClass(kind)]


def test_plots_follow_the_files(panel, begin, look, spin, scene):
    begin("slow")
    spin(lambda: look().status.step > 12)
    panel.ui.plotsButton.click()
    charts = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    assert sorted(charts) == ["Gate", "Losses", "Validation Dice"]
    assert charts["Losses"].GetNumberOfPlotSeriesNodes() == 3
    series = charts["Validation Dice"].GetNthPlotSeriesNode(0)
    table = series.GetTableNode().GetTable()
    assert series.GetYColumnName() == "aneurysm_dice"
    spin(lambda: look().status.step >= 39 and table.GetNumberOfRows() == 3)
    assert [table.GetValueByName(row, "step").ToInt() for row in range(3)] == [10, 20, 30]
    assert table.GetValueByName(2, "aneurysm_dice").ToDouble() == pytest.approx(0.3)
    slicer.modules.gsematraining.closeWidget()
    assert nodes() == []


def test_plots_are_made_when_asked_for_and_do_not_clutter(panel, trained, spin, tmp_path):
    """Not in the data tree, not in selectors, not in a saved scene, and not twice."""
    wereHidden = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onAdded(caller, event, node):
        wereHidden.append(bool(node.GetHideFromEditors()))

    assert not panel.ui.plotsButton.enabled and not panel.ui.plotComboBox.enabled
    assert "no training in this folder" in panel.ui.plotsButton.toolTip
    trained()
    panel.train.watch.look()
    assert nodes() == []
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, onAdded)
    for _press in range(2):
        panel.ui.plotsButton.click()
        assert len(nodes()) == 12
    slicer.mrmlScene.RemoveObserver(tag)
    # The data tree looks when a node is added, and never again.
    assert wereHidden == [True] * 12
    panel.ui.plotComboBox.currentIndex = 2
    assert len(nodes()) == 12
    for node in nodes():
        assert node.GetHideFromEditors() and not node.GetSaveWithScene(), node.GetName()
    path = tmp_path / "scene.mrml"
    slicer.mrmlScene.SetURL(str(path))
    assert slicer.mrmlScene.Commit()
    saved = path.read_text()
    assert not [node.GetName() for node in nodes() if f'id="{node.GetID()}"' in saved]
    panel.ui.newFolderButton.click()
    assert nodes() == [] and not panel.ui.plotsButton.enabled
    panel.ui.plotComboBox.currentIndex = 1
    assert nodes() == []
