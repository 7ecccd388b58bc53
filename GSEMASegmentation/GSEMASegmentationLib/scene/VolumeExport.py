"""A volume node out to a file that the worker reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError


def volumeKey(volumeNode: Any) -> str:
    """Names the volume's present content, so that the worker may keep what it has read."""
    matrix = _ijkToRas(volumeNode)
    numbers = ",".join(f"{matrix.GetElement(i, j):.9g}" for i in range(3) for j in range(4))
    return f"{volumeNode.GetID()}:{volumeNode.GetImageData().GetMTime()}:{numbers}"


def exportVolume(volumeNode: Any, path: Path) -> None:
    """Write the volume as an uncompressed NRRD file, without its parent transform.

    Raises:
        UserError: the file could not be written.
    """
    storage = slicer.vtkMRMLNRRDStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(False)
    if not storage.WriteData(volumeNode):
        raise UserError(
            _("The volume could not be written to {folder}: free some space there.").format(
                folder=path.parent
            )
        )


def _ijkToRas(volumeNode: Any) -> Any:
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return matrix
