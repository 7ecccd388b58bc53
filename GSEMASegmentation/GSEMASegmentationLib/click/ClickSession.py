"""Clicks on one scene, one after the other: what runs, where the results go, and undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import Cancelled, UserError
from gsema_core.worker.protocol import ERROR, RESULT
from GSEMASegmentationLib.click.ClickChange import ClickChange
from GSEMASegmentationLib.click.ClickJob import ClickJob
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome
from GSEMASegmentationLib.scene.SceneClosing import beforeSceneCloses
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from GSEMASegmentationLib.scene.VolumeFiles import volumeKey
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.ScanTransfer import ScanTransfer
from GSEMASegmentationLib.worker.Waiting import run
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class ClickSession:
    """Segments at clicks and remembers what they have changed.

    Args:
        client: the worker, which also keeps the scan.
    """

    def __init__(self, client: WorkerClient) -> None:
        self._client = client
        self._job: ClickJob | None = None
        self._transfer: ScanTransfer | None = None
        self._wanted: tuple[str, ...] = ()  # volume, teacher and device of the transfer
        self._listeners: list[Callable[[WorkerOutcome], None]] = []
        self._sent: tuple[Any, ...] = ()  # the same of the last one, and the worker that has it
        self._changes: list[tuple[Any, ClickChange]] = []  # each with the volume clicked into
        self._stopObserving: Callable[[], None] = lambda: None

    @property
    def isRunning(self) -> bool:
        """Whether a click is being answered."""
        return self._job is not None

    @property
    def canUndo(self) -> bool:
        """Whether there is a click to take back."""
        return any(change.isPossible for _volume, change in self._changes)

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

    def segmentAtPoint(
        self,
        volumeNode: Any,
        ras: Sequence[float],
        outputNode: Any,
        settings: RunSettings,
        blocking: bool,
        onProgress: Callable[[float, str], None],
        onDone: Callable[[ClickOutcome], None],
    ) -> ClickOutcome | None:
        """See ``GSEMASegmentationLogic.segmentAtPoint``."""
        output = outputNode or self._lastOutput(volumeNode)

        def start(onEnd: Callable[[ClickOutcome], None]) -> None:
            def onJobDone(outcome: ClickOutcome, change: ClickChange | None) -> None:
                self._stopObserving()
                self._job = None
                if change is not None:
                    self._changes.append((volumeNode, change))
                onEnd(outcome)

            present = slicer.mrmlScene.IsNodePresent
            self._changes = [one for one in self._changes if present(one[1].node)]
            self._job = ClickJob(
                self._client, volumeNode, ras, output, settings, onProgress, onJobDone
            )
            self._stopObserving = beforeSceneCloses(self.cancel)
            self._job.start()

        outcome = run(start, blocking, onDone)
        return None if outcome is None else _checked(outcome)

    def undo(self) -> None:
        """Take the last click's change back; clicks whose segments are gone are passed over.

        Raises:
            UserError: there is none, or its segment was changed since.
        """
        while self._changes:
            _volume, change = self._changes.pop()
            if change.isPossible:
                change.undo()
                return
        raise UserError(_("There is no click to take back."))

    def cancel(self) -> None:
        """Stop what runs; the scene stays as it was."""
        for running in (self._job, self._transfer):
            if running is not None:
                running.cancel()

    def _lastOutput(self, volumeNode: Any) -> Any:
        for volume, change in reversed(self._changes):
            if volume is volumeNode and change.isPossible:
                return change.node
        return None


def _checked(outcome: ClickOutcome) -> ClickOutcome:
    if outcome.kind == "cancelled":
        raise Cancelled
    if outcome.kind == "error":
        raise UserError(outcome.message)
    return outcome
