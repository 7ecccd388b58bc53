"""What the module's logic does to segments after they were made: measure, cut, judge, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from gsema_core.errors import UserError
from gsema_core.measurements.coils import Coil
from GSEMASegmentationLib.correct.Measuring import Measuring
from GSEMASegmentationLib.correct.Rejection import accept, reject
from GSEMASegmentationLib.measure.Judgement import statusesOf
from GSEMASegmentationLib.measure.Packing import packingDensity
from GSEMASegmentationLib.neck.NeckCut import checkAneurysm
from GSEMASegmentationLib.neck.NeckCuts import NeckCuts, NeckOutcome
from GSEMASegmentationLib.neck.NeckFollower import NeckFollower
from GSEMASegmentationLib.neck.NeckPlace import planeFromWorld
from GSEMASegmentationLib.neck.NeckPlane import planesOf
from GSEMASegmentationLib.scene.Coordinates import checkLinear
from GSEMASegmentationLib.scene.PatchChange import PatchChange
from GSEMASegmentationLib.scene.UndoStack import Change, UndoStack


class CorrectionLogic(ScriptedLoadableModuleLogic):
    """Works on any segmentation, whoever made it; needs no worker.

    Attributes:
        report: the last run's provenance; what the user decides of its aneurysms is added to it.
        measuring: the measurements of all segmentations.
        necks: the neck planes that are shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.report: dict[str, Any] = {}
        self._reportNode: Any = None
        self._undoStack = UndoStack()
        self.measuring = Measuring()
        self._cuts = NeckCuts(self._undoStack)
        self.necks = NeckFollower(self._cuts)

    @property
    def undoTitle(self) -> str:
        """What ``undo`` would take back, as "the click"; empty where there is nothing."""
        return next((_titleOf(change) for change in self._undoStack.changes), "")

    def undo(self) -> str:
        """Take back the last change of segments; call it again for the change before.

        Returns:
            What it was, as "the click".

        Raises:
            UserError: there is none, or its segments were changed since.
        """
        change = self._undoStack.undo()
        self._reportJudgements(change.node)
        return _titleOf(change)

    @property
    def redoTitle(self) -> str:
        """What ``redo`` would do again, as "the click"; empty where there is nothing."""
        change = self._undoStack.undone
        return "" if change is None else change.title

    def redo(self) -> str:
        """Do again the click that ``undo`` has taken back last.

        Returns:
            What it was, as "the click".

        Raises:
            UserError: there is none, or its segment was changed since.
        """
        return _titleOf(self._undoStack.redo())

    def cutAtPlane(
        self,
        segmentationNode: Any,
        segmentId: str,
        origin: Sequence[float],
        normal: Sequence[float],
    ) -> NeckOutcome:
        """Divide an aneurysm from its vessel at a plane; ``undo`` and ``resetNeck`` take it back.

        What lies beyond the plane, seen from the vessel, is the aneurysm:
        ``gsema_core.measurements.neck_division.divide_at_plane`` says what that is exactly. The
        plane may be moved again and again: each time, the aneurysm as it was before the first cut
        is divided, so that the way to a plane does not matter. Nothing else in the segmentation
        changes. ``measure`` brings the table up to date; the panel does so by itself.

        Args:
            segmentationNode: the segmentation.
            segmentId: the id of an aneurysm's segment, as ``GetSegmentIDs`` has it.
            origin: a point of the plane near the neck, in mm, in the world's RAS coordinates.
            normal: from the vessel into the aneurysm, in the world's RAS coordinates.

        Returns:
            How much has changed sides.

        Raises:
            UserError: the plane does not separate an aneurysm from its vessel, or the segment
                cannot be cut; one sentence says what to do, and nothing was changed.

        Example::

            logic.cutAtPlane(segmentationNode, "GSEMA_Aneurysm", (12.5, -31, 48), (0, 1, 0.3))
        """
        checkAneurysm(segmentationNode, segmentId)
        place = planeFromWorld(segmentationNode, origin, normal)
        outcome = self._cuts.cut(segmentationNode, segmentId, place)
        plane = planesOf(segmentationNode).get(segmentId)
        if plane is not None:
            self._cuts.movePlane(segmentationNode, plane, place)
        return outcome

    def showNecks(self, segmentationNode: Any) -> dict[str, str]:
        """Show the neck plane of each aneurysm; moving or turning one cuts there.

        Planes that are there already, as in a loaded scene, stay where they are and are followed.

        Returns:
            One sentence for each aneurysm that has no neck plane, by segment.

        Raises:
            UserError: it is not a segmentation, or lies under a transform that is not linear.
        """
        if segmentationNode is None or not segmentationNode.IsA("vtkMRMLSegmentationNode"):
            raise UserError(_("There are no necks to show: choose a segmentation."))
        checkLinear(segmentationNode)
        return self.necks.show(segmentationNode)

    def hideNecks(self, segmentationNode: Any) -> None:
        """Remove the neck planes; what they have divided stays so."""
        self.necks.hide(segmentationNode)

    def resetNeck(self, segmentationNode: Any, segmentId: str) -> NeckOutcome:
        """Put an aneurysm back as it was before the first cut, or since it was edited by hand.

        Its plane goes back to where it was fitted. ``undo`` takes it back.

        Args:
            segmentationNode: the segmentation.
            segmentId: the id of an aneurysm's segment, as ``GetSegmentIDs`` has it.

        Returns:
            How much has changed sides.

        Raises:
            UserError: as for ``cutAtPlane``.
        """
        checkAneurysm(segmentationNode, segmentId)
        return self._cuts.reset(segmentationNode, segmentId)

    def packingDensity(self, segmentationNode: Any, segmentId: str, coils: Sequence[Coil]) -> float:
        """The share of an aneurysm's segment, as it is now, that coils fill.

        The volume embolization ratio; see ``gsema_core.measurements.coils``. For research use.

        Args:
            segmentationNode: the segmentation.
            segmentId: the id of the aneurysm's segment, as ``GetSegmentIDs`` has it.
            coils: such as ``[Coil(diameter_mm=0.254, length_mm=200)]``.

        Raises:
            UserError: there is no such segment, it is empty, or the coils do not fit into it.
        """
        return packingDensity(segmentationNode, segmentId, coils)

    def rejectAneurysm(self, segmentationNode: Any, segmentId: str) -> None:
        """Turn a false aneurysm into vessel; ``acceptAneurysm`` and ``undo`` take it back.

        Its segment stays, empty, and its row in the table says "rejected by the user".

        Args:
            segmentationNode: the segmentation.
            segmentId: the id of an aneurysm's segment, as ``GetSegmentIDs`` has it.

        Raises:
            UserError: it cannot be done, one sentence says why; nothing was changed.
        """
        self._judge(reject(segmentationNode, segmentId, self.measuring))

    def acceptAneurysm(self, segmentationNode: Any, segmentId: str) -> None:
        """Confirm an aneurysm; a rejected one gets its voxels back, exactly those.

        Args:
            segmentationNode: the segmentation.
            segmentId: the id of an aneurysm's segment, as ``GetSegmentIDs`` has it.

        Raises:
            UserError: as for ``rejectAneurysm``; also where the vessel was edited there since the
                rejection.
        """
        self._judge(accept(segmentationNode, segmentId))

    def _judge(self, change: PatchChange) -> None:
        self._undoStack.add(change)
        self._reportJudgements(change.node)

    def _reportJudgements(self, segmentationNode: Any) -> None:
        """Write what the user has decided of the last run's aneurysms into its report."""
        if segmentationNode is self._reportNode and slicer.mrmlScene.IsNodePresent(
            segmentationNode
        ):
            self.report["judgements"] = statusesOf(segmentationNode)

    def measure(
        self,
        segmentationNode: Any,
        volumeNode: Any = None,
        lines: bool = False,
        onlyChanged: bool = False,
        blocking: bool = True,
        onDone: Callable[[str], None] = lambda message: None,
    ) -> Any:
        """Measure the aneurysms of a segmentation as they are now, whoever drew them.

        Measuring again updates the same table. ``SegmentKinds.segmentsShowing`` says what counts
        as an aneurysm; ``gsema_core.measurements.Aneurysm`` what the columns mean.

        Args:
            segmentationNode: the segmentation.
            volumeNode: the table is put into its folder; None for the segmented volume.
            lines: show diameters, heights and necks as lines; False removes those of before.
            onlyChanged: measure only the segments that have changed since the last measurement.
            blocking: measure here and now. Otherwise in a process of its own, with the same
                numbers.
            onDone: called once the table is up to date when not ``blocking``, with an empty text
                or a sentence that says why it is not.

        Returns:
            The vtkMRMLTableNode, a row an aneurysm, the largest first and rejected ones last;
            None when not ``blocking``.

        Raises:
            UserError: it is not a segmentation, or it lies under a transform that is not linear.
        """
        if blocking:
            return self.measuring.measure(segmentationNode, volumeNode, lines, onlyChanged)
        self.measuring.begin(segmentationNode, volumeNode, lines, onlyChanged, onDone)
        return None


def _titleOf(change: Change) -> str:
    """What a change was; where the scene has several segmentations, also of which one."""
    if slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") < 2:
        return change.title
    return str(
        _("{change} in {segmentation}").format(
            change=change.title, segmentation=change.node.GetName()
        )
    )
