"""The probability volume beside the scan, and what the worker is told of the threshold."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util

from gsema_core.errors import UserError


def test_the_probability_lies_on_the_scan(make_logic, make_balls, ijk_to_ras, scene):
    volume = make_balls(ijk_to_ras, name="case")
    node = make_logic("good").segment(volume, keepProbability=True)
    probability = slicer.util.getNode("case aneurysm probability")
    assert probability.GetClassName() == "vtkMRMLScalarVolumeNode"
    found = slicer.util.arrayFromVolume(probability)
    vessel_or_aneurysm = slicer.util.arrayFromVolume(volume) / 100  # the fake's labels
    assert np.array_equal(found, vessel_or_aneurysm * 0.5)
    assert np.allclose(
        slicer.util.arrayFromVTKMatrix(matrix_of(probability)),
        slicer.util.arrayFromVTKMatrix(matrix_of(volume)),
    )
    assert node.GetNodeReference("GSEMA_AneurysmProbability") is probability


def matrix_of(node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_transform_and_folder_are_those_of_the_scan(make_logic, make_balls, scene):
    volume = make_balls(parent=np.diag([-1.0, -1.0, 1.0, 1.0]), name="case")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    make_logic("good").segment(volume, keepProbability=True)
    probability = slicer.util.getNode("case aneurysm probability")
    assert probability.GetParentTransformNode() is volume.GetParentTransformNode()
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(probability)) == study


def test_a_second_run_takes_the_same_node(make_logic, make_balls, scene):
    volume, logic = make_balls(name="case"), make_logic("good")
    node = logic.segment(volume, keepProbability=True)
    nodes = scene.GetNumberOfNodes()
    logic.segment(volume, outputSegmentation=node, keepProbability=True)
    assert scene.GetNumberOfNodes() == nodes


def test_without_the_wish_there_is_none(make_logic, make_balls, scene):
    make_logic("good").segment(make_balls())
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_values_beyond_0_and_1_are_not_imported(make_logic, make_balls, scene):
    volume = make_balls()
    nodes = scene.GetNumberOfNodes()
    with pytest.raises(UserError, match="probabilities beyond 0 and 1"):
        make_logic("otherprobability").segment(volume, keepProbability=True)
    assert scene.GetNumberOfNodes() == nodes


def test_the_panels_choices_reach_the_worker(panel, make_balls, spin, monkeypatch):
    asked = []
    submit = panel.logic._client.submit

    def spy(command, **fields):
        asked.append(fields)
        return submit(command, **fields)

    monkeypatch.setattr(panel.logic._client, "submit", spy)
    panel.ui.inputSelector.setCurrentNode(make_balls(name="case"))
    panel.ui.deviceComboBox.currentIndex = 1
    widgets = {name: field.widget for name, field in panel.settings.fields.items()}
    widgets["overlap"].value = 0.25
    widgets["minimum_aneurysm_mm3"].value = 9.0
    for value, expected in ((0.0, None), (0.3, 0.3)):
        widgets["aneurysm_threshold"].value = value
        panel.ui.keepProbabilityCheckBox.checked = value > 0
        panel.ui.segmentButton.click()
        spin(lambda: not panel.logic.isRunning)
        fields = asked[-1]
        assert fields["settings"].get("aneurysm_threshold") == expected
        assert (fields["probabilities"] is None) == (value == 0)
        assert (fields["device"], fields["settings"]["overlap"]) == ("cpu", 0.25)
        assert fields["settings"]["minimum_aneurysm_mm3"] == 9.0
    assert widgets["aneurysm_threshold"].specialValueText == "Automatic"
    assert slicer.util.getNode("case aneurysm probability") is not None
