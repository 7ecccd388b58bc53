"""The scene and the module logics, wired as Slicer's application wires them."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
import vtk

_LOGICS = {
    "Colors": "vtkMRMLColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "ViewControllers": "vtkSlicerViewControllersLogic",
    "Volumes": "vtkSlicerVolumesLogic",
}

_SHOWN_IN_SUBJECT_HIERARCHY = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLModelNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLTransformNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
)


@dataclass
class Core:
    """The scene with its logics; keeping this object keeps every logic alive."""

    scene: Any
    application_logic: Any
    temporary_path: Path
    logics: dict[str, Any] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)


def start_core() -> Core:
    """Make the scene, its default nodes and the logics."""
    _errors_to_stderr()
    scene = slicer.vtkMRMLScene()
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    logic = slicer.vtkSlicerApplicationLogic()
    temporary_path = Path(tempfile.mkdtemp(prefix="slicer-harness-"))
    atexit.register(shutil.rmtree, temporary_path, ignore_errors=True)
    logic.SetMRMLScene(scene)
    logic.SetTemporaryPath(str(temporary_path))
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    core = Core(scene, logic, temporary_path)
    _add_module_logics(core)
    _add_remote_io(core)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    _mirror_nodes_in_subject_hierarchy(core)
    slicer.mrmlScene = scene
    return core


def _errors_to_stderr() -> None:
    """VTK's messages go to the output window alone; its logger would print them once more."""
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    window = vtk.vtkOutputWindow()
    window.SetDisplayModeToAlwaysStdErr()
    vtk.vtkOutputWindow.SetInstance(window)


def _add_module_logics(core: Core) -> None:
    share = core.temporary_path / "share"
    _write_terminologies(share)
    for name, class_name in _LOGICS.items():
        logic = getattr(slicer, class_name)()
        if name == "Terminologies":
            logic.SetModuleShareDirectory(str(share))
        logic.SetMRMLScene(core.scene)
        logic.SetMRMLApplicationLogic(core.application_logic)
        core.application_logic.SetModuleLogic(name, logic)
        core.logics[name] = logic


_SCHEMAS = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc"


def _write_terminologies(share: Path) -> None:
    """Empty lists under the names of Slicer's own, which the wheel does not contain."""
    share.mkdir()
    for file_name, context in (
        ("SlicerGeneralAnatomy", "Segmentation category and type - 3D Slicer General Anatomy list"),
        ("DICOM-Master", "Segmentation category and type - DICOM master list"),
    ):
        terminology = {
            "SegmentationCategoryTypeContextName": context,
            "@schema": f"{_SCHEMAS}/segment-context-schema.json#",
            "SegmentationCodes": {"Category": []},
        }
        path = share / f"SegmentationCategoryTypeModifier-{file_name}.term.json"
        path.write_text(json.dumps(terminology))
    regions = {
        "AnatomicContextName": "Anatomic codes - DICOM master list",
        "@schema": f"{_SCHEMAS}/anatomic-context-schema.json#",
        "AnatomicCodes": {"AnatomicRegion": []},
    }
    path = share / "AnatomicRegionAndModifier-DICOM-Master.term.json"
    path.write_text(json.dumps(regions))


def _add_remote_io(core: Core) -> None:
    """Reading .mrb files goes through the remote cache, even for local files."""
    remote, manager = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
    remote.SetMRMLScene(core.scene)
    remote.SetMRMLApplicationLogic(core.application_logic)
    cache = core.temporary_path / "remote-io"
    cache.mkdir()
    remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
    manager.SetMRMLScene(core.scene)
    manager.SetMRMLApplicationLogic(core.application_logic)
    manager.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()
    core.kept += [remote, manager]


def _mirror_nodes_in_subject_hierarchy(core: Core) -> None:
    """Every data node gets an item; in Slicer a Qt-side plugin does this."""
    scene = core.scene

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_node_added(caller: Any, event: str, node: Any) -> None:
        if scene.IsImporting() or node.GetHideFromEditors():
            return
        if not any(node.IsA(kind) for kind in _SHOWN_IN_SUBJECT_HIERARCHY):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        if not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node, "Harness")

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_node_about_to_be_removed(caller: Any, event: str, node: Any) -> None:
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def on_scene_replaced(caller: Any, event: str) -> None:
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)

    scene.AddObserver(scene.NodeAddedEvent, on_node_added)
    scene.AddObserver(scene.NodeAboutToBeRemovedEvent, on_node_about_to_be_removed)
    scene.AddObserver(scene.EndCloseEvent, on_scene_replaced)
    scene.AddObserver(scene.EndImportEvent, on_scene_replaced)


@contextmanager
def silenced_vtk() -> Iterator[None]:
    """Keep expected VTK errors out of a test's output."""
    previous = vtk.vtkOutputWindow.GetInstance()
    vtk.vtkOutputWindow.SetInstance(vtk.vtkStringOutputWindow())
    try:
        yield
    finally:
        vtk.vtkOutputWindow.SetInstance(previous)
