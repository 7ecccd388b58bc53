"""Which volume is segmented, and whether it can be."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError


def firstVolume() -> Any:
    """The first volume of the scene that can be segmented, or None."""
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        try:
            checkVolume(node)
        except UserError:
            continue
        return node
    return None


def volumeInfo(volumeNode: Any) -> str:
    """The volume's size in voxels and in mm, or nothing where there is no image."""
    if volumeNode is None or volumeNode.GetImageData() is None:
        return ""
    size = " × ".join(str(count) for count in volumeNode.GetImageData().GetDimensions())
    spacing = volumeNode.GetSpacing()
    isIsotropic = max(spacing) - min(spacing) < 1e-3 * max(spacing)
    millimeters = " × ".join(f"{side:.3g}" for side in (spacing[:1] if isIsotropic else spacing))
    return _("{size} voxels of {millimeters} mm").format(size=size, millimeters=millimeters)


def checkVolume(volumeNode: Any) -> None:
    """Raise UserError, with one sentence on what to do, unless the volume can be segmented.

    What only the voxel values show (constant, non-finite) is the worker's to say.
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
    image = volumeNode.GetImageData()
    if image is None or min(image.GetDimensions()) < 2:
        raise UserError(_("{name} has no 3D image: load the whole series.").format(name=name))
    if image.GetNumberOfScalarComponents() != 1:
        raise UserError(
            _("{name} has {count} values for each voxel: choose a grayscale volume.").format(
                name=name, count=image.GetNumberOfScalarComponents()
            )
        )
    transform = volumeNode.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        raise UserError(
            _("{name} lies under the non-linear transform {transform}: harden it first.").format(
                name=name, transform=transform.GetName()
            )
        )
