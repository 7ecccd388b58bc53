"""The panel's click to segment: a button, clicks in the views, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome, describePoint
from GSEMASegmentationLib.click.PointPicker import PointPicker
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.panels.RunPanel import RunPanel
from GSEMASegmentationLib.panels.Shortcuts import CLICK, END, UNDO, Shortcuts, withKey
from GSEMASegmentationLib.panels.Widgets import enable
from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.scene.ViewHelpers import showAneurysm
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome


class ClickPanel:
    """Hands clicks to the logic, one after the other.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        log: is told what happens.
        run: shows that a click is being answered, how far it is, and sentences for the user.
        choices: the arguments of ``logic.segmentAtPoint`` as they are chosen now.
        onChanged: called with the volume and the segmentation that a click has changed; with None
            for both after an undo.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        log: RunLog,
        run: RunPanel,
        choices: Callable[[], dict[str, Any]],
        onChanged: Callable[[Any, Any], None],
    ) -> None:
        self.ui = ui
        self._logic, self._log, self._run = logic, log, run
        self._choices, self._onChanged = choices, onChanged
        self._volumeNode: Any = None
        self._waiting: list[Point] = []
        self._problem = ""
        self._count = self._found = 0  # points of the list, and those of them with an aneurysm
        self.picker = PointPicker(self.onPoint, self._onPickerEnd)
        self._escape = Shortcuts(ui.clickButton, {END: self.stop})
        self.ui.clickButton.connect("toggled(bool)", self._onToggled)
        self.ui.undoClickButton.connect("clicked(bool)", self._onUndo)
        self.ui.segmentPointsButton.connect("clicked(bool)", self._onPoints)
        self.ui.pointsSelector.connect("currentNodeChanged(bool)", self._onPointsChosen)

    def stop(self) -> None:
        """Give the mouse back; what runs goes on."""
        self.picker.stop()

    def remove(self) -> None:
        """The panel goes away."""
        self.stop()
        self._escape.remove()

    def update(self, problem: str) -> None:
        """Enable what can be used.

        Args:
            problem: why the volume cannot be segmented; empty where it can.
        """
        usual = _(
            "Press, then click on an aneurysm in a slice view: it becomes a segment. "
            "Press again, press Esc, or right-click in a view, to end."
        )
        enable(self.ui.clickButton, withKey(usual, CLICK), problem)
        self._problem = problem
        self._onPointsChosen()
        title = "" if self._logic.isRunning else self._logic.undoTitle
        nothing = "" if title else _("There is nothing to take back.")
        usual = withKey(_("Take back {change}.").format(change=title), UNDO)
        enable(self.ui.undoClickButton, usual, nothing)
        if problem:
            self.stop()

    def onPoint(self, ras: Point) -> None:
        """Segment at a point of the world (mm, RAS)."""
        if self._logic.isRunning:
            self._run.showStatus(_("Wait for the end of what runs, then click again."))
            return
        chosen = self._choices()
        self._volumeNode = chosen["volumeNode"]
        self._run.showBusy(True)
        looking = _("Looking at {place}...").format(place=describePoint(ras))
        self._run.showStatus(looking)
        self._log.begin(looking)
        self._logic.segmentAtPoint(
            ras=ras,
            blocking=False,
            onProgress=self._run.showClickProgress,
            onDone=self._onDone,
            **chosen,
        )

    def _onToggled(self, isOn: bool) -> None:
        self.ui.clickButton.text = _("Stop clicking") if isOn else _("Click to segment")
        if not isOn:
            self.picker.stop()
            return
        if self._run.hasPackages():
            self.picker.start()
            self._escape.switch(True)
            self._prepare()
        else:
            self.ui.clickButton.checked = False

    def _prepare(self) -> None:
        self._run.showStatus(_prompt())
        chosen = self._choices()
        volumeNode = chosen["volumeNode"]
        self._log.begin(_("Handing {volume} over for clicks").format(volume=volumeNode.GetName()))
        self._logic.prepareClicks(
            volumeNode,
            chosen["teacher"],
            chosen["device"],
            onProgress=lambda _fraction, phase: self._log.phase(phase),
            onDone=self._onPrepared,
        )

    def _onPointsChosen(self) -> None:
        hasList = self.ui.pointsSelector.currentNode() is not None
        problem = self._problem or ("" if hasList else _("Choose a point list first."))
        usual = _("Segment the aneurysm at each point of the list.")
        enable(self.ui.segmentPointsButton, usual, problem)

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
            text = _("The list has no points: place one on an aneurysm first.")
            self._run.showStatus(text, isError=True)
        elif self._run.hasPackages():
            if not self._logic.isRunning:
                self._waiting = points[1:]
                self._count, self._found = len(points), 0
            self.onPoint(points[0])

    def _onPickerEnd(self) -> None:
        self._escape.switch(False)
        self.ui.clickButton.checked = False
        if self.ui.statusLabel.text == _prompt():
            self._run.showStatus("")

    def _onPrepared(self, outcome: WorkerOutcome) -> None:
        ended = outcome.message or _("Cancelled")
        self._log.phase(_("Ready for clicks") if outcome.isResult else ended)
        if outcome.isError:
            self.picker.stop()
            self._run.showStatus(outcome.message, isError=True)

    def _onDone(self, outcome: ClickOutcome) -> None:
        self._run.showBusy(False)
        if outcome.isFound:
            self._onChanged(self._volumeNode, outcome.segmentationNode)
            _showFirst(outcome)
        text = _statusOf(outcome)
        self._log.end(text, outcome.report)
        notes = outcome.report.get("notes", ())
        place = outcome.candidateRas
        self._run.showStatus(" ".join((text, *notes)), outcome.kind == "error", place)
        self._found += outcome.isFound
        isEnd = outcome.kind in ("error", "cancelled")
        if self._waiting and (isEnd or self._choices()["volumeNode"] is not self._volumeNode):
            self._waiting, self._count = [], 0
        if self._waiting:
            self.onPoint(self._waiting.pop(0))
        elif self._count > 1:
            text = _("An aneurysm was found at {found} of {count} points.")
            self._run.showStatus(text.format(found=self._found, count=self._count))
            self._count = 0

    def _onUndo(self) -> None:
        try:
            title = self._logic.undo()
        except UserError as error:
            self._run.showStatus(str(error), isError=True)
        else:
            self._run.showStatus(_("Taken back: {change}.").format(change=title))
        self._onChanged(None, None)


def _showFirst(outcome: ClickOutcome) -> None:
    """Turn the 3D views to the only segment; later ones leave the views to the user, and slices
    show already where the click was."""
    segmentation = outcome.segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 1 and not outcome.isRefreshed:
        aneurysm = outcome.aneurysm
        showAneurysm(outcome.segmentationNode, aneurysm.ras, aneurysm.largestDiameterMm)


def _prompt() -> str:
    return _("Click on an aneurysm in a slice view. Esc or a right click ends it.")


def _statusOf(outcome: ClickOutcome) -> str:
    """What the panel says of a click."""
    if outcome.kind == "cancelled":
        return _("Cancelled; the scene is unchanged.")
    if outcome.kind == "nothing":
        if outcome.candidateRas is None:
            return _("No aneurysm here, and nothing around it looks like one.")
        text = _("No aneurysm here. The nearest candidate is {distance:.0f} mm away.")
        return text.format(distance=outcome.candidateMm)
    if outcome.aneurysm is None:
        return outcome.message
    text = _("Aneurysm of {volume:.1f} mm³ and {diameter:.1f} mm, probability {probability:.2f}.")
    if not outcome.isComplete:
        text = _(
            "Aneurysm of {volume:.1f} mm³ and {diameter:.1f} mm, probability {probability:.2f}; it "
            "reaches beyond what a click looks at: use Segment for all of it."
        )
    return text.format(
        volume=1000 * outcome.aneurysm.volumeMl,
        diameter=outcome.aneurysm.largestDiameterMm,
        probability=outcome.probability,
    )
