"""One click, from the point in the scene to the segment, through the worker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.worker.protocol import ScanNeededError
from GSEMASegmentationLib.click.ClickChange import ClickChange
from GSEMASegmentationLib.click.ClickImport import importClick, readClick
from GSEMASegmentationLib.click.ClickOutcome import (
    ClickOutcome,
    describePoint,
    outcomeFromWorker,
)
from GSEMASegmentationLib.click.ClickPoints import Clicks, answered, listsOf
from GSEMASegmentationLib.click.ClickTarget import NEW, checkWanted, targetSegment
from GSEMASegmentationLib.measure.Aneurysms import aneurysmsFromWorker
from GSEMASegmentationLib.scene.Coordinates import Point, lpsFromWorld
from GSEMASegmentationLib.scene.SegmentationOutput import checkOutput
from GSEMASegmentationLib.scene.VolumeChoice import checkVolume
from GSEMASegmentationLib.scene.VolumeFiles import checkUnchanged, volumeKey
from GSEMASegmentationLib.worker.RunSettings import RunSettings
from GSEMASegmentationLib.worker.ScanTransfer import ScanTransfer
from GSEMASegmentationLib.worker.WorkerClient import WorkerClient
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class ClickJob:
    """Runs once. Whatever happens, ``onDone`` is called once and the temporary files are gone.

    The worker is asked at once; if it does not have the scan in memory, it is sent the scan and
    asked again. Where the answer is an aneurysm that has other clicks already, it is asked once
    more with all of them. The arguments are those of ``GSEMASegmentationLogic.segmentAtPoints``;
    ``onDone`` also gets the change, where there is one.
    """

    def __init__(
        self,
        client: WorkerClient,
        volumeNode: Any,
        clicks: Clicks,
        outputNode: Any,
        aneurysm: str,
        settings: RunSettings,
        onProgress: Callable[[float, str], None],
        onDone: Callable[[ClickOutcome, ClickChange | None], None],
    ) -> None:
        self._client = client
        self._volumeNode, self._outputNode = volumeNode, outputNode
        self._wanted, self._aneurysm = clicks, aneurysm
        self._settings = settings
        self._onProgress, self._onDone = onProgress, onDone
        self._folder: Path | None = None
        self._path = Path()
        self._point: Point = (0.0, 0.0, 0.0)
        self._clicks = Clicks()  # in the volume's frame
        self._volumeKey = ""
        self._requestId: int | None = None
        self._transfer: ScanTransfer | None = None
        self._isCancelled = False

    def start(self) -> None:
        """Check, and ask the worker; returns at once."""
        try:
            checkVolume(self._volumeNode)
            checkOutput(self._outputNode, self._volumeNode)
            if self._aneurysm not in ("", NEW):
                checkWanted(self._outputNode, self._aneurysm)
            self._clicks = self._checked().inFrame(self._volumeNode)
            self._volumeKey = volumeKey(self._volumeNode)
            self._folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=slicer.app.temporaryPath))
            self._path = self._folder / "click.nrrd"
        except (UserError, OSError) as error:
            self._fail("error", str(error))
            return
        self._ask()

    def cancel(self) -> None:
        """Stop as soon as the worker does, or is killed; the scene stays as it was."""
        self._isCancelled = True
        if self._transfer is not None:
            self._transfer.cancel()
        if self._requestId is not None:
            self._client.cancel(self._requestId)

    def _checked(self) -> Clicks:
        inside, outside = (
            tuple(checkPoint(ras, self._volumeNode) for ras in points)
            for points in (self._wanted.inside, self._wanted.outside)
        )
        if not inside:
            raise UserError(_("There is no point in the aneurysm: give at least one."))
        self._point = inside[-1]
        return Clicks(inside, outside)

    def _ask(self) -> None:
        self._requestId = self._client.submit(
            "click",
            onDone=self._onWorkerDone,
            onProgress=self._onProgress,
            inside_lps=[list(point) for point in self._clicks.inside],
            outside_lps=[list(point) for point in self._clicks.outside],
            output=str(self._path),
            volume_key=self._volumeKey,
            vessels=False,  # the scene's own are measured, with what was drawn by hand
            **self._settings.toRequest(),
        )

    def _onWorkerDone(self, outcome: WorkerOutcome) -> None:
        isFirst = self._transfer is None
        if self._isCancelled:
            self._fail("cancelled")
        elif isFirst and outcome.data.get("code") == ScanNeededError.code:
            self._send()
        elif outcome.isResult:
            self._import(outcome.data)
        else:
            self._fail(outcome.kind, outcome.message)

    def _send(self) -> None:
        self._requestId = None
        self._transfer = ScanTransfer(
            self._client, self._volumeNode, self._settings, self._onProgress, self._onSent
        )
        self._transfer.start()

    def _onSent(self, outcome: WorkerOutcome) -> None:
        if self._isCancelled:
            self._fail("cancelled")
        elif outcome.isResult:
            self._ask()
        else:
            self._fail(outcome.kind, outcome.message)

    def _import(self, data: dict[str, Any]) -> None:
        try:
            checkUnchanged(self._volumeNode, self._volumeKey, self._outputNode)
            outcome = outcomeFromWorker(data, self._point, self._volumeNode)
            change = self._importFound(data) if outcome.isFound else None
            if change is not None:
                (aneurysm,) = aneurysmsFromWorker([data["aneurysm"]], self._volumeNode)
                outcome = replace(
                    outcome,
                    segmentationNode=change.node,
                    segmentId=change.segmentId,
                    isRefreshed=change.before.image is not None,
                    aneurysm=aneurysm,
                )
        except UserError as error:
            self._fail("error", str(error))
        except Exception as error:  # a slot of Qt would swallow it, and the panel wait forever
            message = _("The result could not be imported ({reason}).")
            self._fail("error", message.format(reason=error))
        else:
            if outcome.isFound and change is None:
                self._ask()
            else:
                self._end(outcome, change)

    def _importFound(self, data: dict[str, Any]) -> ClickChange | None:
        """Put the aneurysm into the scene; None where other clicks have to be asked for too."""
        image = readClick(self._path, self._volumeNode, data["box"])
        checkOutput(self._outputNode, self._volumeNode)
        target = targetSegment(image, self._outputNode, self._aneurysm)
        if not self._aneurysm:
            points = listsOf(self._outputNode).get(target[0])
            mine, self._aneurysm = self._clicks, target[0]
            if points is not None:
                self._clicks = answered(points).joined(mine)
            if not self._clicks.isSame(mine):
                return None
        return importClick(image, self._volumeNode, self._outputNode, target, self._clicks)

    def _fail(self, kind: str, message: str = "") -> None:
        self._end(ClickOutcome(kind, message, self._point))

    def _end(self, outcome: ClickOutcome, change: ClickChange | None = None) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._onDone(outcome, change)


def checkPoint(ras: Sequence[float], volumeNode: Any) -> Point:
    """Raise UserError unless these are three numbers, and a place inside the volume.

    Args:
        ras: mm, in the world's RAS coordinates.
        volumeNode: a volume with an image.
    """
    try:
        r, a, s = (float(value) for value in ras)
    except (TypeError, ValueError):
        raise UserError(
            _("The point {point} must be three numbers in mm (RAS).").format(point=ras)
        ) from None
    left, posterior, superior = lpsFromWorld((r, a, s), volumeNode)
    rasToIjk = vtk.vtkMatrix4x4()
    volumeNode.GetRASToIJKMatrix(rasToIjk)
    index = rasToIjk.MultiplyPoint((-left, -posterior, superior, 1.0))[:3]
    size = volumeNode.GetImageData().GetDimensions()
    # Not so for numbers that are not finite, too.
    if not all(-0.5 <= n <= count - 0.5 for n, count in zip(index, size, strict=True)):
        raise UserError(
            _("The point {place} lies outside {name}: click into the volume.").format(
                place=describePoint((r, a, s)), name=volumeNode.GetName()
            )
        )
    return r, a, s
