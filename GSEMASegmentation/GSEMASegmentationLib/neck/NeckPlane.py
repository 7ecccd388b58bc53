"""The plane of a neck in the views, and what is saved with it."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.neck.NeckCut import NeckCut
from GSEMASegmentationLib.neck.NeckPlace import Plane, boxOf, planeFromWorld
from GSEMASegmentationLib.scene.Hierarchy import placeBeside
from GSEMASegmentationLib.scene.MaskText import packed, unpacked
from GSEMASegmentationLib.scene.SegmentMasks import maskInBox

PLANES_ROLE = "GSEMASegmentation.necks"
"""Under this role a segmentation refers to its neck planes, also in a saved scene."""

SEGMENT_KEY = "GSEMASegmentation.neck"
FIT_KEY = "GSEMASegmentation.neckFit"
BEFORE_KEY = "GSEMASegmentation.neckBefore"
"""Attributes of a plane node: its segment, where it was fitted, and the aneurysm before any cut."""

COLOR = (0.5, 1.0, 0.4)
"""Of a plane that divides; that of the neck's line."""

IDLE_COLOR = (0.6, 0.6, 0.6)
"""Of a plane that does not divide where it is."""

SMALLEST_MM = 4.0
"""Side of the smallest plane that is shown: its handles have to be reached. Ours."""


def planesOf(segmentationNode: Any) -> dict[str, Any]:
    """The neck planes of a segmentation that are in the scene, by their segments."""
    count = segmentationNode.GetNumberOfNodeReferences(PLANES_ROLE)
    nodes = [segmentationNode.GetNthNodeReference(PLANES_ROLE, n) for n in range(count)]
    return {node.GetAttribute(SEGMENT_KEY): node for node in nodes if node is not None}


def addPlane(cut: NeckCut, fit: Plane) -> Any:
    """Show the plane of a neck, with handles to move and turn it.

    It lies under the segmentation's parent transform and moves with it.
    """
    node = cut.node
    plane = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsPlaneNode")
    plane.CreateDefaultDisplayNodes()
    plane.SetName(
        _("{name} neck plane").format(
            name=node.GetSegmentation().GetSegment(cut.segmentId).GetName()
        )
    )
    plane.SetAttribute(SEGMENT_KEY, cut.segmentId)
    plane.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    plane.SetSizeMode(plane.SizeModeAbsolute)
    side = max(1.5 * _sectionMm(cut), SMALLEST_MM)
    plane.SetSize(side, side)
    display = plane.GetDisplayNode()
    display.SetHandlesInteractive(True)
    display.SetTranslationHandleVisibility(True)
    display.SetRotationHandleVisibility(True)
    display.SetScaleHandleVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    display.SetFillOpacity(0.5)
    display.SetGlyphScale(1.0)
    showWhether(plane, True)
    node.AddNodeReferenceID(PLANES_ROLE, plane.GetID())
    placeBeside(plane, node)
    movePlane(plane, fit)
    keepFit(plane, fit)
    return plane


def showWhether(plane: Any, divides: bool) -> None:
    """Color a plane by whether it divides where it is."""
    color = COLOR if divides else IDLE_COLOR
    for display in (plane.GetNthDisplayNode(n) for n in range(plane.GetNumberOfDisplayNodes())):
        display.SetColor(color)
        display.SetSelectedColor(color)
        display.SetActiveColor(color)


def movePlane(plane: Any, place: Plane) -> None:
    """Put a plane somewhere, in its own frame.

    Slicer's ``SetNormal`` passes over turns of less than a degree, ``SetAxes`` over none.
    """
    origin, normal = place
    first = np.cross(normal, np.eye(3)[int(np.abs(normal).argmin())])
    first = first / np.linalg.norm(first)
    wasModifying = plane.StartModify()
    plane.SetOrigin(*(float(value) for value in origin))
    plane.SetAxes(*(axis.tolist() for axis in (first, np.cross(normal, first), normal)))
    plane.SetOrigin(*(float(value) for value in origin))
    plane.EndModify(wasModifying)


def placeOf(plane: Any, segmentationNode: Any) -> Plane:
    """Where a plane is, as the views show it, in the segmentation's own frame.

    Raises:
        UserError: see ``planeFromWorld``.
    """
    if plane.GetNumberOfControlPoints() == 0:
        raise UserError(
            _("{name} has no place any more: press Reset.").format(name=plane.GetName())
        )
    return planeFromWorld(segmentationNode, plane.GetOriginWorld(), plane.GetNormalWorld())


def keepFit(plane: Any, fit: Plane) -> None:
    """Remember with a plane where it was fitted."""
    plane.SetAttribute(FIT_KEY, json.dumps([part.tolist() for part in fit]))


def fitOf(plane: Any) -> Plane | None:
    """Where a plane was fitted, in the segmentation's own frame; None where that is not known."""
    try:
        origin, normal = np.array(json.loads(plane.GetAttribute(FIT_KEY) or "")).reshape(2, 3)
    except (ValueError, TypeError):
        return None
    return origin, normal


def keepBefore(plane: Any, cut: NeckCut) -> None:
    """Remember with a plane what it divides, and to what it was divided last."""
    content = {
        "vessel": cut.vesselId,
        "extent": list(cut.box.GetExtent()),
        "sac": packed(cut.sac),
        "both": packed(cut.sac & cut.vessel),
        "now": _fingerprint(cut.now),
    }
    plane.SetAttribute(BEFORE_KEY, json.dumps(content))


def cutBefore(plane: Any, cut: NeckCut) -> NeckCut:
    """What a plane of a loaded scene divides, if the segments are as its last cut left them.

    Args:
        plane: the plane's node.
        cut: the aneurysm as it is in the scene now.

    Returns:
        ``cut`` itself where nothing was remembered, or somebody has edited the segments since.
    """
    try:
        content = json.loads(plane.GetAttribute(BEFORE_KEY) or "")
        box = boxOf(cut.grid, np.array(content["extent"]))
        shape = box.GetDimensions()[::-1]
        sac, both = (unpacked(content[name], shape) for name in ("sac", "both"))
        ids = cut.segmentId, content["vessel"]
        if any(cut.node.GetSegmentation().GetSegment(one) is None for one in ids):
            return cut
        now = tuple(maskInBox(cut.node, one, box) for one in ids)
    except (ValueError, KeyError, TypeError, zlib.error):
        return cut
    if _fingerprint(now) != content["now"] or ids[1] != cut.vesselId:
        return cut
    # Vessel is what is vessel now and was not sac, what was both, and what became sac.
    vessel = (now[1] & ~sac) | both | (now[0] & ~sac)
    before = NeckCut.at(cut, box, sac, vessel)
    before.now = now
    return before


def _sectionMm(cut: NeckCut) -> float:
    """The width of the opening between both; 0 where they do not touch."""
    opening = cut.lumen.opening
    if opening is None:
        return 0.0
    points = opening.points
    return 2 * float(np.linalg.norm(points - points.mean(axis=0), axis=1).max())


def _fingerprint(masks: Sequence[np.ndarray]) -> str:
    content = hashlib.blake2b(digest_size=16)
    for mask in masks:
        content.update(str(mask.shape).encode())
        content.update(np.packbits(mask).data)
    return content.hexdigest()
