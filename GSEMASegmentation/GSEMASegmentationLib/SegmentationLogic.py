"""The segmentation module's logic: what a console, a script and the panel call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import Cancelled, UserError
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome
from GSEMASegmentationLib.click.ClickPoints import Clicks, listsOf
from GSEMASegmentationLib.click.ClickSession import ClickSession
from GSEMASegmentationLib.CorrectionLogic import CorrectionLogic
from GSEMASegmentationLib.install.Requirements import requirePackages
from GSEMASegmentationLib.measure.Aneurysms import Aneurysm
from GSEMASegmentationLib.ParameterNode import GSEMASegmentationParameterNode
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.SegmentationJob import JobOutcome, SegmentationJob
from GSEMASegmentationLib.worker.SurfaceExport import SurfaceExport, SurfaceOutcome
from GSEMASegmentationLib.worker.Waiting import run
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class GSEMASegmentationLogic(CorrectionLogic):
    """Segments volumes of the scene, and corrects the result; works without a panel.

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
        self._client = WorkerClient(workerCommand, onLog)
        self._clicks = ClickSession(self._client, self._undoStack)
        self._job: SegmentationJob | None = None
        self._stopObserving: Callable[[], None] = lambda: None
        self._export: SurfaceExport | None = None

    def getParameterNode(self) -> GSEMASegmentationParameterNode:
        return GSEMASegmentationParameterNode(super().getParameterNode())

    @property
    def isRunning(self) -> bool:
        """Whether a segmentation is being made, or a click answered."""
        return self._job is not None or self._clicks.isRunning

    @property
    def isAnsweringClick(self) -> bool:
        """Whether a click is being answered."""
        return self._clicks.isRunning

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
            settings: every setting of docs/reference/settings.md in camelCase: ``overlap``,
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
            volumeNode: the angiography.
            teacher: as for ``segment``.
            device: as for ``segment``.
            onProgress: as for ``segment``.
            onDone: called once at the end; ``kind`` is "result", "error" or "cancelled".
        """
        self._clicks.prepare(volumeNode, RunSettings(teacher, device), onProgress, onDone)

    def segmentAtPoint(
        self, volumeNode: Any, ras: Sequence[float], outputSegmentation: Any = None, **choices: Any
    ) -> ClickOutcome | None:
        """Segment the aneurysm at one point: ``segmentAtPoints(volumeNode, [ras], ...)``."""
        return self.segmentAtPoints(
            volumeNode, [ras], outputSegmentation=outputSegmentation, **choices
        )

    def segmentAtPoints(
        self,
        volumeNode: Any,
        inside: Sequence[Sequence[float]],
        outside: Sequence[Sequence[float]] = (),
        outputSegmentation: Any = None,
        aneurysm: str = "",
        blocking: bool = True,
        teacher: str = "default",
        device: str = "auto",
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        onDone: Callable[[ClickOutcome], None] = lambda outcome: None,
        **settings: Any,
    ) -> ClickOutcome | None:
        """Segment the one aneurysm of some points, and nothing else; ``undo`` takes it back.

        The points stay in the scene as a point list that belongs to the segment. An aneurysm that
        this module has made there already is replaced, and its points count too, see
        ``ClickTarget.targetSegment``. Where there is no aneurysm, the scene stays as it is.

        Args:
            volumeNode: the angiography.
            inside: points on the aneurysm, at least one, in mm, in the world's RAS coordinates, as
                markups have them.
            outside: points on what is not part of it.
            outputSegmentation: where the segment goes; None for the segmentation of this volume's
                last click, or a new one.
            aneurysm: the id of a segment of it, which is then made of these points alone; "new"
                for a new segment in any case; empty to find it by what is there.
            blocking: as for ``segment``.
            teacher: as for ``segment``.
            device: as for ``segment``.
            onProgress: as for ``segment``.
            onDone: as for ``segment``.
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
        clicks = Clicks(tuple(inside), tuple(outside))  # type: ignore[arg-type]  # ClickJob checks
        return self._clicks.segmentAtPoints(
            volumeNode, clicks, outputSegmentation, aneurysm, chosen, blocking, onProgress, onDone
        )

    def removeClicks(self, segmentationNode: Any, segmentId: str) -> None:
        """Remove all clicks of an aneurysm; ``undo`` takes it back.

        It becomes what it was before the first one; one that a click has begun goes away.

        Args:
            segmentationNode: the segmentation.
            segmentId: a segment that was made of clicks.

        Raises:
            UserError: it was not.
        """
        if segmentId not in listsOf(segmentationNode):
            raise UserError(_("There are no clicks of {segment}.").format(segment=segmentId))
        self._clicks.removeClicks(segmentationNode, segmentId)

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

        A process of its own makes it; docs/how-to/surface.md says what it is like. Positions in
        the file are those of the world, in mm, LPS; Slicer reads it to where the segments are.

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
