"""The lumen's wall as a file for flow simulations, made in a process of its own."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from gsema_core.errors import UserError
from GSEMASegmentationLib.scene.LabelExport import exportLabels
from GSEMASegmentationLib.worker.CoreCommand import CoreCommand, coreCommand, ignoreLine


@dataclass(frozen=True)
class SurfaceOutcome:
    """How an export has ended.

    Attributes:
        report: as ``gsema surface --report`` writes it; empty where it failed.
        message: why it failed, in one sentence.
    """

    report: dict[str, Any]
    message: str = ""


class SurfaceExport:
    """Writes one surface; ``onDone`` is called once.

    Args:
        segmentationNode: what it shows is taken when ``start`` is called.
        path: .vtp, .ply or .stl.
        options: of ``gsema surface``.
        onDone: called at the end.
    """

    def __init__(
        self,
        segmentationNode: Any,
        path: str,
        options: list[str],
        onDone: Callable[[SurfaceOutcome], None],
    ) -> None:
        self._node, self._path, self._options = segmentationNode, path, options
        self._onDone = onDone
        self._command: CoreCommand | None = None

    def start(self) -> None:
        """Begin; returns once the segments are written down.

        Raises:
            UserError: there is nothing to export.
        """
        folder = Path(tempfile.mkdtemp(prefix="gsema-", dir=slicer.app.temporaryPath))
        labels, report = folder / "labels.nrrd", folder / "report.json"
        try:
            exportLabels(self._node, labels)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        command = [*coreCommand(), "surface", str(labels), "--output", self._path]
        command += ["--report", str(report), "--quiet", *self._options]
        self._command = CoreCommand(command, ignoreLine, lambda text: self._onGone(report, text))
        self._command.start()

    def stop(self) -> None:
        """End it; ``onDone`` hears that it was cancelled."""
        if self._command is not None:
            self._command.stopAndWait()

    def _onGone(self, report: Path, problem: str) -> None:
        self._command = None
        content = {} if problem else json.loads(report.read_text(encoding="utf-8"))
        shutil.rmtree(report.parent, ignore_errors=True)
        self._onDone(SurfaceOutcome(content, problem))
