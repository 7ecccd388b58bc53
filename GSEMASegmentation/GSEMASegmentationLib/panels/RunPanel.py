"""The panel's main button with progress and status: one run from the press to the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer.util
from slicer.i18n import tr as _

from GSEMASegmentationLib.panels.RemainingTime import RemainingTime
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.panels.Widgets import enable, showText
from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.scene.ViewHelpers import centerViews
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.worker.SegmentationJob import JobOutcome

LONG_CLICK_S = 1.0
"""A click that takes longer gets a progress bar; mostly the scan has to be handed over. Ours: so
long does a user wait without wondering."""


class RunPanel:
    """Starts, cancels and shows what runs; clicks use its progress and status too.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        log: is told what happens.
        choices: the arguments of ``logic.segment`` as they are chosen now.
        onStart: called before a run.
        onResult: called with the segmented volume, a run's result and its duration in seconds.
        onChanged: called when a run has begun or ended.
        ensurePackages: installs what is missing, after a question; gets a function that shows a
            sentence, returns why nothing can be segmented, or nothing.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        log: RunLog,
        choices: Callable[[], dict[str, Any]],
        onStart: Callable[[], None],
        onResult: Callable[[Any, JobOutcome, float], None],
        onChanged: Callable[[], None],
        ensurePackages: Callable[[Callable[[str], None]], str],
    ) -> None:
        self.ui = ui
        self._ensurePackages = ensurePackages
        self._logic, self._log, self._choices = logic, log, choices
        self._onStart, self._onResult, self._onChanged = onStart, onResult, onChanged
        self._remaining = RemainingTime()
        self._volumeNode: Any = None
        self._place: Point | None = None
        self._showProgress(False)
        self.showStatus("")
        self.ui.segmentButton.connect("clicked(bool)", self._onButton)
        self.ui.goThereButton.connect("clicked(bool)", self._onGoThere)

    def update(self, problem: str) -> None:
        """Enable the button; disabled, its tooltip says why.

        Args:
            problem: why there is nothing to segment; empty where there is.
        """
        if self._logic.isRunning:
            enable(self.ui.segmentButton, _("Stop; the scene stays as it was."))
        else:
            usual = _("Segment the vessels and the aneurysms of this volume.")
            enable(self.ui.segmentButton, usual, problem)

    def showBusy(self, isBusy: bool) -> None:
        """Turn the button into Cancel and back, for a click."""
        self._remaining = RemainingTime()
        self._showProgress(False)
        self._showButton(isBusy)
        self._onChanged()

    def showClickProgress(self, fraction: float, phase: str) -> None:
        """Show how far a click is, if it takes long: else the panel would flicker."""
        self._log.phase(phase)
        if self._remaining.elapsed >= LONG_CLICK_S:
            self.ui.progressBar.visible = True
            self._setProgress(fraction)

    def showStatus(self, text: str, isError: bool = False, place: Point | None = None) -> None:
        """Tell the user; the line stays until the next one.

        Args:
            text: one or more sentences.
            isError: whether it is shown in red.
            place: where the button *Go there* leads (mm, RAS); None hides it.
        """
        showText(self.ui.statusLabel, text, isError)
        self._place = place
        self.ui.goThereButton.visible = place is not None

    def hasPackages(self) -> bool:
        """Install what is missing, if the user agrees; say why nothing can be segmented else."""
        if problem := self._ensurePackages(self.showStatus):
            self.showStatus(problem, isError=True)
        return not problem

    def _onButton(self) -> None:
        if self._logic.isRunning:
            self.showStatus(_("Cancelling..."))
            self.ui.segmentButton.enabled = False
            self._logic.cancel()
            return
        if not self.hasPackages():
            return
        self._onStart()
        self.showStatus(_("Starting..."))
        self._remaining = RemainingTime()
        chosen = self._choices()
        self._volumeNode = chosen["volumeNode"]
        self._log.begin(
            _("Segmenting {volume}: model {teacher}, device {device}").format(
                volume=self._volumeNode.GetName() if self._volumeNode is not None else "?",
                teacher=chosen["teacher"],
                device=chosen["device"],
            )
        )
        self._logic.segment(
            blocking=False, onProgress=self._onProgress, onDone=self._onDone, **chosen
        )
        self._showProgress(self._logic.isRunning)
        self._onChanged()

    def _onGoThere(self) -> None:
        if self._place is not None:
            centerViews(self._place)

    def _onProgress(self, fraction: float, phase: str) -> None:
        self._setProgress(fraction)
        self._log.phase(phase)
        left = self._remaining.text(fraction)
        text = _("{phase}, {duration} left...") if left else _("{phase}...")
        self.showStatus(text.format(phase=_(phase), duration=left))

    def _onDone(self, outcome: JobOutcome) -> None:
        self._showProgress(False)
        notes = outcome.report.get("notes", ())
        text = outcome.message or _foundText(len(outcome.aneurysms))
        if outcome.isCancelled:
            text = _("Cancelled; the scene is unchanged.")
        elif not outcome.message and self._choices()["volumeNode"] is not self._volumeNode:
            text = f"{self._volumeNode.GetName()}: {text}"  # another volume is chosen meanwhile
        self.showStatus(" ".join((text, *notes)), isError=bool(outcome.message))
        self._log.end(text, outcome.report)
        if outcome.message:
            slicer.util.errorDisplay(outcome.message)
        elif not outcome.isCancelled:
            self._onResult(self._volumeNode, outcome, self._remaining.elapsed)
        self._onChanged()

    def _showProgress(self, isRunning: bool) -> None:
        self.ui.progressBar.value = 0
        self.ui.progressBar.visible = isRunning
        self._showButton(isRunning)

    def _setProgress(self, fraction: float) -> None:
        self.ui.progressBar.value = round(self.ui.progressBar.maximum * fraction)

    def _showButton(self, isRunning: bool) -> None:
        self.ui.segmentButton.text = _("Cancel") if isRunning else _("Segment")


def _foundText(count: int) -> str:
    if count == 0:
        return _("No aneurysm was found.")
    if count == 1:
        return _("1 aneurysm was found.")
    return _("{count} aneurysms were found.").format(count=count)
