"""Which vessel an aneurysm sits on."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from gsema_core.labels import VESSEL
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import gridOf, imageArray, maskInBox


def touchedVessel(segmentationNode: Any, image: Any) -> str:
    """The vessel segment that touches an aneurysm most, of equal ones the first; or an empty id.

    Args:
        segmentationNode: the segmentation.
        image: the aneurysm, 0 and 1 (vtkOrientedImageData).
    """
    ids = segmentsShowing(segmentationNode, VESSEL)
    if len(ids) < 2:
        return ids[0] if ids else ""
    from scipy import ndimage

    box = slicer.vtkOrientedImageData()
    box.SetGeometryFromImageToWorldMatrix(gridOf(image))
    box.SetExtent([n + (-1, 1)[side % 2] for side, n in enumerate(image.GetExtent())])
    around = ndimage.binary_dilation(np.pad(imageArray(image) != 0, 1), np.ones((3, 3, 3)))
    contacts = {one: int((maskInBox(segmentationNode, one, box) & around).sum()) for one in ids}
    return max(ids, key=lambda one: contacts[one])
