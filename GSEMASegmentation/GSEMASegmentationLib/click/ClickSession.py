"""Clicks on one scene, one after the other: what runs, and where the results go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gsema_core.errors import Cancelled, UserError
from gsema_core.worker.protocol import ERROR, RESULT
from GSEMASegmentationLib.click.ClickChange import ClickChange
from GSEMASegmentationLib.click.ClickImport import removeClicks
from GSEMASegmentationLib.click.ClickJob import ClickJob
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome
from GSEMASegmentationLib.click.ClickPoints import Clicks
from GSEMASegmentationLib.scene.OwnSegmentation import MADE_OF_ROLE
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.scene.UndoStack import UndoStack
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from GSEMASegmentationLib.scene.VolumeFiles import volumeKey
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.ScanTransfer import ScanTransfer
from GSEMASegmentationLib.worker.Waiting import run
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class ClickSession:
    """Segments at clicks and remembers what they have changed, in an ``UndoStack``.

    Args:
        client: the worker, which also keeps the scan.
        undoStack: gets what the clicks have changed.
    """

    def __init__(self, client: WorkerClient, undoStack: UndoStack) -> None:
        self._client, self._undoStack = client, undoStack
        self._job: ClickJob | None = None
        self._transfer: ScanTransfer | None = None
        self._wanted: tuple[str, ...] = ()  # volume, teacher and device of the transfer
        self._listeners: list[Callable[[WorkerOutcome], None]] = []
        self._sent: tuple[Any, ...] = ()  # the same of the last one, and the worker that has it
        self._stopObserving: Callable[[], None] = lambda: None

    @property
    def isRunning(self) -> bool:
        """Whether a click is being answered."""
        return self._job is not None

    def prepare(
        self,
        volumeNode: Any,
        settings: RunSettings,
        onProgress: Callable[[float, str], None] = lambda fraction, phase: None,
        onDone: Callable[[WorkerOutcome], None] = lambda outcome: None,
    ) -> None:
        """Hand the volume over while the user still looks for an aneurysm; returns at once.

        What the worker has already is not sent again. Clicks may come meanwhile: they are answered
        afterwards. ``onDone`` gets an outcome of kind "result", "error" or "cancelled".
        """
        try:
            checkVolume(volumeNode)
        except UserError as error:
            onDone(WorkerOutcome(ERROR, str(error)))
            return
        wanted = (volumeKey(volumeNode), settings.teacher, settings.device)
        if self._transfer is not None and wanted == self._wanted:
            self._listeners.append(onDone)
        elif (*wanted, self._client.pid) == self._sent:
            onDone(WorkerOutcome(RESULT))
        else:
            if self._transfer is not None:
                self._transfer.cancel()
            self._wanted, self._listeners = wanted, [onDone]
            self._transfer = self._newTransfer(volumeNode, settings, onProgress)
            self._transfer.start()

    def _newTransfer(
        self, volumeNode: Any, settings: RunSettings, onProgress: Callable[[float, str], None]
    ) -> ScanTransfer:
        wanted, listeners = self._wanted, self._listeners

        def onTransferred(outcome: WorkerOutcome) -> None:
            if outcome.isResult:
                self._sent = (*wanted, self._client.pid)
            if self._listeners is listeners:  # no other volume came after it
                self._transfer = None
            for listener in listeners:
                listener(outcome)

        return ScanTransfer(self._client, volumeNode, settings, onProgress, onTransferred)

    def segmentAtPoints(
        self,
        volumeNode: Any,
        clicks: Clicks,
        outputNode: Any,
        aneurysm: str,
        settings: RunSettings,
        blocking: bool,
        onProgress: Callable[[float, str], None],
        onDone: Callable[[ClickOutcome], None],
    ) -> ClickOutcome | None:
        """See ``GSEMASegmentationLogic.segmentAtPoints``; the clicks are in the world (RAS)."""
        output = outputNode or self._lastOutput(volumeNode)

        def start(onEnd: Callable[[ClickOutcome], None]) -> None:
            def onJobDone(outcome: ClickOutcome, change: ClickChange | None) -> None:
                self._stopObserving()
                self._job = None
                if change is not None:
                    self._undoStack.add(change)
                onEnd(outcome)

            self._job = ClickJob(
                self._client,
                volumeNode,
                clicks,
                output,
                aneurysm,
                settings,
                onProgress,
                onJobDone,
            )
            self._stopObserving = beforeSceneCloses(self.cancel)
            self._job.start()

        outcome = run(start, blocking, onDone)
        return None if outcome is None else _checked(outcome)

    def removeClicks(self, segmentationNode: Any, segmentId: str) -> None:
        """See ``GSEMASegmentationLogic.removeClicks``."""
        volumeNode = segmentationNode.GetNodeReference(MADE_OF_ROLE)
        self._undoStack.add(removeClicks(volumeNode, segmentationNode, segmentId))

    def cancel(self) -> None:
        """Stop what runs; the scene stays as it was."""
        for running in (self._job, self._transfer):
            if running is not None:
                running.cancel()

    def _lastOutput(self, volumeNode: Any) -> Any:
        for change in self._undoStack.changes:
            if isinstance(change, ClickChange) and change.volumeNode is volumeNode:
                return change.node
        return None


def _checked(outcome: ClickOutcome) -> ClickOutcome:
    if outcome.kind == "cancelled":
        raise Cancelled
    if outcome.kind == "error":
        raise UserError(outcome.message)
    return outcome
