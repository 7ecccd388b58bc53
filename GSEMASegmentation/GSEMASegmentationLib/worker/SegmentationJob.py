"""One segmentation from the volume node to the segmentation node, through the worker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.install.Requirements import requirePackages
from GSEMASegmentationLib.measure.Aneurysms import Aneurysm, aneurysmsFromWorker
from GSEMASegmentationLib.measure.Judgement import dropJudgements, statusesOf
from GSEMASegmentationLib.scene.Certainty import keepCertainty
from GSEMASegmentationLib.scene.LabelImport import readLabels
from GSEMASegmentationLib.scene.ProbabilityVolume import readProbability, showProbability
from GSEMASegmentationLib.scene.SegmentationOutput import (
    checkOutput,
    importSegments,
    staleSegments,
)
from GSEMASegmentationLib.scene.SegmentContent import segmentsOf
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from GSEMASegmentationLib.scene.VolumeFiles import checkUnchanged, exportVolume, volumeKey
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended: with a node, with a message for the user, or cancelled."""

    segmentationNode: Any = None
    aneurysms: list[Aneurysm] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    isCancelled: bool = False


class SegmentationJob:
    """Runs once. Whatever happens, ``onDone`` is called once and the temporary files are gone."""

    def __init__(
        self,
        client: WorkerClient,
        volumeNode: Any,
        outputNode: Any,
        settings: RunSettings,
        onProgress: Callable[[float, str], None],
        onDone: Callable[[JobOutcome], None],
    ) -> None:
        self._client = client
        self._volumeNode, self._outputNode = volumeNode, outputNode
        self._settings = settings
        self._onProgress, self._onDone = onProgress, onDone
        self._folder: Path | None = None
        self._inputPath = self._outputPath = self._probabilityPath = Path()
        self._volumeKey = ""
        self._requestId: int | None = None

    def start(self) -> None:
        """Check, export, and hand over to the worker; returns at once."""
        try:
            requirePackages()
            checkVolume(self._volumeNode)
            checkOutput(self._outputNode, self._volumeNode)
            self._folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=slicer.app.temporaryPath))
            self._inputPath = self._folder / "volume.nrrd"
            self._outputPath = self._folder / "labels.nrrd"
            self._probabilityPath = self._folder / "probability.nrrd"
            exportVolume(self._volumeNode, self._inputPath)
            self._volumeKey = volumeKey(self._volumeNode)
        except (UserError, OSError) as error:
            self._end(JobOutcome(message=str(error)))
            return
        self._requestId = self._client.submit(
            "segment",
            onDone=self._onWorkerDone,
            onProgress=self._onProgress,
            input=str(self._inputPath),
            output=str(self._outputPath),
            volume_key=self._volumeKey,
            probabilities=str(self._probabilityPath) if self._settings.keepProbability else None,
            **self._settings.toRequest(),
        )

    def cancel(self) -> None:
        """Stop as soon as the worker does, or is killed; the scene stays as it was."""
        if self._requestId is not None:
            self._client.cancel(self._requestId)

    def _onWorkerDone(self, outcome: WorkerOutcome) -> None:
        if outcome.isCancelled:
            self._end(JobOutcome(isCancelled=True))
        elif outcome.isError:
            self._end(JobOutcome(message=self._withVolumeName(outcome.message)))
        else:
            self._end(self._importResult(outcome.data))

    def _withVolumeName(self, message: str) -> str:
        """The worker knows only our temporary file; the user knows the volume by its name."""
        return message.replace(str(self._inputPath), self._volumeNode.GetName())

    def _importResult(self, data: dict[str, Any]) -> JobOutcome:
        try:
            checkUnchanged(self._volumeNode, self._volumeKey, self._outputNode)
            labels = readLabels(self._outputPath, self._volumeNode)
            checkOutput(self._outputNode, self._volumeNode)
            aneurysms = aneurysmsFromWorker(data.get("aneurysms", []), self._volumeNode)
            probability = None
            if self._settings.keepProbability:
                probability = readProbability(self._probabilityPath, self._volumeNode)
            contents = segmentsOf(labels)
            stale = staleSegments(self._outputNode, contents)
            judged = {} if self._outputNode is None else statusesOf(self._outputNode)
            node = importSegments(contents, self._volumeNode, self._outputNode, stale)
            dropJudgements(node)
            keepCertainty(node, contents, data.get("aneurysms", []))
            if probability is not None:
                showProbability(probability, self._volumeNode, node)
        except UserError as error:
            return JobOutcome(message=str(error))
        except Exception as error:  # a slot of Qt would swallow it, and the panel wait forever
            return JobOutcome(
                message=_("The result could not be imported ({reason}).").format(reason=error)
            )
        return JobOutcome(node, aneurysms, report=_reportOf(data, judged))

    def _end(self, outcome: JobOutcome) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._onDone(outcome)


def _reportOf(data: dict[str, Any], judged: dict[str, str]) -> dict[str, Any]:
    """The worker's report; a new run is a new judgement, so those of before are named and gone."""
    report = dict(data.get("report", {}))
    if judged:
        names = ", ".join(f"{name} ({status})" for name, status in judged.items())
        text = _("What was decided before counts no more: {names}.").format(names=names)
        report["notes"] = [*report.get("notes", ()), text]
    return report
