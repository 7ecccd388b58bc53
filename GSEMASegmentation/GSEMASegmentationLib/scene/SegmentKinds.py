"""What a segment shows, whoever made it."""

from __future__ import annotations

from typing import Any

import vtk
from slicer.i18n import tr as _

from gsema_core.labels import NAMES
from gsema_core.terminology import TERMS


def segmentsShowing(segmentationNode: Any, label: int) -> list[str]:
    """The ids of the segments that show vessels, or aneurysms, in their order.

    A segment's terminology decides, where its type is one of ours or speaks of the thing (as
    Slicer's own lists, in English); else its name does, where that has the label's name in it, in
    English or in Slicer's language. So a segment of a colleague or one drawn by hand counts if it
    is called "Left MCA aneurysm".

    Args:
        segmentationNode: the segmentation.
        label: ``gsema_core.labels.VESSEL`` or ``ANEURYSM``.
    """
    segmentation = segmentationNode.GetSegmentation()
    return [
        segmentId
        for segmentId in segmentation.GetSegmentIDs()
        if _labelOf(segmentation.GetSegment(segmentId)) == label
    ]


def _labelOf(segment: Any) -> int | None:
    entry = vtk.reference("")
    if segment.GetTag(segment.GetTerminologyEntryTagName(), entry):
        _context, _category, kind, *_ignored = [*entry.get().split("~"), "", ""]
        _scheme, code, meaning, *_ignored = [*kind.split("^"), "", ""]
        for label, term in TERMS.items():
            if code == term.type.value:
                return label
        if (label := _named(meaning)) is not None:
            return label
    return _named(segment.GetName() or "")


def _named(text: str) -> int | None:
    """The label whose name is in a text; the aneurysm's first: aneurysms are of vessels."""
    for label in sorted(NAMES, reverse=True):
        if any(name.casefold() in text.casefold() for name in (NAMES[label], _(NAMES[label]))):
            return label
    return None
