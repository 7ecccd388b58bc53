"""The Segment Editor as other modules open it, and the window's choice of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from PySide6 import QtWidgets
from PySide6.QtCore import Signal

from slicer_harness.widgets.stand_in import stand_in


@stand_in("slicer")
class qMRMLSegmentEditorWidget(QtWidgets.QWidget):
    """Keeps its choices in a real vtkMRMLSegmentEditorNode; it has no effects."""

    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    currentSegmentIDChanged = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._node: Any = None

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = node

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if self._node is not None:  # without it, Slicer says so in its log and does nothing
            self._node.SetAndObserveSegmentationNode(node)

    def segmentationNode(self) -> Any:
        return self._node and self._node.GetSegmentationNode()

    def setSourceVolumeNode(self, node: Any) -> None:
        if self._node is not None:
            self._node.SetAndObserveSourceVolumeNode(node)

    def sourceVolumeNode(self) -> Any:
        return self._node and self._node.GetSourceVolumeNode()

    def setCurrentSegmentID(self, segmentId: str) -> None:
        if self._node is not None:
            self._node.SetSelectedSegmentID(segmentId)

    def currentSegmentID(self) -> str:
        return (self._node and self._node.GetSelectedSegmentID()) or ""


class _EditorModuleWidget:
    """``slicer.modules.segmenteditor.widgetRepresentation().self()``."""

    def __init__(self) -> None:
        self.editor = qMRMLSegmentEditorWidget()

    def enter(self) -> None:
        """Its parameter node is a singleton that is made when it is first needed."""
        scene, tag = slicer.mrmlScene, "SegmentEditor"
        node = scene.GetSingletonNode(tag, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag(tag)
            node = scene.AddNode(node)
        self.editor.setMRMLSegmentEditorNode(node)

    def exit(self) -> None:
        """It keeps its choices."""


class SegmentEditorModule:
    """``slicer.modules.segmenteditor``."""

    name = "SegmentEditor"

    def __init__(self) -> None:
        self._python = _EditorModuleWidget()
        python = self._python

        class Representation(QtWidgets.QWidget):
            _standsForCpp = True

            def self(self) -> Any:
                return python

        self._widget = Representation()
        layout = QtWidgets.QVBoxLayout(self._widget)
        layout.addWidget(python.editor)

    def widgetRepresentation(self) -> Any:
        return self._widget


def module_selector(module: SegmentEditorModule) -> Callable[[Any], None]:
    """``slicer.util.selectModule`` of a Slicer with a main window: one module is left, one entered.

    Args:
        module: the Segment Editor; the other module is the segmentation panel.
    """
    widgets = {
        "SegmentEditor": module.widgetRepresentation().self(),
        "GSEMASegmentation": slicer.modules.gsemasegmentation.widgetRepresentation(),
    }
    current = ["GSEMASegmentation"]

    def select(chosen: Any) -> None:
        name = chosen if isinstance(chosen, str) else chosen.name
        if name != current[0]:
            widgets[current[0]].exit()
            current[0] = name
            widgets[name].enter()

    return select
