"""A training's curves."""

from __future__ import annotations

import pytest
import slicer
import slicer.util


def test_plots_follow_the_files(panel, begin, look, spin, scene):
    begin("quick")
    spin(lambda: look().isFinished, 60)
    charts = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    assert sorted(charts) == ["Gate", "Losses", "Validation Dice"]
    assert charts["Losses"].GetNumberOfPlotSeriesNodes() == 3
    series = charts["Validation Dice"].GetNthPlotSeriesNode(0)
    table = series.GetTableNode().GetTable()
    assert series.GetYColumnName() == "aneurysm_dice"
    assert [table.GetValueByName(row, "step").ToInt() for row in range(4)] == [10, 20, 30, 40]
    assert table.GetValueByName(3, "aneurysm_dice").ToDouble() == pytest.approx(0.4)
    assert not table.IsA("vtkMRMLNode") and not series.GetSaveWithScene()
    panel.ui.plotsButton.click()  # without a window there is no view, and no error
    module = slicer.modules.gsematraining
    module.closeWidget()
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 0
