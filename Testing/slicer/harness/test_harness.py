"""The harness keeps PythonQt's and Slicer's rules, or the other tests here prove little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

MODULE = """
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget

class Tiny(ScriptedLoadableModule):
    def __init__(self, parent):
        super().__init__(parent)
        parent.title = "A tiny module"

class TinyWidget(ScriptedLoadableModuleWidget):
    def setup(self):
        super().setup()
        self.logic = "the logic"
    def enter(self):
        self.entered = self.parent.isEntered
    def exit(self):
        pass
    def cleanup(self):
        self.cleaned = True
"""


@pytest.fixture
def qt(scene):
    import qt

    return qt


def test_properties_are_attributes(qt):
    button = qt.QPushButton("Segment")
    button.toolTip = "why"
    button.enabled = 0  # PythonQt takes any truth value
    assert (button.text, button.toolTip, button.enabled) == ("Segment", "why", False)
    with pytest.raises(TypeError):
        button.text()
    assert qt.QTimer().singleShot is False
    assert callable(qt.QTimer.singleShot)


def test_what_the_class_lacks_cannot_be_read_or_set(qt):
    button = qt.QPushButton()
    for name in ("txt", "state", "setTxt"):
        with pytest.raises(AttributeError):
            getattr(button, name)
    with pytest.raises(AttributeError, match="no property 'txt'"):
        button.txt = "Segment"
    with pytest.raises(AttributeError, match="read-only"):
        qt.QSpinBox().cleanText = "1"

    class Panel(qt.QWidget):
        """A subclass in Python may have attributes of its own."""

    panel = Panel()
    panel.logic = 3
    assert panel.logic == 3


def test_connect_knows_the_signals_and_trims_arguments(qt):
    button, calls = qt.QPushButton(), []
    button.checkable = True
    button.connect("clicked(bool)", lambda: calls.append("none"))
    button.connect("clicked(bool)", calls.append)
    button.connect("clicked()", lambda *given: calls.append(given))
    button.click()
    assert calls == ["none", True, ()]
    for signature in ("clickd()", "clicked(QString)", "clicked"):
        with pytest.raises(RuntimeError):
            button.connect(signature, print)


def test_disconnect_ends_exactly_that_connection(qt):
    spin_box, first, second = qt.QSpinBox(), [], []
    spin_box.connect("valueChanged(int)", first.append)
    spin_box.connect("valueChanged(int)", second.append)
    assert spin_box.disconnect("valueChanged(int)", first.append)
    assert not spin_box.disconnect("valueChanged(int)", print)
    spin_box.value = 4
    assert (first, second) == ([], [4])


def test_node_combo_box_follows_the_scene(scene):
    import slicer

    box, nodes = slicer.qMRMLNodeComboBox(), []
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.connect("currentNodeChanged(vtkMRMLNode*)", nodes.append)
    box.setMRMLScene(scene)
    first = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "first")
    second = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "second")
    box.setCurrentNode(second)
    scene.RemoveNode(second)
    assert nodes == [first, second, first]
    with pytest.raises(RuntimeError):
        box.connect("currentNodeChanged(vtkMRMLVolumeNode*)", print)
    with pytest.raises(AttributeError):
        box.setNodeTypes(["vtkMRMLNode"])  # neither a slot nor invokable: not in Slicer's Python


def test_node_combo_box_without_choice_and_by_type(scene):
    import slicer

    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.noneEnabled, box.showChildNodeTypes = True, False
    box.setMRMLScene(scene)
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "a child type")
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a volume")
    assert box.currentNode() is None
    assert box.nodeCount() == 1
    box.currentNodeID = volume.GetID()
    assert box.currentNode() is volume


def test_ui_files_are_checked(scene, tmp_path):
    import slicer.util

    def ui(body: str, connection: str = "") -> str:
        custom = "<customwidget><class>{0}</class><extends>QWidget</extends></customwidget>"
        classes = "".join(
            custom.format(name) for name in ("qMRMLWidget", "ctkSliderWidget", "ctkUnknown")
        )
        path = tmp_path / "panel.ui"
        path.write_text(
            '<ui version="4.0"><class>P</class><widget class="qMRMLWidget" name="P">'
            f"<layout class='QVBoxLayout'>{body}</layout></widget>"
            f"<customwidgets>{classes}</customwidgets><connections>{connection}</connections></ui>"
        )
        return str(path)

    slider = '<item><widget class="ctkSliderWidget" name="s"><property name="{}">'
    slider += "<double>7</double></property></widget></item>"
    panel = slicer.util.childWidgetVariables(slicer.util.loadUI(ui(slider.format("value"))))
    assert panel.s.value == 7
    with pytest.raises(RuntimeError, match="no property valeu"):
        slicer.util.loadUI(ui(slider.format("valeu")))
    with pytest.raises(RuntimeError, match="no stand-in for ctkUnknown"):
        slicer.util.loadUI(ui('<item><widget class="ctkUnknown" name="u"/></item>'))
    wrong = "<connection><sender>P</sender><signal>sceneChanged()</signal><receiver>s</receiver>"
    with pytest.raises(RuntimeError, match="no signal sceneChanged"):
        slicer.util.loadUI(
            ui(slider.format("value"), wrong + "<slot>setValue(double)</slot></connection>")
        )


def test_collapsible_button_folds_its_content(qt):
    import ctk

    button = ctk.ctkCollapsibleButton("Advanced")
    label = qt.QLabel("inside")
    qt.QVBoxLayout(button).addWidget(label)
    button.show()
    button.collapsed = True
    assert (label.visible, button.checked) == (False, False)
    button.collapsed = False
    assert label.visible


def test_parameter_node_binds_both_ways_and_keeps_slicers_encoding(scene):
    import ctk
    import slicer
    from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

    class Parameters:
        __annotations__ = {
            "volume": slicer.vtkMRMLScalarVolumeNode,
            "share": Annotated[float, WithinRange(0.0, 1.0)],
            "keep": bool,
        }
        share = 0.25

    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters = parameterNodeWrapper(Parameters)(node)
    slider = ctk.ctkSliderWidget()
    slider.setProperty("SlicerParameterName", "share")
    gui = type("Gui", (), {})()
    gui.slider = slider
    tag = parameters.connectGui(gui)
    assert (slider.value, slider.maximum) == (0.25, 1.0)
    parameters.share = 0.5
    assert slider.value == 0.5
    slider.value = 0.75
    assert parameters.share == 0.75
    parameters.disconnectGui(tag)
    slider.value = 0.1
    assert parameters.share == 0.75
    with pytest.raises(ValueError, match="not within"):
        parameters.share = 2.0
    with pytest.raises(TypeError):
        parameters.volume = node
    parameters.keep = True
    assert (node.GetParameter("keep"), node.GetParameter("share")) == ("True", "0.75")


def test_modules_are_loaded_as_slicer_does(scene, tmp_path):
    import slicer
    import slicer.util
    from slicer_harness.loader import load_module

    path = tmp_path / "Tiny.py"
    path.write_text(MODULE)
    load_module(path)
    assert slicer.modules.tiny.title == "A tiny module"
    assert slicer.util.modulePath("Tiny") == str(path)
    assert slicer.util.getModuleLogic("Tiny") == "the logic"
    widget = slicer.modules.tiny.widgetRepresentation()
    widget.enter()
    assert widget.self().entered
    with pytest.raises(AttributeError):
        slicer.modules.tiny.titel = "a typing error"
    panel = widget.self()
    slicer.modules.tiny.closeWidget()
    assert panel.cleaned


def test_files_go_through_slicers_storage_nodes(scene, tmp_path):
    import slicer.util

    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    matrix = np.diag([-0.5, -0.5, 2.0, 1.0])
    volume = slicer.util.addVolumeFromArray(array, matrix, "scan")
    assert slicer.util.saveNode(volume, str(tmp_path / "scan.nrrd"))
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    scene.Clear()
    loaded = slicer.util.loadVolume(str(tmp_path / "scan.nrrd"))
    assert np.array_equal(slicer.util.arrayFromVolume(loaded), array)
    scene.Clear()
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    again = slicer.util.getNode("scan")
    assert slicer.util.arrayFromVolume(again).dtype == np.int16
    assert tuple(again.GetSpacing()) == (0.5, 0.5, 2.0)
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "none.nrrd"))


def test_data_nodes_are_in_the_subject_hierarchy(scene):
    import slicer

    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemByDataNode(volume) > 0
    scene.RemoveNode(volume)
    assert hierarchy.GetNumberOfItems() == 0


def test_the_terminology_lists_of_slicer_are_there_by_name(scene):
    import slicer

    share = Path(slicer.app.temporaryPath) / "share"
    names = {json.loads(path.read_text()).get("AnatomicContextName") for path in share.iterdir()}
    assert "Anatomic codes - DICOM master list" in names
