"""Grids of an import that lost the geometry: voxels of 1 mm, no position, no rotation."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from GSEMASegmentationLib.scene.Coordinates import ijkToRas

PIXEL_SPACING = "0028,0030"
"""DICOM: millimeters between the rows and between the columns."""


def gridProblem(volumeNode: Any) -> str:
    """Why the geometry cannot be true: the series says otherwise. Empty where nothing says so."""
    spacing = pixelSpacing(volumeNode)
    if not isWithoutGeometry(volumeNode) or spacing is None or np.allclose(spacing, 1.0, rtol=0.01):
        return ""
    return _(
        "{name} has voxels of 1 mm and no position, but its DICOM files have pixels of {spacing} "
        "mm: load the series again, or set the spacing in the Volumes module."
    ).format(name=volumeNode.GetName(), spacing=" × ".join(f"{side:.3g}" for side in spacing))


def gridDoubt(volumeNode: Any) -> str:
    """What to look at where the geometry may have been lost; empty where there is no doubt."""
    if not isWithoutGeometry(volumeNode) or pixelSpacing(volumeNode) is not None:
        return ""
    return _(
        "its voxels are 1 mm and lie at no position, as after an import that lost them: compare "
        "the spacing in the Volumes module with the scanner's."
    )


def isWithoutGeometry(volumeNode: Any) -> bool:
    """Whether the grid is what a volume has before anybody gives it one, whichever way its axes
    point: pictures and raw voxels are imported so."""
    matrix = slicer.util.arrayFromVTKMatrix(ijkToRas(volumeNode))
    return bool(np.array_equal(np.abs(matrix), np.eye(4)))


def pixelSpacing(volumeNode: Any) -> tuple[float, ...] | None:
    """What the volume's first DICOM file says, mm; None where the database has none."""
    uids = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    try:
        found = tuple(
            float(side) for side in database.instanceValue(uids[0], PIXEL_SPACING).split("\\")
        )
    except (ValueError, AttributeError):  # no such value in the file, or no such file any more
        return None
    return found if len(found) == 2 and min(found) > 0 else None
