"""How much of an aneurysm's segment coils fill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.measurements.coils import Coil, packing_density
from GSEMASegmentationLib.scene.SegmentMasks import imageArray, segmentImage, voxelMm3


def segmentVolumeMm3(segmentationNode: Any, segmentId: str) -> float:
    """The volume of a segment as it is now, in mm³; 0 where it is empty.

    In the mm of the segmentation itself, as the table of measurements has it.

    Raises:
        UserError: there is no such segment.
    """
    if segmentationNode is None or segmentationNode.GetSegmentation().GetSegment(segmentId) is None:
        raise UserError(
            _("There is no segment {segment}: choose an aneurysm.").format(segment=segmentId)
        )
    image = segmentImage(segmentationNode, segmentId)
    return 0.0 if image is None else float(np.count_nonzero(imageArray(image)) * voxelMm3(image))


def packingDensity(segmentationNode: Any, segmentId: str, coils: Iterable[Coil]) -> float:
    """The share of a segment that coils fill, see ``gsema_core.measurements.coils``.

    Raises:
        UserError: there is no such segment, it is empty, or the coils do not fit into it.
    """
    volume = segmentVolumeMm3(segmentationNode, segmentId)
    if volume == 0:
        raise UserError(
            _("{name} has no voxels that coils could fill: accept it again, or draw it.").format(
                name=segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()
            )
        )
    return packing_density(coils, volume)
