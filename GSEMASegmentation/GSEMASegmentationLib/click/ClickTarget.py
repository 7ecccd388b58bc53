"""Which segment takes the aneurysm of a click."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.click.ClickPoints import clicksOf
from GSEMASegmentationLib.measure.Judgement import judgementOf
from GSEMASegmentationLib.scene.Coordinates import Point, lpsFromWorld, worldFromLps
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    gridOf,
    imageArray,
    isEmpty,
    maskInBox,
    segmentImage,
    voxelMm3,
)
from GSEMASegmentationLib.scene.SegmentNames import (
    aneurysmId,
    aneurysmName,
    numberOfId,
    numberOfName,
)

SAME_ANEURYSM = 0.5
"""A click found an aneurysm that is there already if the two share at least this part of the
smaller one. Ours: outlines of one aneurysm at different thresholds lie within each other, while two
aneurysms that touch share a few voxels of their borders."""


NEAR_MM = 3.0
"""A click this near to an aneurysm, or to one of its clicks, is meant for it; ours: users click up
to 2 mm beside an aneurysm, and two aneurysms of one vessel lie further apart than that."""

NEW = "new"
"""Asks for a new segment whatever is there already."""


def targetSegment(image: Any, outputNode: Any, wanted: str = "") -> tuple[str, str]:
    """The id and the name of the segment that takes an aneurysm.

    Of the aneurysms that this module has made it is the one that the new one overlaps most, if
    that is the same aneurysm (``SAME_ANEURYSM``); else one that is empty, or a new one.

    Args:
        image: the aneurysm (vtkOrientedImageData), 0 and 1.
        outputNode: the segmentation, None for a new one.
        wanted: the id of a segment that takes it in any case, or ``NEW``.

    Raises:
        UserError: there is no aneurysm with the wanted id.
    """
    if wanted and wanted != NEW:
        return wanted, checkWanted(outputNode, wanted)
    if outputNode is None:
        return aneurysmId(1), aneurysmName(1, 1)
    segmentation = outputNode.GetSegmentation()
    ours = [one for one in segmentation.GetSegmentIDs() if numberOfId(one) is not None]
    shares = {} if wanted else {one: _share(image, outputNode, one) for one in ours}
    best = max(shares, key=lambda one: shares[one], default=None)
    if best is None or shares[best] < SAME_ANEURYSM:
        # A rejected aneurysm is empty too, but the place of its row is taken.
        free = [one for one in ours if judgementOf(outputNode, one) is None]
        best = next((one for one in free if isEmpty(outputNode, one)), None)
    if best is not None:
        return best, segmentation.GetSegment(best).GetName()
    names = [segmentation.GetSegment(one).GetName() for one in segmentation.GetSegmentIDs()]
    taken = [*map(numberOfId, ours), *map(numberOfName, names)]
    number = max((one for one in taken if one is not None), default=0) + 1
    return aneurysmId(number), aneurysmName(number, number)


def checkWanted(outputNode: Any, wanted: str) -> str:
    """The name of a segment that is to be changed by clicks.

    Raises:
        UserError: it is no aneurysm.
    """
    known = () if outputNode is None else segmentsShowing(outputNode, ANEURYSM)
    if wanted not in known:
        raise UserError(
            _("There is no aneurysm {segment}: choose one of {known}, or {new}.").format(
                segment=wanted, known=", ".join(known) or _("none"), new=NEW
            )
        )
    return str(outputNode.GetSegmentation().GetSegment(wanted).GetName())


def nearestAneurysm(outputNode: Any, ras: Point) -> str:
    """The aneurysm that a click is meant for: the nearest within ``NEAR_MM``; or an empty id.

    Only aneurysms that this module has made count. What lies in two of them belongs to the one
    whose clicks are nearer.

    Args:
        outputNode: the segmentation, or None.
        ras: mm, in the world's RAS coordinates.
    """
    if outputNode is None:
        return ""
    left, posterior, superior = lpsFromWorld(ras, outputNode)
    place = np.array((-left, -posterior, superior))
    found = []
    for one in outputNode.GetSegmentation().GetSegmentIDs():
        image = segmentImage(outputNode, one) if numberOfId(one) is not None else None
        if image is None:
            continue
        clicks = clicksOf(outputNode, one).inside
        toClick = min((float(np.linalg.norm(np.subtract(ras, c))) for c in clicks), default=np.inf)
        found.append((min(toClick, _distance(image, place)), toClick, one))
    nearest = min(found, default=(np.inf, np.inf, ""))
    return nearest[2] if nearest[0] <= NEAR_MM else ""


def innermostPoint(outputNode: Any, segmentId: str, away: Point) -> Point:
    """A place in a segment that is deep in it and far from another place, in the world (RAS).

    Args:
        outputNode: the segmentation.
        segmentId: a segment that is not empty.
        away: mm, in the world's RAS coordinates.
    """
    from scipy import ndimage

    image = segmentImage(outputNode, segmentId)
    mask = np.pad(imageArray(image) != 0, 1)
    depth = ndimage.distance_transform_edt(mask, image.GetSpacing()[::-1])[1:-1, 1:-1, 1:-1]
    places, voxels = _places(image)
    left, posterior, superior = lpsFromWorld(away, outputNode)
    far = np.linalg.norm(places - (-left, -posterior, superior), axis=1)
    best = places[int((depth[tuple(voxels.T)] * far).argmax())]
    return worldFromLps((-best[0], -best[1], best[2]), outputNode)


def _distance(image: Any, place: np.ndarray) -> float:
    """How far a place is from the nearest voxel's middle, mm; 0 within half a voxel of it."""
    distance = float(np.linalg.norm(_places(image)[0] - place, axis=1).min())
    return 0.0 if distance <= 0.5 * max(image.GetSpacing()) else distance


def _places(image: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions of an image's voxels, mm, and their indices (k, j, i) in its array; both (n, 3)."""
    voxels = np.argwhere(imageArray(image) != 0)
    matrix = slicer.util.arrayFromVTKMatrix(gridOf(image))
    index = voxels[:, ::-1] + np.array(image.GetExtent()[::2])
    return index @ matrix[:3, :3].T + matrix[:3, 3], voxels


def _share(image: Any, outputNode: Any, segmentId: str) -> float:
    """The part of the smaller of two that both have in common."""
    common = int((maskInBox(outputNode, segmentId, image) & (imageArray(image) != 0)).sum())
    if common == 0:
        return 0.0
    other = segmentImage(outputNode, segmentId)
    sizes = [imageArray(one).sum() * voxelMm3(one) for one in (image, other)]
    return float(common * voxelMm3(image) / min(sizes))
