"""What a click has changed in a segmentation, and how it is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.OutputState import OutputState, removeWithDisplays
from GSEMASegmentationLib.scene.OwnSegmentation import MADE_OF_ROLE
from GSEMASegmentationLib.scene.SegmentLayer import setVoxels
from GSEMASegmentationLib.scene.SegmentMasks import imageArray, segmentImage


@dataclass(eq=False)
class ClickChange:
    """What a click has changed, so that it can be taken back.

    Attributes:
        volumeNode: the volume that was clicked into.
        node: the segmentation.
        segmentId: the only segment that was changed.
        isNew: whether the segment was not there before.
        before: its voxels before (vtkOrientedImageData), None where there were none.
        after: its voxels since.
        state: the segmentation's links to the scene before; None where it was not there.
    """

    volumeNode: Any
    node: Any
    segmentId: str
    isNew: bool
    before: Any
    after: Any
    state: OutputState | None

    @property
    def title(self) -> str:
        """What it was."""
        return _("the click")

    @property
    def isPossible(self) -> bool:
        """Whether what was changed is still in the scene."""
        return (
            slicer.mrmlScene.IsNodePresent(self.node)
            and self.node.GetSegmentation().GetSegment(self.segmentId) is not None
        )

    def undo(self) -> None:
        """Take the change back.

        Raises:
            UserError: somebody has changed the segment since; nothing is done.
        """
        segmentation = self.node.GetSegmentation()
        if not _areSame(segmentImage(self.node, self.segmentId), self.after):
            raise UserError(
                _("{name} was changed after the click: use the Segment Editor instead.").format(
                    name=segmentation.GetSegment(self.segmentId).GetName()
                )
            )
        self.revert()

    def revert(self) -> None:
        """Take the change back, whatever is in the segment now."""
        segmentation = self.node.GetSegmentation()
        if self.isNew:
            segmentation.RemoveSegment(self.segmentId)
        else:
            now = segmentImage(self.node, self.segmentId)
            setVoxels(self.node, self.segmentId, self.before, now)
        if self.state is not None:
            self.node.SetNodeReferenceID(MADE_OF_ROLE, self.state.madeOfId)
        if segmentation.GetNumberOfSegments() == 0:  # else it has become somebody's work
            if self.state is None:
                removeWithDisplays(self.node)
            else:
                self.state.restore()


def _areSame(first: Any, second: Any) -> bool:
    """Whether two images, which may be None, have the same voxels at the same places."""
    if first is None or second is None:
        return first is second
    return (
        slicer.vtkOrientedImageDataResample.DoGeometriesMatch(first, second)
        and first.GetExtent() == second.GetExtent()
        and np.array_equal(imageArray(first), imageArray(second))
    )
