"""The neck planes: shown, followed, put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
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
        onChanged: called when segments have changed.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        results: ResultsPanel,
        onChanged: Callable[[], None],
    ) -> None:
        self.ui = ui
        self._logic, self._results, self._onChanged = logic, results, onChanged
        self._shown: Any = None  # the segmentation whose planes are followed
        self._problems: dict[str, str] = {}  # of its aneurysms
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
            self._logic.necks.follow(node)
        self.ui.neckCheckBox.checked = bool(planes)
        segmentId = self._chosen(planes)
        self._enableButtons(node, segmentId)
        texts = list(self._problems.values())
        if planes and not texts:
            texts = [_("Move or turn a plane by its handles: the aneurysm lies beyond it.")]
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
        if self._results.selectedSegment in planes:
            return str(self._results.selectedSegment)
        return next(iter(planes)) if len(planes) == 1 else ""

    def _onClicked(self, isChecked: bool) -> None:
        node = self._results.segmentation
        self._problems = {}
        if isChecked:
            try:
                self._problems = self._logic.showNecks(node)
            except UserError as error:
                self._problems = {"": str(error)}
        elif node is not None:
            self._logic.hideNecks(node)
        self.update()

    def _onReset(self, isChecked: bool) -> None:
        node = self._results.segmentation
        segmentId = self._chosen(planesOf(node))
        self._do(segmentId, lambda: self._logic.resetNeck(node, segmentId))

    def _onUndo(self, isChecked: bool) -> None:
        self._do("", self._logic.undo)

    def _do(self, segmentId: str, call: Callable[[], Any]) -> None:
        self._problems = {}
        try:
            call()
        except UserError as error:
            self._problems = {segmentId: str(error)}
        self._onChanged()
        self.update()

    def _onTold(self, node: Any, segmentId: str, problem: str) -> None:
        if node is not self._shown:
            return
        self._problems.pop("", None)
        self._problems.pop(segmentId, None)
        if problem:
            self._problems[segmentId] = problem
        isNewStep = self._logic.undoTitle != self._title
        self._results.select(segmentId)
        if isNewStep:  # other sections offer to take it back, too
            self._onChanged()
        else:
            self.update()
