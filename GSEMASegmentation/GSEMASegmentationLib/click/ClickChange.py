"""What clicks have changed of an aneurysm, how it is taken back, and done again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.click.ClickPoints import Clicks, answered, listsOf, showClicks, startOf
from GSEMASegmentationLib.scene.Hierarchy import placeOutput
from GSEMASegmentationLib.scene.OutputState import OutputState, removeWithDisplays
from GSEMASegmentationLib.scene.OwnSegmentation import MADE_OF_ROLE, markMadeOf
from GSEMASegmentationLib.scene.SegmentationOutput import adopt
from GSEMASegmentationLib.scene.SegmentLayer import setVoxels
from GSEMASegmentationLib.scene.SegmentMasks import LABELMAP, imageArray, segmentImage

NO_CLICKS = Clicks()


@dataclass(frozen=True, eq=False)
class Moment:
    """An aneurysm at one time.

    Attributes:
        isThere: whether it has a segment.
        image: its voxels (vtkOrientedImageData); None where there are none.
        clicks: what it was made of, in the segmentation's own frame (LPS).
        start: see ``ClickPoints.startOf``.
    """

    isThere: bool = False
    image: Any = None
    clicks: Clicks = NO_CLICKS
    start: str = ""

    @classmethod
    def of(cls, node: Any, segmentId: str) -> Moment:
        """An aneurysm as it is now."""
        if node.GetSegmentation().GetSegment(segmentId) is None:
            return cls()
        points = listsOf(node).get(segmentId)
        image = segmentImage(node, segmentId)
        if points is None:
            return cls(True, image)
        return cls(True, image, answered(points), startOf(points))


@dataclass(eq=False)
class ClickChange:
    """What a click has changed, so that it can be taken back; see ``UndoStack.Change``.

    Attributes:
        volumeNode: the volume that was clicked into.
        node: the segmentation.
        segmentId: the only segment that is changed.
        segment: the segment's name, color and tags (vtkSegment), for where it is added.
        before: the aneurysm before.
        after: the aneurysm since.
        state: the segmentation's links to the scene before; None where it was not there.
    """

    volumeNode: Any
    node: Any
    segmentId: str
    segment: Any
    before: Moment
    after: Moment
    state: OutputState | None

    @property
    def title(self) -> str:
        """What it was."""
        more = self.after.clicks.count - self.before.clicks.count
        if more < 0:
            return _("the removal of a click")
        isMove = more == 0 and not self.after.clicks.isSame(self.before.clicks)
        return _("the move of a click") if isMove else _("the click")

    @property
    def isPossible(self) -> bool:
        """Whether what was changed is still in the scene."""
        return slicer.mrmlScene.IsNodePresent(self.node) and self._isThere == self.after.isThere

    @property
    def canRedo(self) -> bool:
        """Whether the scene is as it was before, so far as that is seen at once."""
        if not slicer.mrmlScene.IsNodePresent(self.volumeNode):
            return False
        if not slicer.mrmlScene.IsNodePresent(self.node):
            return self.state is None  # it had come with this click, and went with its undoing
        return self._isThere == self.before.isThere

    @property
    def _isThere(self) -> bool:
        return self.node.GetSegmentation().GetSegment(self.segmentId) is not None

    def make(self) -> None:
        """Do it; the scene changes completely or not at all."""
        try:
            self._turn(self.before, self.after)
        except Exception:
            self.revert()
            raise
        if self.node.GetNodeReferenceID(MADE_OF_ROLE) is None:
            markMadeOf(self.node, self.volumeNode)

    def redo(self) -> None:
        """Do it again.

        Raises:
            UserError: somebody has changed the segment since; nothing is done.
        """
        if slicer.mrmlScene.IsNodePresent(self.node):
            self._check(self.before)
        else:
            slicer.mrmlScene.AddNode(self.node)
        self.make()

    def undo(self) -> None:
        """Take it back.

        Raises:
            UserError: somebody has changed the segment since; nothing is done.
        """
        self._check(self.after)
        self.revert()

    def revert(self) -> None:
        """Take it back, whatever is in the segment now."""
        self._turn(self.after, self.before)
        segmentation = self.node.GetSegmentation()
        if self.state is not None:
            self.node.SetNodeReferenceID(MADE_OF_ROLE, self.state.madeOfId)
        if segmentation.GetNumberOfSegments() == 0:  # else it has become somebody's work
            if self.state is None:
                removeWithDisplays(self.node)
            else:
                self.state.restore()

    def _check(self, expected: Moment) -> None:
        if self._isThere and not _areSame(segmentImage(self.node, self.segmentId), expected.image):
            raise UserError(
                _("{name} was changed after the click: use the Segment Editor instead.").format(
                    name=self.node.GetSegmentation().GetSegment(self.segmentId).GetName()
                )
            )

    def _turn(self, now: Moment, then: Moment) -> None:
        segmentation = self.node.GetSegmentation()
        if not then.isThere:
            showClicks(self.node, self.segmentId, NO_CLICKS, "")
            if self._isThere:
                segmentation.RemoveSegment(self.segmentId)
            return
        image = _copied(then.image)
        if self._isThere:
            setVoxels(self.node, self.segmentId, image, segmentImage(self.node, self.segmentId))
        else:
            self._add(image)
        showClicks(self.node, self.segmentId, then.clicks, then.start)

    def _add(self, image: Any) -> None:
        """Add the segment; only what was empty gets surfaces, a display and a place."""
        segmentation = self.node.GetSegmentation()
        wasEmpty = segmentation.GetNumberOfSegments() == 0
        adopt(self.node, self.volumeNode)
        segment = slicer.vtkSegment()
        segment.DeepCopyMetadata(self.segment)
        segment.AddRepresentation(LABELMAP, image)
        segmentation.AddSegment(segment, self.segmentId)
        if self.node.GetDisplayNode() is None:
            self.node.CreateDefaultDisplayNodes()
        if wasEmpty:
            self.node.CreateClosedSurfaceRepresentation()
            placeOutput(self.node, self.volumeNode)


def _copied(image: Any) -> Any:
    """A segment keeps the image that it is given."""
    if image is None:
        return None
    copy = slicer.vtkOrientedImageData()
    copy.DeepCopy(image)
    return copy


def _areSame(first: Any, second: Any) -> bool:
    """Whether two images, which may be None, have the same voxels at the same places."""
    if first is None or second is None:
        return first is second
    return (
        slicer.vtkOrientedImageDataResample.DoGeometriesMatch(first, second)
        and first.GetExtent() == second.GetExtent()
        and np.array_equal(imageArray(first), imageArray(second))
    )
