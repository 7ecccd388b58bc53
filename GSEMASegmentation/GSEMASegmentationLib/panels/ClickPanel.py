"""The panel's click to segment: a button, clicks in the views, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome, describePoint
from GSEMASegmentationLib.click.PointPicker import PointPicker
from GSEMASegmentationLib.install.Requirements import requirePackages
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


@dataclass(frozen=True)
class ClickChoices:
    """What the panel's user has chosen when a click comes."""

    volumeNode: Any
    outputNode: Any
    teacher: str
    device: str
    settings: dict[str, Any]


class ClickPanel:
    """Hands clicks to the logic, one after the other.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        log: is told what happens.
        choices: what is chosen now.
        onBusy: called with True when a click is being answered, with False afterwards.
        onProgress: called with the fraction of a click that is done and what is being done.
        onStatus: called with a sentence for the user, and whether it is an error.
        onChanged: called with the volume and the segmentation that a click has changed; with None
            for both after an undo.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        log: RunLog,
        choices: Callable[[], ClickChoices],
        onBusy: Callable[[bool], None],
        onProgress: Callable[[float, str], None],
        onStatus: Callable[[str, bool], None],
        onChanged: Callable[[Any, Any], None],
    ) -> None:
        self.ui = ui
        self._logic, self._log, self._choices = logic, log, choices
        self._onBusy, self._onProgress = onBusy, onProgress
        self._onStatus, self._onChanged = onStatus, onChanged
        self._volumeNode: Any = None
        self._waiting: list[Point] = []
        self._problem = ""
        self.picker = PointPicker(self.onPoint, self._onPickerEnd)
        self.ui.clickButton.connect("toggled(bool)", self._onToggled)
        self.ui.undoClickButton.connect("clicked(bool)", self._onUndo)
        self.ui.segmentPointsButton.connect("clicked(bool)", self._onPoints)
        self.ui.pointsSelector.connect("currentNodeChanged(bool)", self._onPointsChosen)

    def stop(self) -> None:
        """Give the mouse back; what runs goes on."""
        self.picker.stop()

    def update(self, problem: str) -> None:
        """Enable what can be used.

        Args:
            problem: why the volume cannot be segmented; empty where it can.
        """
        self.ui.clickButton.enabled = not problem
        self.ui.clickButton.toolTip = problem or _(
            "Press, then click on an aneurysm in a slice view: it becomes a segment. "
            "Press again, or right-click in a view, to end."
        )
        self._problem = problem
        self._onPointsChosen()
        self.ui.undoClickButton.enabled = self._logic.canUndoClick and not self._logic.isRunning
        self.ui.undoClickButton.toolTip = (
            _("Take back the last clicked aneurysm.")
            if self.ui.undoClickButton.enabled
            else _("There is no click to take back.")
        )
        if problem:
            self.stop()

    def onPoint(self, ras: Point) -> None:
        """Segment at a point of the world (mm, RAS)."""
        if self._logic.isRunning:
            self._onStatus(_("Wait for the end of what runs, then click again."), False)
            return
        chosen = self._choices()
        self._volumeNode = chosen.volumeNode
        self._onBusy(True)
        looking = _("Looking at {place}...").format(place=describePoint(ras))
        self._onStatus(looking, False)
        self._log.begin(looking)
        self._logic.segmentAtPoint(
            chosen.volumeNode,
            ras,
            outputSegmentation=chosen.outputNode,
            blocking=False,
            teacher=chosen.teacher,
            device=chosen.device,
            onProgress=self._onProgress,
            onDone=self._onDone,
            **chosen.settings,
        )

    def _onToggled(self, isOn: bool) -> None:
        if not isOn:
            self.picker.stop()
            return
        try:
            requirePackages()
        except UserError as error:
            self.ui.clickButton.checked = False
            self._onStatus(str(error), True)
            return
        self.picker.start()
        self._onStatus(_("Click on an aneurysm in a slice view."), False)
        chosen = self._choices()
        self._log.begin(
            _("Handing {volume} over for clicks").format(volume=chosen.volumeNode.GetName())
        )
        self._logic.prepareClicks(
            chosen.volumeNode,
            chosen.teacher,
            chosen.device,
            onProgress=lambda _fraction, phase: self._log.phase(phase),
            onDone=self._onPrepared,
        )

    def _onPointsChosen(self) -> None:
        hasList = self.ui.pointsSelector.currentNode() is not None
        self.ui.segmentPointsButton.enabled = hasList and not self._problem
        usual = _("Segment the aneurysm at each point of the list.")
        missing = usual if hasList else _("Choose a point list first.")
        self.ui.segmentPointsButton.toolTip = self._problem or missing

    def _onPoints(self) -> None:
        """One point of the list after the other."""
        markups = self.ui.pointsSelector.currentNode()
        points = []
        for index in range(markups.GetNumberOfControlPoints()):
            if markups.GetNthControlPointPositionStatus(index) == markups.PositionDefined:
                ras = [0.0, 0.0, 0.0]
                markups.GetNthControlPointPositionWorld(index, ras)
                points.append((ras[0], ras[1], ras[2]))
        if not points:
            self._onStatus(_("The list has no points: place one on an aneurysm first."), True)
            return
        try:
            requirePackages()
        except UserError as error:
            self._onStatus(str(error), True)
            return
        if not self._logic.isRunning:
            self._waiting = points[1:]
        self.onPoint(points[0])

    def _onPickerEnd(self) -> None:
        self.ui.clickButton.checked = False

    def _onPrepared(self, outcome: WorkerOutcome) -> None:
        ended = outcome.message or _("Cancelled")
        self._log.phase(_("Ready for clicks") if outcome.isResult else ended)
        if outcome.isError:
            self.picker.stop()
            self._onStatus(outcome.message, True)

    def _onDone(self, outcome: ClickOutcome) -> None:
        self._onBusy(False)
        if outcome.isFound:
            self._onChanged(self._volumeNode, outcome.segmentationNode)
        text = _statusOf(outcome)
        self._log.end(text, outcome.report)
        self._onStatus(" ".join((text, *outcome.report.get("notes", ()))), outcome.kind == "error")
        isEnd = outcome.kind in ("error", "cancelled")
        if self._waiting and (isEnd or self._choices().volumeNode is not self._volumeNode):
            self._waiting = []
        if self._waiting:
            self.onPoint(self._waiting.pop(0))

    def _onUndo(self) -> None:
        try:
            self._logic.undoClick()
        except UserError as error:
            self._onStatus(str(error), True)
        else:
            self._onStatus(_("The last click was taken back."), False)
        self._onChanged(None, None)


def _statusOf(outcome: ClickOutcome) -> str:
    """What the panel says of a click."""
    if outcome.kind == "cancelled":
        return _("Cancelled; the scene is unchanged.")
    if outcome.aneurysm is None or not outcome.isFound:
        return outcome.message
    text = _("Aneurysm of {volume:.3f} ml and {diameter:.1f} mm, probability {probability:.2f}.")
    if not outcome.isComplete:
        text = _(
            "Aneurysm of {volume:.3f} ml and {diameter:.1f} mm, probability {probability:.2f}; it "
            "reaches beyond what a click looks at: use Segment for all of it."
        )
    return text.format(
        volume=outcome.aneurysm.volumeMl,
        diameter=outcome.aneurysm.largestDiameterMm,
        probability=outcome.probability,
    )
