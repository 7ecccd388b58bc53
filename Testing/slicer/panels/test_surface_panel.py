from __future__ import annotations

import pytest


@pytest.fixture
def finished(panel, make_balls, settled):
    """The panel after a run."""
    panel.ui.inputSelector.setCurrentNode(make_balls())
    panel.ui.segmentButton.click()
    settled(panel)
    return panel


def test_export(finished, monkeypatch, tmp_path, spin):
    import qt

    answers = ["", str(tmp_path / "lumen.stl"), str(tmp_path / "lumen.txt")]
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", staticmethod(lambda *_: answers.pop(0)))
    ui, logic = finished.ui, finished.logic
    ui.exportSurfaceButton.click()
    assert not logic.isExporting and not ui.surfaceLabel.visible
    ui.exportSurfaceButton.click()
    assert logic.isExporting and not ui.exportSurfaceButton.enabled
    assert "wait" in ui.exportSurfaceButton.toolTip
    assert ui.surfaceLabel.text == "Making the surface..."
    spin(lambda: not logic.isExporting, 30)
    assert ui.exportSurfaceButton.enabled
    assert ui.surfaceLabel.text.startswith("lumen.stl: ")
    assert "open ends" in ui.surfaceLabel.text
    assert (tmp_path / "lumen.stl").stat().st_size > 1000
    ui.exportSurfaceButton.click()
    spin(lambda: not logic.isExporting, 30)
    assert "end its name with" in ui.surfaceLabel.text
    assert "color" in ui.surfaceLabel.styleSheet


def test_another_segmentation_has_nothing_said_of_it(finished, monkeypatch, tmp_path, spin, scene):
    import qt

    path = str(tmp_path / "lumen.vtp")
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", staticmethod(lambda *_: path))
    finished.ui.exportSurfaceButton.click()
    spin(lambda: not finished.logic.isExporting, 30)
    assert finished.ui.surfaceLabel.text
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of a colleague")
    finished.ui.outputSelector.setCurrentNode(other)
    assert finished.ui.surfaceLabel.text == ""
