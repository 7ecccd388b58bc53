"""Rejecting a false aneurysm, which becomes vessel again, and accepting aneurysms."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, NAMES, VESSEL
from GSEMASegmentationLib.correct.Measuring import Measuring
from GSEMASegmentationLib.measure.Judgement import (
    CONFIRMED,
    REJECTED,
    TAG,
    Judgement,
    judgementOf,
    now,
)
from GSEMASegmentationLib.measure.SegmentDrawing import drawingOf
from GSEMASegmentationLib.measure.SegmentMeasurement import MeasuredSegment, measured
from GSEMASegmentationLib.scene.PatchChange import PatchChange, tagOf
from GSEMASegmentationLib.scene.SegmentationOutput import VESSEL_OPACITY_3D, describe
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing
from GSEMASegmentationLib.scene.SegmentMasks import (
    LABELMAP,
    boxOn,
    gridOf,
    maskInBox,
    segmentImage,
)
from GSEMASegmentationLib.scene.SegmentNames import VESSEL_ID
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch
from GSEMASegmentationLib.scene.TouchedVessel import touchedVessel


def reject(segmentationNode: Any, segmentId: str, measuring: Measuring) -> PatchChange:
    """Turn a false aneurysm into vessel; its segment stays, empty, and remembers what it was.

    Its voxels go to the segment that shows vessels; of several, to the one that it touches most;
    where there is none, to a new one. Voxels of other segments stay theirs too.

    Args:
        segmentationNode: the segmentation.
        segmentId: an aneurysm's segment.
        measuring: may have measured it already.

    Returns:
        What was changed.

    Raises:
        UserError: it is no aneurysm, is empty, or is stored as a surface.
    """
    name = _checkAneurysm(segmentationNode, segmentId)
    image = segmentImage(segmentationNode, segmentId)
    if image is None:
        raise UserError(_("{name} is empty: there is nothing to reject.").format(name=name))
    known = measuring.known(segmentationNode, segmentId)
    if known is None:
        segment = drawingOf(segmentationNode, segmentId)
        known = MeasuredSegment.of((), segment, measured(segment))
    vesselId = touchedVessel(segmentationNode, image)
    newSegments = () if vesselId else (_newVessel(segmentationNode),)
    vesselId = vesselId or newSegments[0]
    own = _patch(segmentationNode, segmentId, image)
    patches = [
        SegmentPatch(segmentId, own.grid, own.startIjk, own.before, np.zeros_like(own.before)),
        _vesselPatch(segmentationNode, vesselId, own, image),
    ]
    judgement = Judgement(REJECTED, now(), patches, known.aneurysms, known.startIjk)
    return _made(
        PatchChange(
            segmentationNode,
            _("the rejection of {name}").format(name=name),
            patches,
            newSegments=newSegments,
            **_tags(segmentationNode, segmentId, judgement),
        )
    )


def accept(segmentationNode: Any, segmentId: str) -> PatchChange:
    """Confirm an aneurysm; a rejected one gets its voxels back, exactly those.

    Returns:
        What was changed.

    Raises:
        UserError: it is no aneurysm, is empty, or was edited since it was rejected, or the vessel
            where it was; nothing is done then.
    """
    name = _checkAneurysm(segmentationNode, segmentId)
    judgement = judgementOf(segmentationNode, segmentId)
    patches: list[SegmentPatch] = []
    if judgement is not None and judgement.status == REJECTED:
        patches = [patch.reversed for patch in judgement.patches]
        if not all(patch.fits(segmentationNode) for patch in patches):
            raise UserError(
                _(
                    "{name} cannot get its voxels back: the vessel was edited there after it was "
                    "rejected. Draw it with the Segment Editor."
                ).format(name=name)
            )
    elif segmentImage(segmentationNode, segmentId) is None:
        raise UserError(_("{name} is empty: there is nothing to accept.").format(name=name))
    return _made(
        PatchChange(
            segmentationNode,
            _("the acceptance of {name}").format(name=name),
            patches,
            **_tags(segmentationNode, segmentId, Judgement(CONFIRMED, now())),
        )
    )


def _made(change: PatchChange) -> PatchChange:
    change.make()
    return change


def _tags(segmentationNode: Any, segmentId: str, judgement: Judgement) -> dict[str, Any]:
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    return {
        "tagName": TAG,
        "tagsBefore": {segmentId: tagOf(segment, TAG)},
        "tagsAfter": {segmentId: judgement.toText()},
    }


def _checkAneurysm(segmentationNode: Any, segmentId: str) -> str:
    """The segment's name.

    Raises:
        UserError: it cannot be judged.
    """
    if segmentationNode is None or not segmentationNode.IsA("vtkMRMLSegmentationNode"):
        raise UserError(_("There is no segmentation to judge: choose one."))
    segmentation = segmentationNode.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    if segment is None or segmentId not in segmentsShowing(segmentationNode, ANEURYSM):
        raise UserError(
            _("{segmentation} has no aneurysm {segment}: choose one of its aneurysms.").format(
                segmentation=segmentationNode.GetName(), segment=segmentId
            )
        )
    if segmentation.GetSourceRepresentationName() != LABELMAP:
        raise UserError(
            _(
                "The segmentation {name} is stored as surfaces: make label maps its source in the "
                "module Segmentations first."
            ).format(name=segmentationNode.GetName())
        )
    return str(segment.GetName())


def _patch(segmentationNode: Any, segmentId: str, box: Any) -> SegmentPatch:
    """A segment as it is in a box on its own grid; nothing changes yet."""
    mask = maskInBox(segmentationNode, segmentId, box)
    i, j, k = box.GetExtent()[::2]
    return SegmentPatch(segmentId, gridOf(box), (i, j, k), mask, mask)


def _vesselPatch(
    segmentationNode: Any, vesselId: str, aneurysm: SegmentPatch, image: Any
) -> SegmentPatch:
    """The vessel gets the aneurysm's voxels; on another grid, those that are nearest."""
    vessel = segmentationNode.GetSegmentation().GetSegment(vesselId).GetRepresentation(LABELMAP)
    match = slicer.vtkOrientedImageDataResample.DoGeometriesMatch
    if vessel is None or vessel.IsEmpty() or match(vessel, image):
        own = _patch(segmentationNode, vesselId, aneurysm.box)
        added = aneurysm.before
    else:
        own = _patch(segmentationNode, vesselId, boxOn(gridOf(vessel), image))
        added = maskInBox(segmentationNode, aneurysm.segmentId, own.box)
    return SegmentPatch(vesselId, own.grid, own.startIjk, own.before, own.before | added)


def _newVessel(segmentationNode: Any) -> str:
    segmentation = segmentationNode.GetSegmentation()
    name = _(NAMES[VESSEL])
    segmentId = str(segmentation.AddEmptySegment(VESSEL_ID, name))
    describe(segmentation.GetSegment(segmentId), VESSEL, name)
    if segmentationNode.GetDisplayNode() is not None:
        segmentationNode.GetDisplayNode().SetSegmentOpacity3D(segmentId, VESSEL_OPACITY_3D)
    return segmentId
