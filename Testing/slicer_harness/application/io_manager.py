"""``slicer.app.coreIOManager()``: reading and writing files through Slicer's storage nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk


class CoreIOManager:
    """What ``slicer.util.loadVolume``, ``saveNode``, ``loadScene`` and the like talk to."""

    def loadNodes(
        self, fileType: str, properties: dict[str, Any], nodes: Any = None, messages: Any = None
    ) -> bool:
        path = str(properties["fileName"])
        name = str(properties.get("name") or Path(path).name.split(".")[0])
        if not Path(path).exists():
            return False
        if fileType == "SceneFile":
            return self._loadScene(path, bool(properties.get("clear", False)))
        if fileType == "VolumeFile":
            options = 1 if properties.get("labelmap") else 0
            node = slicer.modules.volumes.logic().AddArchetypeVolume(
                path, name, options, vtk.vtkStringArray()
            )
        elif fileType == "SegmentationFile":
            logic = slicer.modules.segmentations.logic()
            node = logic.LoadSegmentationFromFile(path, True, name)
        else:
            raise ValueError(f"the harness does not read files of type {fileType}")
        if node is not None and nodes is not None:
            nodes.AddItem(node)
        return node is not None

    def _loadScene(self, path: str, clear: bool) -> bool:
        scene = slicer.mrmlScene
        scene.SetURL(path)
        if path.endswith(".mrb"):
            return bool(scene.ReadFromMRB(path, clear, None))
        return bool(scene.Connect() if clear else scene.Import())

    def fileType(self, path: str) -> str:
        for kind, suffixes in (
            ("SceneFile", (".mrb", ".mrml")),
            ("SegmentationFile", (".seg.nrrd",)),
            ("VolumeFile", (".nrrd", ".nii", ".nii.gz", ".mha")),
        ):
            if path.lower().endswith(suffixes):
                return kind
        return "NoFile"

    def fileWriterFileType(self, node: Any) -> str:
        return "NodeFile"

    def saveNodes(self, fileType: str, properties: dict[str, Any], messages: Any = None) -> bool:
        if fileType == "SceneFile":
            return self.saveScene(properties["fileName"])
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(properties["fileName"])
        storage.SetUseCompression(bool(properties.get("useCompression", True)))
        return bool(storage.WriteData(node))

    def saveScene(self, path: str, screenshot: Any = None) -> bool:
        scene = slicer.mrmlScene
        scene.SetURL(path)
        scene.SetRootDirectory(str(Path(path).parent))
        return bool(scene.WriteToMRB(path) if path.endswith(".mrb") else scene.Commit())
