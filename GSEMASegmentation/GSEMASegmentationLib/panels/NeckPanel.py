"""The neck planes: shown, followed, put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.measure.Judgement import isRejected
from GSEMASegmentationLib.measure.SegmentMeasurement import statesOf
from GSEMASegmentationLib.neck.NeckPlane import planesOf
from GSEMASegmentationLib.panels.ResultsPanel import ResultsPanel
from GSEMASegmentationLib.panels.Widgets import enable, showText
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic


class NeckPanel:
    """Shows the planes of the chosen segmentation, and what is to be said of them.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        results: knows the chosen segmentation, and the selected aneurysm.
        onStatus: called with a sentence for the user, and whether it is an error.
        onChanged: called when segments have changed.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        results: ResultsPanel,
        onStatus: Callable[[str, bool], None],
        onChanged: Callable[[], None],
    ) -> None:
        self.ui = ui
        self._logic, self._results = logic, results
        self._onStatus, self._onChanged = onStatus, onChanged
        self._shown: Any = None  # the segmentation whose planes are followed
        self._problems: dict[str, str] = {}  # of its aneurysms
        self._states: dict[str, Any] = {}  # as they were when the problem was told
        self._title = ""  # of what can be taken back
        logic.necks.onTold = self._onTold
        self.ui.neckCheckBox.connect("clicked(bool)", self._onClicked)
        self.ui.resetNeckButton.connect("clicked(bool)", self._onReset)
        self.ui.undoNeckButton.connect("clicked(bool)", self._onUndo)
        self.ui.aneurysmTable.connect("itemSelectionChanged()", self.update)

    def update(self) -> None:
        """Show what is so now; planes of a scene that was loaded are followed from here on."""
        node = self._results.segmentation
        planes = planesOf(node) if node is not None else {}
        if node is not self._shown:
            self._shown, self._problems = node, {}
        if planes:
            self._tell(self._logic.necks.follow(node))
            planes = planesOf(node)
        self.ui.neckCheckBox.checked = bool(planes)
        self._dropOldProblems()
        segmentId = self._chosen(planes)
        self._enableButtons(node, segmentId)
        texts = list(self._problems.values())
        if planes and not texts:
            texts = [_("Move or turn a plane by its handles: the aneurysm lies beyond it.")]
            if all(isRejected(node, one) for one in planes):
                texts = [_("Planes of rejected aneurysms are hidden; Accept shows them again.")]
        showText(self.ui.neckLabel, "\n".join(texts), isError=bool(self._problems))
        self.ui.neckLabel.visible = bool(texts)

    def _enableButtons(self, node: Any, segmentId: str) -> None:
        busy = _("Wait for the end of what runs.") if self._logic.isRunning else ""
        usual = _("Show a plane across each neck; moving or turning it cuts the aneurysm there.")
        enable(self.ui.neckCheckBox, usual, busy)
        usual = nothing = ""
        if segmentId:
            name = node.GetSegmentation().GetSegment(segmentId).GetName()
            usual = _("Put {name} and its plane back to where the neck was found.")
            usual = usual.format(name=name)
        else:
            nothing = _("Show the neck planes, and choose an aneurysm in the table.")
        enable(self.ui.resetNeckButton, usual, busy or nothing)
        self._title = title = self._logic.undoTitle
        nothing = "" if title else _("There is nothing to take back.")
        enable(
            self.ui.undoNeckButton, _("Take back {change}.").format(change=title), busy or nothing
        )

    def _chosen(self, planes: dict[str, Any]) -> str:
        """The aneurysm that Reset is for: the selected one, or the only one that has a plane."""
        node = self._results.segmentation
        here = [one for one in planes if not isRejected(node, one)]
        if self._results.selectedSegment in here:
            return str(self._results.selectedSegment)
        return here[0] if len(here) == 1 else ""

    def _tell(self, problems: dict[str, str]) -> None:
        """Say these, too, for as long as the segments are what they are now."""
        for segmentId, problem in problems.items():
            self._problems[segmentId] = problem
            self._states[segmentId] = _stateOf(self._shown, segmentId)

    def _dropOldProblems(self) -> None:
        for segmentId in list(self._problems):
            if self._states.get(segmentId) != _stateOf(self._shown, segmentId):
                del self._problems[segmentId]

    def _onClicked(self, isChecked: bool) -> None:
        node = self._results.segmentation
        self._problems = {}
        if isChecked:
            try:
                problems = self._logic.showNecks(node)
            except UserError as error:
                problems = {"": str(error)}
            if not problems and not planesOf(node):
                problems = {"": _("There is no neck to show: accept or draw an aneurysm first.")}
            self._tell(problems)
        elif node is not None:
            self._logic.hideNecks(node)
        self.update()

    def _onReset(self, isChecked: bool) -> None:
        node = self._results.segmentation
        segmentId = self._chosen(planesOf(node))

        self._problems = {}
        try:
            self._logic.resetNeck(node, segmentId)
        except UserError as error:
            self._tell({segmentId: str(error)})
        self._onChanged()
        self.update()

    def _onUndo(self, isChecked: bool) -> None:
        self._problems = {}
        try:
            title = self._logic.undo()
        except UserError as error:
            self._onStatus(str(error), True)
        else:
            self._onStatus(_("Taken back: {change}.").format(change=title), False)
        self._onChanged()
        self.update()

    def _onTold(self, node: Any, segmentId: str, problem: str) -> None:
        if node is not self._shown:
            return
        self._problems.pop("", None)
        self._problems.pop(segmentId, None)
        if problem:
            self._tell({segmentId: problem})
        isNewStep = self._logic.undoTitle != self._title
        self._results.select(segmentId)
        if isNewStep:  # other sections offer to take it back, too
            self._onChanged()
        else:
            self.update()


def _stateOf(node: Any, segmentId: str) -> Any:
    """What has to change before a sentence of this segment, or of all, is out of date."""
    if node is None:
        return None
    try:
        states = statesOf(node)
    except UserError as error:
        return str(error)
    return states.get(segmentId, states)
