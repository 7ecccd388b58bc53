"""How certain the teacher was of an aneurysm, kept at its segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import vtk

from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.scene.SegmentContent import SegmentContent

TAG = "GSEMASegmentation.certainty"
"""A tag of the segment, so that a saved scene keeps it."""


def keepCertainty(
    segmentationNode: Any, contents: Sequence[SegmentContent], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Keep what a run says of its aneurysms.

    Args:
        segmentationNode: has the segments.
        contents: the run's segments.
        rows: its measurements, in the order of its aneurysms.
    """
    sacs = [one for one in contents if one.label == ANEURYSM]
    known = {row["index"]: row for row in rows}
    for number, content in enumerate(sacs, start=1):
        segment = segmentationNode.GetSegmentation().GetSegment(content.segmentId)
        row = known.get(number, {})
        certainty = row.get("certainty")
        # The voxels tell that it is the same aneurysm.
        if certainty is None or row.get("voxels") != np.count_nonzero(content.mask):
            segment.RemoveTag(TAG)
        else:
            segment.SetTag(TAG, f"{certainty:.4f}")


def certaintyOf(segmentationNode: Any, segmentId: str) -> float | None:
    """The teacher's certainty of a segment, also after it was edited; None where nobody told it."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    text = vtk.reference("")
    if segment is None or not segment.GetTag(TAG, text):
        return None
    try:
        return float(str(text.get()))
    except ValueError:
        return None
