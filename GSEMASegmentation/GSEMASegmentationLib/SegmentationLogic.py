"""The segmentation module's logic: what a console, a script and the panel call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from gsema_core.errors import Cancelled, UserError
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome
from GSEMASegmentationLib.click.ClickSession import ClickSession
from GSEMASegmentationLib.correct.Measuring import Measuring
from GSEMASegmentationLib.correct.Rejection import accept, reject
from GSEMASegmentationLib.install.Requirements import requirePackages
from GSEMASegmentationLib.measure.Aneurysms import Aneurysm
from GSEMASegmentationLib.measure.Judgement import statusesOf
from GSEMASegmentationLib.neck.NeckCut import checkAneurysm
from GSEMASegmentationLib.neck.NeckCuts import NeckCuts, NeckOutcome
from GSEMASegmentationLib.neck.NeckFollower import NeckFollower
from GSEMASegmentationLib.neck.NeckPlace import planeFromWorld
from GSEMASegmentationLib.neck.NeckPlane import planesOf
from GSEMASegmentationLib.ParameterNode import GSEMASegmentationParameterNode
from GSEMASegmentationLib.scene.Coordinates import checkLinear
from GSEMASegmentationLib.scene.PatchChange import PatchChange
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.scene.UndoStack import UndoStack
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.SegmentationJob import JobOutcome, SegmentationJob
from GSEMASegmentationLib.worker.SurfaceExport import SurfaceExport, SurfaceOutcome
from GSEMASegmentationLib.worker.Waiting import run
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class GSEMASegmentationLogic(ScriptedLoadableModuleLogic):
    """Segments volumes of the scene; works without a panel.

    Args:
        onLog: called with each line that the worker logs.
        workerCommand: program and arguments instead of the installed worker.

    Attributes:
        aneurysms: the last run's aneurysms, the largest first.
        report: the last run's provenance: teacher, device, version, settings, seconds, geometry.

    Example::

        logic = slicer.util.getModuleLogic("GSEMASegmentation")
        segmentationNode = logic.segment(volumeNode)
        print(logic.aneurysms)
    """

    def __init__(
        self,
        onLog: Callable[[str], None] | None = None,
        workerCommand: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.aneurysms: list[Aneurysm] = []
        self.report: dict[str, Any] = {}
        self._client = WorkerClient(workerCommand, onLog)
        self._undoStack = UndoStack()
        self._clicks = ClickSession(self._client, self._undoStack)
        self._job: SegmentationJob | None = None
        self._stopObserving: Callable[[], None] = lambda: None
        self._reportNode: Any = None
        self.measuring = Measuring()
        self._cuts = NeckCuts(self._undoStack)
        self.necks = NeckFollower(self._cuts)
        self._export: SurfaceExport | None = None

    def getParameterNode(self) -> GSEMASegmentationParameterNode:
        return GSEMASegmentationParameterNode(super().getParameterNode())

    @property
    def isRunning(self) -> bool:
        """Whether a segmentation is being made, or a click answered."""
        return self._job is not None or self._clicks.isRunning

    @property
    def undoTitle(self) -> str:
        """What ``undo`` would take back, as "the click"; empty where there is nothing."""
        return next((change.title for change in self._undoStack.changes), "")

    def segment(
        self,
        volumeNode: Any,
        teacher: str = "default",
        device: str = "auto",
        outputSegmentation: Any = None,
        blocking: bool = True,
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        onDone: Callable[[JobOutcome], None] = lambda outcome: None,
        keepProbability: bool = False,
        **settings: Any,
    ) -> Any:
        """Segment vessels and aneurysms of a 3D rotational angiography.

        Args:
            volumeNode: the angiography.
            teacher: "default", the name of an imported teacher, or a teacher file.
            device: "auto", "cpu", "cuda" or "cuda:N".
            outputSegmentation: an existing segmentation node, whose other segments stay
                untouched; None for a new node.
            blocking: wait for the result; the application stays responsive meanwhile.
            onProgress: called with the fraction done and what is being done.
            onDone: called once at the end, also when ``blocking``.
            keepProbability: whether the aneurysm's probability becomes a volume of the scene.
            settings: every setting of docs/settings.md in camelCase: ``overlap``,
                ``minimumVesselMm3``, ``wallsByScan`` and so on.

        Returns:
            The vtkMRMLSegmentationNode; None when not ``blocking``.

        Raises:
            UserError: it cannot be done, one sentence says why; when not ``blocking``, the
                outcome says it.
            Cancelled: it was cancelled; the scene is as before.
        """
        self._checkIdle()
        chosen = RunSettings.fromNames(teacher, device, **settings)
        chosen = replace(chosen, keepProbability=keepProbability)

        def start(onEnd: Callable[[JobOutcome], None]) -> None:
            def onJobDone(outcome: JobOutcome) -> None:
                self._stopObserving()
                self._job = None
                self.aneurysms, self.report = outcome.aneurysms, outcome.report
                self._reportNode = outcome.segmentationNode
                if outcome.segmentationNode is not None:
                    self.necks.refit(outcome.segmentationNode)
                onEnd(outcome)

            self._job = SegmentationJob(
                self._client, volumeNode, outputSegmentation, chosen, onProgress, onJobDone
            )
            self._stopObserving = beforeSceneCloses(self.cancel)
            self._job.start()

        outcome = run(start, blocking, onDone)
        return None if outcome is None else _nodeOf(outcome)

    def prepareClicks(
        self,
        volumeNode: Any,
        teacher: str = "default",
        device: str = "auto",
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        onDone: Callable[[WorkerOutcome], None] = lambda outcome: None,
    ) -> None:
        """Hand the volume to the worker before the first click; returns at once.

        Args:
            volumeNode, teacher, device, onProgress: as for ``segment``.
            onDone: called once at the end; ``kind`` is "result", "error" or "cancelled".
        """
        self._clicks.prepare(volumeNode, RunSettings(teacher, device), onProgress, onDone)

    def segmentAtPoint(
        self,
        volumeNode: Any,
        ras: Sequence[float],
        outputSegmentation: Any = None,
        blocking: bool = True,
        teacher: str = "default",
        device: str = "auto",
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        onDone: Callable[[ClickOutcome], None] = lambda outcome: None,
        **settings: Any,
    ) -> ClickOutcome | None:
        """Segment the aneurysm at a point, and nothing else; ``undo`` takes it back.

        An aneurysm that this module has made there already is replaced, see
        ``ClickImport.importClick``. Where there is no aneurysm, the scene stays as it is.

        Args:
            volumeNode: the angiography.
            ras: where, in mm, in the world's RAS coordinates, as markups points have it.
            outputSegmentation: where the segment goes; None for the segmentation of this volume's
                last click, or a new one.
            blocking, teacher, device, onProgress, onDone: as for ``segment``.
            settings: as for ``segment``: ``aneurysmThreshold``, ``wallsByScan`` and so on.

        Returns:
            What was found, or that nothing was; None when not ``blocking``.

        Raises:
            UserError: it cannot be done, one sentence says why; when not ``blocking``, the
                outcome says it.
            Cancelled: it was cancelled; the scene is as before.
        """
        self._checkIdle()
        chosen = RunSettings.fromNames(teacher, device, **settings)
        return self._clicks.segmentAtPoint(
            volumeNode, ras, outputSegmentation, chosen, blocking, onProgress, onDone
        )

    def undo(self) -> str:
        """Take back the last change of segments; call it again for the change before.

        Returns:
            What it was, as "the click".

        Raises:
            UserError: there is none, or its segments were changed since.
        """
        change = self._undoStack.undo()
        self._reportJudgements(change.node)
        return change.title

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
            self._cuts.movePlane(plane, place)
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

        Args, Raises: as for ``cutAtPlane``.
        """
        checkAneurysm(segmentationNode, segmentId)
        return self._cuts.reset(segmentationNode, segmentId)

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
            segmentationNode, segmentId: as for ``rejectAneurysm``.

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
            blocking: measure here and now. Otherwise what has changed is measured in a process of
                its own, with the same numbers.
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
        self.measuring.begin(segmentationNode, volumeNode, lines, onDone)
        return None

    @property
    def isExporting(self) -> bool:
        """Whether a surface is being made."""
        return self._export is not None

    def exportSurface(
        self,
        segmentationNode: Any,
        path: str,
        closed: bool = False,
        allParts: bool = False,
        split: bool = False,
        blocking: bool = True,
        onDone: Callable[[SurfaceOutcome], None] = lambda outcome: None,
    ) -> dict[str, Any] | None:
        """Write the wall of vessels and aneurysms as a surface for flow simulations.

        A process of its own makes it; docs/surface.md says what it is like. Positions in the file
        are those of the world, in mm, LPS; Slicer reads it to where the segments are.

        Args:
            segmentationNode: the segmentation; its parent transform, if any, moves the surface.
            path: ends with .vtp, .ply (both keep vessel and aneurysm apart) or .stl.
            closed: leave the vessels' ends closed instead of cutting them flat and open.
            allParts: every part of the lumen instead of the largest one.
            split: also write vessel and aneurysm into files of their own.
            blocking: wait for it; the application stays responsive meanwhile.
            onDone: called once at the end, also when ``blocking``.

        Returns:
            What ``gsema surface --report`` writes: volumes in mm3, openings, notes. None when not
            ``blocking``.

        Raises:
            UserError: it cannot be done, one sentence says why; when not ``blocking``, the outcome
                may say it.
        """
        if segmentationNode is None or not segmentationNode.IsA("vtkMRMLSegmentationNode"):
            raise UserError(_("There is no surface to export: choose a segmentation."))
        if self.isExporting:
            raise UserError(_("A surface is being made: wait for its end."))
        chosen = {"--closed": closed, "--all": allParts, "--split": split}
        options = [option for option, isWanted in chosen.items() if isWanted]

        def start(onEnd: Callable[[SurfaceOutcome], None]) -> None:
            def onExported(outcome: SurfaceOutcome) -> None:
                self._export = None
                onEnd(outcome)

            export = SurfaceExport(segmentationNode, str(path), options, onExported)
            export.start()
            self._export = export

        outcome = run(start, blocking, onDone)
        if outcome is not None and outcome.message:
            raise UserError(outcome.message)
        return None if outcome is None else outcome.report

    def cancel(self) -> None:
        """Stop what is running; the scene stays as it was."""
        self._clicks.cancel()
        if self._job is not None:
            self._job.cancel()

    def measureDevice(
        self, teacher: str, device: str, onDone: Callable[[dict[str, Any], str], None]
    ) -> None:
        """Find out which devices there are, and what one window of a teacher costs on one.

        Starts the worker where it does not run.

        Args:
            teacher, device: as for ``segment``.
            onDone: called once with what the worker says (see ``DevicesRequest`` in
                ``gsema_core.worker.protocol``), or with nothing and a sentence.
        """
        try:
            requirePackages()
        except UserError as error:
            onDone({}, str(error))
            return
        self._client.submit(
            "devices",
            onDone=lambda outcome: onDone(outcome.data, outcome.message),
            teacher=teacher,
            device=device,
        )

    def stop(self) -> None:
        """End the worker process and what it is doing, and follow no neck plane any more.

        The next run starts a new process, and ``showNecks`` follows the planes again.
        """
        self.measuring.stop()
        self.necks.stop()
        if self._export is not None:
            self._export.stop()
        self._client.stop()

    def _checkIdle(self) -> None:
        if self.isRunning:
            raise UserError(_("A segmentation is running: wait for its end, or cancel it."))


def _nodeOf(outcome: JobOutcome) -> Any:
    if outcome.isCancelled:
        raise Cancelled
    if outcome.segmentationNode is None:
        raise UserError(outcome.message)
    return outcome.segmentationNode
