"""A cut at a plane that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.neck.NeckPlace import Plane
from GSEMASegmentationLib.neck.NeckSurfaces import NeckSurfaces
from GSEMASegmentationLib.scene.SegmentPatch import SegmentPatch, applyPatches


@dataclass(eq=False)
class NeckChange:
    """One step: a plane's move from where it rested to where it rests; see ``UndoStack.Change``.

    Attributes:
        node: the segmentation.
        title: what it is, after "take back".
        patches: the aneurysm's change, and the vessel's.
        before: both segments in the box before.
        planeBefore: where the plane was; None where it was in no view.
        surfaces: of both segments.
        onUndone: called when it was taken back.
    """

    node: Any
    title: str
    patches: Sequence[SegmentPatch]
    before: Sequence[np.ndarray]
    planeBefore: Plane | None
    surfaces: NeckSurfaces
    onUndone: Callable[[NeckChange], None]

    @property
    def segmentId(self) -> str:
        """The aneurysm's segment."""
        return self.patches[0].segmentId

    @property
    def isPossible(self) -> bool:
        """Whether what was changed is still in the scene."""
        if not slicer.mrmlScene.IsNodePresent(self.node):
            return False
        segmentation = self.node.GetSegmentation()
        return all(segmentation.GetSegment(one.segmentId) is not None for one in self.patches)

    def undo(self) -> None:
        """Take it back.

        Raises:
            UserError: somebody has changed the same voxels since; nothing is done.
        """
        back = [patch.reversed for patch in self.patches]
        segmentation = self.node.GetSegmentation()
        for patch in back:
            if not patch.fits(self.node):
                raise UserError(
                    _("{name} was edited after {change}: use the Segment Editor instead.").format(
                        name=segmentation.GetSegment(patch.segmentId).GetName(), change=self.title
                    )
                )
        applyPatches(self.node, back, lambda: self.surfaces.update(back))
        self.onUndone(self)
