"""Which volume is segmented, and whether it can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.Coordinates import checkLinear
from GSEMASegmentationLib.scene.ImportedGrid import gridDoubt, gridProblem

SPACING_LIMITS_MM = (0.05, 5.0)
"""As the worker has them (``gsema_core.grids``); beyond, a header is wrong."""

AXES_TOLERANCE = 1e-3
"""As the worker has it: directions in files are often rounded to four digits."""

COARSE_MM = 1.0
"""Rotational angiography has voxels of 0.1 to 0.6 mm; ours."""


def firstVolume() -> Any:
    """The first volume of the scene that can be segmented, or None."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next((node for node in nodes if isUsable(node)), None)


def isUsable(volumeNode: Any) -> bool:
    """Whether a volume, or None, can be segmented, as far as that is seen without its voxels."""
    try:
        checkVolume(volumeNode)
    except UserError:
        return False
    return True


def volumeInfo(volumeNode: Any) -> str:
    """The volume's size in voxels and their size, or nothing where there is no image."""
    if volumeNode is None or volumeNode.GetImageData() is None:
        return ""
    size = " × ".join(str(count) for count in volumeNode.GetImageData().GetDimensions())
    spacing = volumeNode.GetSpacing()
    isIsotropic = max(spacing) - min(spacing) < 1e-3 * max(spacing)
    millimeters = " × ".join(f"{side:.3g}" for side in (spacing[:1] if isIsotropic else spacing))
    return _("{size}, {millimeters} mm").format(size=size, millimeters=millimeters)


def volumeJudgement(volumeNode: Any, voxelProblem: str = "") -> tuple[str, bool]:
    """What the panel says below the volume, and whether it can be segmented.

    Args:
        volumeNode: the chosen volume, or None.
        voxelProblem: what is wrong with its voxels, from VoxelCheck.

    Returns:
        The sentence: its geometry with "ready", or with what is wrong and how to mend it. And
        whether it can be segmented.
    """
    info = volumeInfo(volumeNode)
    try:
        checkVolume(volumeNode)
    except UserError as error:
        return (f"{info}: {error}" if info else str(error)), False
    if voxelProblem:
        return f"{info}: {voxelProblem}", False
    if max(volumeNode.GetSpacing()) > COARSE_MM:
        text = _("{info}: ready, but voxels above {limit:g} mm hide small aneurysms.")
        return text.format(info=info, limit=COARSE_MM), True
    if doubt := gridDoubt(volumeNode):
        return _("{info}: ready, but {doubt}").format(info=info, doubt=doubt), True
    return _("{info}: ready").format(info=info), True


def checkVolume(volumeNode: Any) -> None:
    """Raise UserError, with one sentence on what to do, unless the volume can be segmented.

    What only the voxel values show (constant, non-finite) is VoxelCheck's and the worker's to say.
    """
    if volumeNode is None:
        raise UserError(_("No volume is selected: choose the angiography to segment."))
    name = volumeNode.GetName()
    if not volumeNode.IsA("vtkMRMLScalarVolumeNode"):
        raise UserError(_("{name} is not a volume: choose an angiography.").format(name=name))
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        raise UserError(
            _("{name} is a label map: choose the angiography itself.").format(name=name)
        )
    image, spacing = volumeNode.GetImageData(), volumeNode.GetSpacing()
    if image is None or min(image.GetDimensions()) < 2:
        raise UserError(_("{name} has no 3D image: load the whole series.").format(name=name))
    if image.GetNumberOfScalarComponents() != 1:
        raise UserError(
            _("{name} has {count} values for each voxel: choose a grayscale volume.").format(
                name=name, count=image.GetNumberOfScalarComponents()
            )
        )
    if not all(SPACING_LIMITS_MM[0] <= side <= SPACING_LIMITS_MM[1] for side in spacing):
        raise UserError(
            _(
                "{name} has voxels of {spacing} mm, which no scanner makes: correct the spacing in "
                "the Volumes module, mostly a matter of cm or m instead of mm."
            ).format(name=name, spacing=" × ".join(f"{side:.3g}" for side in spacing))
        )
    if not np.allclose(*_productOfAxes(volumeNode), atol=AXES_TOLERANCE):
        raise UserError(
            _(
                "{name} has sheared axes, which do not stand at right angles: resample it to a "
                "regular grid first, with the module Crop Volume or Resample Scalar/Vector/DWI "
                "Volume."
            ).format(name=name)
        )
    if problem := gridProblem(volumeNode):
        raise UserError(problem)
    checkLinear(volumeNode)


def _productOfAxes(volumeNode: Any) -> tuple[np.ndarray, np.ndarray]:
    """Cosines between the axes of the grid, and what they are at right angles."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASDirectionMatrix(matrix)
    axes = slicer.util.arrayFromVTKMatrix(matrix)[:3, :3]
    return axes.T @ axes, np.eye(3)
