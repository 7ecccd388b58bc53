"""The panel's click to segment: a button, clicks in the views and their points, undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.click.ClickFollower import ClickFollower, isEdited
from GSEMASegmentationLib.click.ClickOutcome import ClickOutcome, describePoint
from GSEMASegmentationLib.click.ClickPoints import (
    Clicks,
    clicksOf,
    clicksOfList,
    listsOf,
    restorePoints,
)
from GSEMASegmentationLib.click.ClickTarget import NEAR_MM, NEW, innermostPoint, nearestAneurysm
from GSEMASegmentationLib.click.PointPicker import PointPicker
from GSEMASegmentationLib.panels.ClickText import clickPrompt, clickStatus
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.panels.RunPanel import RunPanel
from GSEMASegmentationLib.panels.Shortcuts import (
    CLICK,
    END,
    REDO,
    UNDO,
    Shortcuts,
    ctrlName,
    withKey,
)
from GSEMASegmentationLib.panels.TargetBox import TargetBox
from GSEMASegmentationLib.panels.Widgets import enable
from GSEMASegmentationLib.scene.Coordinates import Point
from GSEMASegmentationLib.scene.OwnSegmentation import MADE_OF_ROLE
from GSEMASegmentationLib.scene.SegmentMasks import segmentImage
from GSEMASegmentationLib.scene.ViewHelpers import showAneurysm
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic
from GSEMASegmentationLib.worker.WorkerProtocol import WorkerOutcome

ClickTask = Callable[[], None]
"""What a click, or an edit of clicks, does once it is its turn."""


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
        self._waiting: list[ClickTask] = []
        self._problem = ""
        self._count = self._found = 0  # points of the list, and those of them with an aneurysm
        self.picker = PointPicker(self.onPoint, self._onPickerEnd)
        self.follower = ClickFollower(self._onEdited, self._showTargets)
        self.target = TargetBox(ui)
        self._edited: tuple[Any, str] | None = None  # whose points go back if it fails
        self._escape = Shortcuts(ui.clickButton, {END: self.stop})
        self.ui.clickButton.connect("toggled(bool)", self._onToggled)
        self.ui.undoClickButton.connect("clicked(bool)", lambda _on: self._onUndo(logic.undo))
        self.ui.redoClickButton.connect("clicked(bool)", lambda _on: self._onUndo(logic.redo))
        self.ui.segmentPointsButton.connect("clicked(bool)", self._onPoints)
        self.ui.pointsSelector.connect("currentNodeChanged(bool)", self._onPointsChosen)

    def stop(self) -> None:
        """Give the mouse back; what runs goes on."""
        self.picker.stop()

    def remove(self) -> None:
        """The panel goes away."""
        self.stop()
        self.follower.stop()
        self._escape.remove()

    def update(self, problem: str) -> None:
        """Enable what can be used.

        Args:
            problem: why the volume cannot be segmented; empty where it can.
        """
        usual = _(
            "Press, then click on an aneurysm in a slice view: it becomes a segment. Further "
            "clicks correct it: {ctrl}+click on what is not part of it. "
            "Press again, press Esc, or right-click in a view, to end. Then the points can be "
            "dragged, or deleted by a right click, and the aneurysm follows."
        ).format(ctrl=ctrlName())
        enable(self.ui.clickButton, withKey(usual, CLICK), problem)
        self._problem = problem
        self._onPointsChosen()
        title = "" if self._logic.isRunning else self._logic.undoTitle
        nothing = "" if title else _("There is nothing to take back.")
        usual = withKey(_("Take back {change}.").format(change=title), UNDO)
        enable(self.ui.undoClickButton, usual, nothing)
        title = "" if self._logic.isRunning else self._logic.redoTitle
        nothing = "" if title else _("There is nothing to do again.")
        enable(self.ui.redoClickButton, withKey(_("Do {change} again.").format(change=title), REDO))
        enable(self.ui.redoClickButton, self.ui.redoClickButton.toolTip, nothing)
        if not self._logic.isRunning:
            self.follower.follow()
        self._showTargets()
        if problem:
            self.stop()

    def onPoint(self, ras: Point, isInside: bool = True) -> None:
        """A click at a point of the world (mm, RAS), on an aneurysm or on what is none."""
        self._take(lambda: self._begin(ras, isInside))

    def _take(self, task: ClickTask) -> None:
        """Do it now, or after the clicks that are being answered."""
        if self._logic.isAnsweringClick:
            self._waiting.append(task)
        elif self._logic.isRunning:
            self._run.showStatus(_("Wait for the end of what runs, then click again."))
        else:
            task()

    def _begin(self, ras: Point, isInside: bool) -> None:
        output = self._choices()["outputSegmentation"]
        wanted = self.target.chosen or nearestAneurysm(output, ras)
        if not isInside and wanted in ("", NEW):
            text = _("No aneurysm within {near:.0f} mm: click on one first.").format(near=NEAR_MM)
            self._run.showStatus(text, isError=True)
            return
        clicks = clicksOf(output, wanted).plus(ras, isInside)
        if not clicks.inside:
            if segmentImage(output, wanted) is None:
                self._run.showStatus(_("Click on the aneurysm first."), isError=True)
                return
            clicks = clicks.plus(innermostPoint(output, wanted, ras), True)
        self._ask(clicks, ras, self._choices(), wanted)

    def _onEdited(self, node: Any, segmentId: str) -> None:
        self._take(lambda: self._answerEdit(node, segmentId))

    def _answerEdit(self, node: Any, segmentId: str) -> None:
        """The points of an aneurysm were changed by hand: make it of what they are now."""
        points = listsOf(node).get(segmentId) if slicer.mrmlScene.IsNodePresent(node) else None
        if points is None or not isEdited(points, node):
            return
        clicks = clicksOfList(points)
        if not clicks.inside:
            self._logic.removeClicks(node, segmentId)
            self._run.showStatus(_("The clicks are gone, and what they had made."))
            self._onChanged(None, None)
            return
        volumeNode = node.GetNodeReference(MADE_OF_ROLE)
        if volumeNode is None or not self._run.hasPackages():
            restorePoints(points, node)
            return
        self._edited = node, segmentId
        chosen = {**self._choices(), "volumeNode": volumeNode, "outputSegmentation": node}
        self._ask(clicks, clicks.inside[-1], chosen, segmentId)

    def _ask(self, clicks: Clicks, ras: Point, chosen: dict[str, Any], aneurysm: str) -> None:
        self._volumeNode = chosen["volumeNode"]
        self._run.showBusy(True)
        looking = _("Looking at {place}...").format(place=describePoint(ras))
        self._run.showStatus(looking)
        self._log.begin(looking)
        self._logic.segmentAtPoints(
            inside=clicks.inside,
            outside=clicks.outside,
            aneurysm=aneurysm,
            blocking=False,
            onProgress=self._run.showClickProgress,
            onDone=self._onDone,
            **chosen,
        )

    def _showTargets(self) -> None:
        node = self._choices()["outputSegmentation"] if not self._problem else None
        self.target.fill(node, self.picker.isActive)

    def _onToggled(self, isOn: bool) -> None:
        self.ui.clickButton.text = _("Stop clicking") if isOn else _("Click to segment")
        if not isOn:
            self.picker.stop()
            return
        if self._run.hasPackages():
            self.picker.start()
            self._escape.switch(True)
            self._showTargets()
            self._prepare()
        else:
            self.ui.clickButton.checked = False

    def _prepare(self) -> None:
        self._run.showStatus(clickPrompt())
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
        usual = _(
            "Take each point of the list as a click; those named - lie on what is no aneurysm."
        )
        enable(self.ui.segmentPointsButton, usual, problem)

    def _onPoints(self) -> None:
        """One point of the list after the other."""
        clicks = clicksOfList(self.ui.pointsSelector.currentNode())
        tasks = [(ras, True) for ras in clicks.inside] + [(ras, False) for ras in clicks.outside]
        if not tasks:
            text = _("The list has no points: place one on an aneurysm first.")
            self._run.showStatus(text, isError=True)
        elif self._run.hasPackages():
            if not self._logic.isRunning:
                self._count, self._found = len(clicks.inside), 0
            for ras, isInside in tasks:
                self.onPoint(ras, isInside)

    def _onPickerEnd(self) -> None:
        self._escape.switch(False)
        self.ui.clickButton.checked = False
        self._showTargets()
        if self.ui.statusLabel.text == clickPrompt():
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
            self.target.onClicked(outcome.segmentId)
            self._onChanged(self._volumeNode, outcome.segmentationNode)
            _showFirst(outcome)
        else:
            self._restoreEdited()
        self.follower.follow()
        self._edited = None
        text = clickStatus(outcome)
        self._log.end(text, outcome.report)
        notes = (*outcome.notes, *outcome.report.get("notes", ()))
        place = outcome.candidateRas
        self._run.showStatus(" ".join((text, *notes)), outcome.kind == "error", place)
        self._found += outcome.isFound
        isEnd = outcome.kind in ("error", "cancelled")
        if self._waiting and (isEnd or self._choices()["volumeNode"] is not self._volumeNode):
            self._waiting, self._count = [], 0
        while self._waiting and not self._logic.isRunning:
            self._waiting.pop(0)()
        if self._count > 1 and not self._logic.isRunning:
            text = _("An aneurysm was found at {found} of {count} points.")
            found = min(self._found, self._count)
            self._run.showStatus(text.format(found=found, count=self._count))
        if not self._logic.isRunning:
            self._count = 0

    def _restoreEdited(self) -> None:
        """Points that have given nothing go back to where they gave what is there."""
        node, segmentId = self._edited or (None, "")
        if node is not None and slicer.mrmlScene.IsNodePresent(node):
            points = listsOf(node).get(segmentId)
            if points is not None:
                restorePoints(points, node)

    def _onUndo(self, call: Callable[[], str]) -> None:
        isUndo = call == self._logic.undo
        try:
            title = call()
        except UserError as error:
            self._run.showStatus(str(error), isError=True)
        else:
            text = _("Taken back: {change}.") if isUndo else _("Done again: {change}.")
            self._run.showStatus(text.format(change=title))
        self._onChanged(None, None)


def _showFirst(outcome: ClickOutcome) -> None:
    """Turn the 3D views to the only segment; later ones leave the views to the user, and slices
    show already where the click was."""
    segmentation = outcome.segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 1 and not outcome.isRefreshed:
        aneurysm = outcome.aneurysm
        showAneurysm(outcome.segmentationNode, aneurysm.ras, aneurysm.largestDiameterMm)
