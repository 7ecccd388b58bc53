"""A change of several segments that can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.SegmentMasks import isEmpty
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch, applyPatches

Tags = Mapping[str, str]
"""A tag's text by segment; empty for none."""


@dataclass(eq=False)
class PatchChange:
    """Voxels, and one tag, of some segments of a segmentation; see ``UndoStack.Change``.

    Attributes:
        node: the segmentation.
        title: what it is, after "take back": "the rejection of Aneurysm 2".
        patches: the voxels.
        tagName: the tag.
        tagsBefore: its texts before, by segment.
        tagsAfter: its texts after.
        newSegments: segments that were made for it.
    """

    node: Any
    title: str
    patches: Sequence[SegmentPatch] = ()
    tagName: str = ""
    tagsBefore: Tags = field(default_factory=dict)
    tagsAfter: Tags = field(default_factory=dict)
    newSegments: Sequence[str] = ()

    @property
    def isPossible(self) -> bool:
        """Whether what was changed is still in the scene."""
        if not slicer.mrmlScene.IsNodePresent(self.node):
            return False
        ids = {*(patch.segmentId for patch in self.patches), *self.tagsAfter}
        segmentation = self.node.GetSegmentation()
        return all(segmentation.GetSegment(one) is not None for one in ids)

    def make(self) -> None:
        """Do it."""
        applyPatches(self.node, self.patches)
        self._setTags(self.tagsAfter)

    def undo(self) -> None:
        """Take it back.

        Raises:
            UserError: somebody has changed the same voxels or tags since; nothing is done.
        """
        back = [patch.reversed for patch in self.patches]
        segmentation = self.node.GetSegmentation()
        edited = [patch.segmentId for patch in back if not patch.fits(self.node)]
        for segmentId, text in self.tagsAfter.items():
            if tagOf(segmentation.GetSegment(segmentId), self.tagName) != text:
                edited.append(segmentId)
        if edited:
            raise UserError(
                _("{name} was edited after {change}: use the Segment Editor instead.").format(
                    name=segmentation.GetSegment(edited[0]).GetName(), change=self.title
                )
            )
        applyPatches(self.node, back)
        self._setTags(self.tagsBefore)
        for segmentId in self.newSegments:
            if isEmpty(self.node, segmentId):
                segmentation.RemoveSegment(segmentId)

    def _setTags(self, tags: Tags) -> None:
        for segmentId, text in tags.items():
            setTag(self.node.GetSegmentation().GetSegment(segmentId), self.tagName, text)


def setTag(segment: Any, name: str, text: str) -> None:
    """Give a segment a tag; an empty text takes it away."""
    if text:
        segment.SetTag(name, text)
    elif segment.HasTag(name):
        segment.RemoveTag(name)


def tagOf(segment: Any, name: str) -> str:
    """The text of a segment's tag; empty where there is none."""
    text = vtk.reference("")
    return str(text.get()) if segment.GetTag(name, text) else ""
