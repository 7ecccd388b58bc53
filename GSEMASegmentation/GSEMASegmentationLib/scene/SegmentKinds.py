"""What a segment shows, whoever made it."""

from __future__ import annotations

from typing import Any

import vtk
from slicer.i18n import tr as _

from gsema_core.labels import NAMES
from gsema_core.terminology import TERMS


def segmentsShowing(segmentationNode: Any, label: int) -> list[str]:
    """The ids of the segments that show vessels, or aneurysms, in their order.

    The segment's terminology decides if its type has one of our codes, or if the type's English
    name has the word vessel or aneurysm in it, as in Slicer's own lists. Otherwise the segment's
    name decides, by the same words, in English or in Slicer's language: a segment drawn by hand
    counts if it is called "Left MCA aneurysm".

    Args:
        segmentationNode: the segmentation.
        label: ``gsema_core.labels.VESSEL`` or ``ANEURYSM``.
    """
    segmentation = segmentationNode.GetSegmentation()
    ids = segmentation.GetSegmentIDs()
    return [one for one in ids if _labelOf(segmentation.GetSegment(one)) == label]


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
    """The label whose name is in a text. Aneurysm comes first: "vessel aneurysm" is one."""
    for label in sorted(NAMES, reverse=True):
        if any(name.casefold() in text.casefold() for name in (NAMES[label], _(NAMES[label]))):
            return label
    return None
