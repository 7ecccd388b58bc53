"""Measuring the aneurysms of a segmentation as it is now, also after edits by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gsema_core.inference.settings import SegmentationSettings
from gsema_core.labels import ANEURYSM
from GSEMASegmentationLib.measure.Judgement import REJECTED
from GSEMASegmentationLib.measure.SegmentDrawing import SegmentDrawing, drawingOf, stateOf
from GSEMASegmentationLib.scene.Coordinates import checkLinear
from GSEMASegmentationLib.scene.SegmentKinds import segmentsShowing

if TYPE_CHECKING:  # scipy: not at start-up
    from gsema_core.measurements import Aneurysm

SMALLEST_PIECE_MM3 = SegmentationSettings().minimum_aneurysm_mm3
"""Smaller second pieces of a segment are specks of a brush, not aneurysms; the same limit as for
noise in a segmentation."""


@dataclass(frozen=True)
class MeasuredAneurysm:
    """One row of the table.

    Attributes:
        segmentId: the segment that it is, or is a piece of.
        name: the segment's; further pieces have a number behind it.
        aneurysm: its measurements; positions and lines are those of the world, in LPS. Those of a
            rejected one are from before.
        status: what the user has decided of it, see ``Judgement``; empty for nothing.
    """

    segmentId: str
    name: str
    aneurysm: Aneurysm
    status: str = ""

    @property
    def isRejected(self) -> bool:
        """Whether it is no aneurysm any more, but vessel."""
        return self.status == REJECTED


@dataclass(frozen=True)
class MeasuredSegment:
    """The rows of a segment, and what it was when they were measured.

    Attributes:
        state: see ``stateOf``.
        fingerprint: see ``SegmentDrawing.fingerprint``.
        rows: one for each of its pieces.
        aneurysms: what ``measured`` said, in the segmentation's own frame.
        startIjk: where the drawing began.
    """

    state: tuple[Any, ...]
    fingerprint: str
    rows: tuple[MeasuredAneurysm, ...]
    aneurysms: tuple[Aneurysm, ...]
    startIjk: tuple[int, int, int]

    @classmethod
    def of(
        cls, state: tuple[Any, ...], segment: SegmentDrawing, aneurysms: Sequence[Aneurysm]
    ) -> MeasuredSegment:
        """What is known of a segment once it is measured."""
        i, j, k = segment.startIjk.tolist()
        rows = rowsOf(segment, aneurysms)
        return cls(state, segment.fingerprint(), rows, tuple(aneurysms), (i, j, k))


Memory = dict[str, MeasuredSegment]
"""What was measured of a segmentation, by segment."""


def measureSegments(segmentationNode: Any, memory: Memory | None = None) -> list[MeasuredAneurysm]:
    """Measure every aneurysm of a segmentation, the largest first.

    ``segmentsShowing`` says which segments are aneurysms and vessels. A segment of several pieces
    gives a row for each (see ``SMALLEST_PIECE_MM3``). Sizes are in the mm of the segmentation
    itself: a parent transform moves positions and lines, and changes sizes only once it is
    hardened.

    Args:
        segmentationNode: the segmentation.
        memory: the rows of the last measurement; those of segments that have not changed since
            are taken from it. It is updated.

    Raises:
        UserError: the parent transform is not linear.
    """
    checkLinear(segmentationNode)
    memory = {} if memory is None else memory
    before = dict(memory)
    memory.clear()
    for segmentId in segmentsShowing(segmentationNode, ANEURYSM):
        state = stateOf(segmentationNode, segmentId)
        known = before.get(segmentId)
        if known is None or known.state != state:
            segment = drawingOf(segmentationNode, segmentId)
            if known is None or known.fingerprint != segment.fingerprint():
                known = MeasuredSegment.of(state, segment, measured(segment))
            known = replace(known, state=state)
        memory[segmentId] = known
    return ordered(memory.values())


def rowsOf(segment: SegmentDrawing, aneurysms: Sequence[Aneurysm]) -> tuple[MeasuredAneurysm, ...]:
    """The rows of a segment, out of what ``measured`` says of it."""
    judgement = segment.judgement
    return tuple(
        MeasuredAneurysm(
            segment.segmentId,
            segment.name if one.index == 1 else f"{segment.name} ({one.index})",
            _inWorld(one, segment),
            "" if judgement is None else judgement.status,
        )
        for one in aneurysms
    )


def ordered(segments: Iterable[MeasuredSegment]) -> list[MeasuredAneurysm]:
    """All rows, the largest first and rejected ones last, numbered in this order."""
    rows = sorted(
        (row for segment in segments for row in segment.rows),
        key=lambda one: (one.isRejected, -one.aneurysm.volume_ml),
    )
    return [
        replace(one, aneurysm=replace(one.aneurysm, index=index))
        for index, one in enumerate(rows, start=1)
    ]


def measured(segment: SegmentDrawing) -> list[Aneurysm]:
    """Measure a segment's pieces; of a rejected one, what was measured before."""
    from gsema_core.measurements.pieces import measure_pieces

    if segment.drawing is None:
        return [] if segment.judgement is None else list(segment.judgement.aneurysms)
    return measure_pieces(segment.drawing, SMALLEST_PIECE_MM3)


def _inWorld(aneurysm: Aneurysm, segment: SegmentDrawing) -> Aneurysm:
    """Places, lines and normals through the parent transform; indices from the grid's first voxel.

    What ends in ``_lps`` is a place or a line of places, in ``_normal_lps`` a plane's unit normal.
    """

    def moved(place: Any) -> Any:
        if not isinstance(place[0], float):
            return tuple(moved(point) for point in place)
        x, y, z, _ones = (segment.lpsToWorld @ [*place, 1.0]).tolist()
        return x, y, z

    def turned(normal: Any) -> Any:
        """A plane's normal goes by the inverse transpose, so that it stays across the plane."""
        direction = np.linalg.inv(segment.lpsToWorld[:3, :3]).T @ normal
        return tuple((direction / np.linalg.norm(direction)).tolist())

    names = [field.name for field in fields(aneurysm) if field.name.endswith("_lps")]
    places = {name: getattr(aneurysm, name) for name in names}
    i, j, k = (segment.startIjk + aneurysm.centroid_ijk).tolist()
    return replace(
        aneurysm,
        centroid_ijk=(i, j, k),
        **{
            name: turned(place) if name.endswith("_normal_lps") else moved(place)
            for name, place in places.items()
            if place is not None
        },
    )


def statesOf(segmentationNode: Any) -> dict[str, tuple[Any, ...]]:
    """``stateOf`` every segment that would be measured."""
    ids = segmentsShowing(segmentationNode, ANEURYSM)
    return {one: stateOf(segmentationNode, one) for one in ids}
