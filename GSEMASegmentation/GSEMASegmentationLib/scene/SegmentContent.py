"""A label map taken apart into the segments that it will become."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from slicer.i18n import tr as _

from gsema_core.labels import ANEURYSM, NAMES, VESSEL
from GSEMASegmentationLib.scene.SegmentMasks import cropped
from GSEMASegmentationLib.scene.SegmentNames import VESSEL_ID, aneurysmId, aneurysmName


@dataclass(frozen=True)
class SegmentContent:
    """One segment as it will be.

    Attributes:
        segmentId: our own id, by which the segment is found again.
        label: its value in the label map, which decides color and terminology.
        name: shown to the user.
        mask: where it is, bool, (k, j, i) on the volume's grid; a part of the grid is enough.
        start: voxel (k, j, i) of the volume at which the mask begins.
    """

    segmentId: str
    label: int
    name: str
    mask: np.ndarray
    start: tuple[int, int, int] = (0, 0, 0)


def segmentsOf(labels: np.ndarray) -> list[SegmentContent]:
    """The vessels as one segment, and each aneurysm, the largest first.

    Both kinds are there even where nothing was found. The order is that of
    ``measure_aneurysms``: by the number of voxels, then by the first voxel.
    """
    from gsema_core.grids.components import connected_components  # scipy: not at start-up

    contents = [SegmentContent(VESSEL_ID, VESSEL, _(NAMES[VESSEL]), labels == VESSEL)]
    mask, start = cropped(labels == ANEURYSM)
    components, count = connected_components(mask)
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    masks = [components == n for n in np.argsort(-sizes, kind="stable") + 1] or [mask]
    for number, one in enumerate(masks, start=1):
        name = aneurysmName(number, len(masks))
        contents.append(SegmentContent(aneurysmId(number), ANEURYSM, name, one, start))
    return contents
