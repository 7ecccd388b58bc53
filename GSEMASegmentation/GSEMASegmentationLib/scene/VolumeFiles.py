"""Volume nodes to files that the worker reads, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.files.native_libraries import decimal_points
from GSEMASegmentationLib.scene.Coordinates import ijkToRas


def volumeKey(volumeNode: Any) -> str:
    """Names the volume's present content, so that the worker may keep what it has read."""
    matrix = ijkToRas(volumeNode)
    numbers = ",".join(f"{matrix.GetElement(i, j):.9g}" for i in range(3) for j in range(4))
    return f"{volumeNode.GetID()}:{volumeNode.GetImageData().GetMTime()}:{numbers}"


def checkUnchanged(volumeNode: Any, key: str, outputNode: Any) -> None:
    """Raise UserError if a node has left the scene, or the volume is not what it was.

    Args:
        volumeNode: the volume.
        key: its ``volumeKey`` before.
        outputNode: the output, None for a new one.
    """
    for node in (volumeNode, outputNode):
        if node is not None and not slicer.mrmlScene.IsNodePresent(node):
            raise UserError(
                _("{name} was removed in the meantime: nothing was imported.").format(
                    name=node.GetName()
                )
            )
    if volumeKey(volumeNode) != key:
        raise UserError(
            _("{name} was changed in the meantime: try again.").format(name=volumeNode.GetName())
        )


def exportVolume(volumeNode: Any, path: Path) -> None:
    """Write the voxels and their geometry as an uncompressed NRRD file.

    Not the parent transform, and nothing else of the node: Slicer would write its name and its
    DICOM attributes into the header.

    Raises:
        UserError: the file could not be written.
    """
    bare = slicer.vtkMRMLScalarVolumeNode()
    bare.SetAndObserveImageData(volumeNode.GetImageData())
    bare.SetIJKToRASMatrix(ijkToRas(volumeNode))
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(False)
    with decimal_points():
        written = storage.WriteData(bare)
    if not written:
        raise UserError(
            _("The volume could not be written to {folder}: free some space there.").format(
                folder=path.parent
            )
        )


def readVolume(path: Path, node: Any) -> bool:
    """Read an NRRD file into a volume node that is not in the scene; return whether it could be."""
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    with decimal_points():
        return bool(path.is_file() and storage.ReadData(node) and node.GetImageData() is not None)
