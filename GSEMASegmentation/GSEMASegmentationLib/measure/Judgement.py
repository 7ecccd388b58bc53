"""What the user has decided of an aneurysm: confirmed, or rejected. Kept with its segment."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer.util

from GSEMASegmentationLib.scene.MaskText import packed, unpacked
from GSEMASegmentationLib.scene.PatchChange import setTag, tagOf
from GSEMASegmentationLib.scene.SegmentMasks import isEmpty
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch

if TYPE_CHECKING:  # scipy: not at start-up
    from gsema_core.measurements import Aneurysm

CONFIRMED = "confirmed by the user"
REJECTED = "rejected by the user"
"""As tables and files have them."""

TAG = "GSEMASegmentation.judgement"
"""A segment's tag; in base64, as Slicer's files give some letters of tags a meaning."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """A user's decision.

    Attributes:
        status: ``CONFIRMED`` or ``REJECTED``.
        time: when, as ISO 8601 has it, with the time zone.
        patches: how the segments were changed by a rejection.
        aneurysms: what ``measure_pieces`` said of a rejected one.
        startIjk: where the drawing began that was measured (``SegmentDrawing``).
    """

    status: str
    time: str
    patches: Sequence[SegmentPatch] = ()
    aneurysms: Sequence[Aneurysm] = ()
    startIjk: tuple[int, int, int] = (0, 0, 0)

    def toText(self) -> str:
        """As a tag."""
        content = {
            "status": self.status,
            "time": self.time,
            "patches": [_patchToJson(patch) for patch in self.patches],
            "aneurysms": [asdict(one) for one in self.aneurysms],
            "start": [int(n) for n in self.startIjk],
        }
        return base64.b64encode(zlib.compress(json.dumps(content).encode())).decode("ascii")


def now() -> str:
    """The time, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def judgementOf(segmentationNode: Any, segmentId: str) -> Judgement | None:
    """What was decided of a segment.

    A rejected aneurysm that has voxels again was drawn anew: its rejection counts no more. What
    cannot be read, because another version wrote it, is no decision.
    """
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    text = tagOf(segment, TAG)
    if not text:
        return None
    try:
        judgement = _fromText(text)
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
    if judgement.status == REJECTED and not isEmpty(segmentationNode, segmentId):
        return None
    return judgement


def isRejected(segmentationNode: Any, segmentId: str) -> bool:
    """Whether a segment was an aneurysm, and is vessel now; not where it is gone."""
    if segmentationNode.GetSegmentation().GetSegment(segmentId) is None:
        return False
    judgement = judgementOf(segmentationNode, segmentId)
    return judgement is not None and judgement.status == REJECTED


def statusesOf(segmentationNode: Any) -> dict[str, str]:
    """The statuses of all segments that were judged, by their names.

    Where several have one name, their ids stand behind it.
    """
    segmentation = segmentationNode.GetSegmentation()
    names = {one: segmentation.GetSegment(one).GetName() for one in segmentation.GetSegmentIDs()}
    counts = Counter(names.values())
    judged = {one: judgementOf(segmentationNode, one) for one in names}
    return {
        name if counts[name] == 1 else f"{name} ({one})": judgement.status
        for one, name in names.items()
        if (judgement := judged[one]) is not None
    }


def dropJudgements(segmentationNode: Any) -> None:
    """Forget all decisions in a segmentation."""
    segmentation = segmentationNode.GetSegmentation()
    for segmentId in segmentation.GetSegmentIDs():
        setTag(segmentation.GetSegment(segmentId), TAG, "")


def _fromText(text: str) -> Judgement:
    from gsema_core.measurements.orders import aneurysms_of

    content = json.loads(zlib.decompress(base64.b64decode(text)))
    if content["status"] not in (CONFIRMED, REJECTED):
        raise ValueError(content["status"])
    i, j, k = content["start"]
    return Judgement(
        content["status"],
        content["time"],
        [_patchFromJson(patch) for patch in content["patches"]],
        aneurysms_of(json.dumps(content["aneurysms"])),
        (i, j, k),
    )


def _patchToJson(patch: SegmentPatch) -> dict[str, Any]:
    return {
        "segment": patch.segmentId,
        "grid": slicer.util.arrayFromVTKMatrix(patch.grid).tolist(),
        "start": [int(n) for n in patch.startIjk],
        "shape": list(patch.before.shape),
        "before": packed(patch.before),
        "after": packed(patch.after),
    }


def _patchFromJson(content: dict[str, Any]) -> SegmentPatch:
    shape = content["shape"]
    i, j, k = content["start"]
    return SegmentPatch(
        content["segment"],
        slicer.util.vtkMatrixFromArray(np.array(content["grid"])),
        (i, j, k),
        unpacked(content["before"], shape),
        unpacked(content["after"], shape),
    )
