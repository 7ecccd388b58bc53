"""Handing a volume over to the worker, which keeps it for the clicks to come."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from gsema_core.errors import UserError
from gsema_core.worker.protocol import ERROR
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from GSEMASegmentationLib.scene.VolumeFiles import exportVolume, volumeKey
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class ScanTransfer:
    """Hands over once. Whatever happens, ``onDone`` is called once and no temporary file is left.

    Args:
        client: the worker.
        volumeNode: the volume.
        settings: the teacher that will segment it, and the device.
        onProgress: called with the fraction done and what is being done.
        onDone: called with the worker's outcome; its message calls the volume by its name.
    """

    def __init__(
        self,
        client: WorkerClient,
        volumeNode: Any,
        settings: RunSettings,
        onProgress: Callable[[float, str], None],
        onDone: Callable[[WorkerOutcome], None],
    ) -> None:
        self._client = client
        self._volumeNode, self._settings = volumeNode, settings
        self._onProgress, self._onDone = onProgress, onDone
        self._folder: Path | None = None
        self._path = Path()
        self._requestId: int | None = None

    def start(self) -> None:
        """Export, and hand over to the worker; returns at once."""
        try:
            checkVolume(self._volumeNode)
            self._folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=slicer.app.temporaryPath))
            self._path = self._folder / "volume.nrrd"
            exportVolume(self._volumeNode, self._path)
        except (UserError, OSError) as error:
            self._end(WorkerOutcome(ERROR, str(error)))
            return
        self._requestId = self._client.submit(
            "prepare",
            onDone=self._end,
            onProgress=self._onProgress,
            input=str(self._path),
            volume_key=volumeKey(self._volumeNode),
            teacher=self._settings.teacher,
            device=self._settings.device,
        )

    def cancel(self) -> None:
        """Stop as soon as the worker does, or is killed."""
        if self._requestId is not None:
            self._client.cancel(self._requestId)

    def _end(self, outcome: WorkerOutcome) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        name = self._volumeNode.GetName() if self._volumeNode is not None else ""
        message = outcome.message.replace(str(self._path), name)
        self._onDone(WorkerOutcome(outcome.kind, message, outcome.data))
