"""The buttons that act on the selected aneurysm: correct it, accept it, reject it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.correct.SegmentEditing import SegmentEditing
from GSEMASegmentationLib.measure.Judgement import CONFIRMED, REJECTED, judgementOf
from GSEMASegmentationLib.panels.ResultsPanel import ResultsPanel
from GSEMASegmentationLib.panels.RunLog import RunLog
from GSEMASegmentationLib.panels.RunPanel import RunPanel
from GSEMASegmentationLib.panels.Widgets import enable
from GSEMASegmentationLib.SegmentationLogic import GSEMASegmentationLogic


class CorrectionPanel:
    """Hands what the user wants of an aneurysm to the logic and to the Segment Editor.

    Args:
        ui: the panel's widgets.
        logic: does the work.
        log: is told what was decided.
        run: shows sentences for the user.
        results: shows the table, and knows the selected row.
        onChanged: called when segments have changed.
    """

    def __init__(
        self,
        ui: Any,
        logic: GSEMASegmentationLogic,
        log: RunLog,
        run: RunPanel,
        results: ResultsPanel,
        onChanged: Callable[[], None],
    ) -> None:
        self.ui = ui
        self._logic, self._log, self._run, self._results = logic, log, run, results
        self._onChanged = onChanged
        self._editing = SegmentEditing()
        self.ui.correctButton.connect("clicked(bool)", self._onCorrect)
        self.ui.acceptButton.connect("clicked(bool)", self._onAccept)
        self.ui.rejectButton.connect("clicked(bool)", self._onReject)
        self.ui.aneurysmTable.connect("itemSelectionChanged()", self.update)
        results.onShown.append(self.update)

    def enter(self) -> None:
        """The user is back, perhaps from the Segment Editor."""
        self._editing.end()
        self._results.lookNow()

    def stop(self) -> None:
        """Leave the Segment Editor as it was."""
        self._editing.end()

    def update(self) -> None:
        """Enable what can be done with the selected row."""
        node, segmentId = self._results.segmentation, self._results.selectedSegment
        busy = _("Wait for the end of what runs.") if self._logic.isRunning else ""
        usual = _("Edit {name} with Slicer's Segment Editor; it is measured again afterwards.")
        name, status = _("the segments"), ""
        if node is not None and segmentId:
            name = node.GetSegmentation().GetSegment(segmentId).GetName()
            judgement = judgementOf(node, segmentId)
            status = judgement.status if judgement is not None else ""
        enable(self.ui.correctButton, usual.format(name=name), busy)
        none = busy or ("" if segmentId else _("Choose an aneurysm in the table first."))
        usual = _("{name} is an aneurysm: say so in the table and in files.")
        if status == REJECTED:
            usual = _("{name} is an aneurysm after all: it gets its voxels back from the vessel.")
        done = _("{name} is confirmed already.") if status == CONFIRMED else ""
        enable(self.ui.acceptButton, usual.format(name=name), none or done.format(name=name))
        usual = _("{name} is no aneurysm: its voxels become vessel. Undo takes it back.")
        if self._results.selectedPieces > 1:
            usual = _("{name} is no aneurysm: all its pieces become vessel. Undo takes it back.")
        done = _("{name} is rejected already.") if status == REJECTED else ""
        enable(self.ui.rejectButton, usual.format(name=name), none or done.format(name=name))

    def _onCorrect(self, isChecked: bool) -> None:
        results = self._results
        try:
            hidden = self._editing.begin(
                results.segmentation, results.selectedSegment, results.volume
            )
        except UserError as error:
            self._run.showStatus(str(error), isError=True)
            return
        text = _("Correct the segments in the Segment Editor, then come back.")
        if hidden:
            text = _("Hidden while you correct, so that the brush spares them: {names}.").format(
                names=", ".join(hidden)
            )
        self._run.showStatus(text)

    def _onAccept(self, isChecked: bool) -> None:
        self._judge(self._logic.acceptAneurysm, _("{name} is confirmed."))

    def _onReject(self, isChecked: bool) -> None:
        self._judge(self._logic.rejectAneurysm, _("{name} is rejected: it is vessel again."))

    def _judge(self, decide: Callable[[Any, str], None], text: str) -> None:
        node, segmentId = self._results.segmentation, self._results.selectedSegment
        try:
            decide(node, segmentId)
        except UserError as error:
            self._run.showStatus(str(error), isError=True)
            return
        text = text.format(name=node.GetSegmentation().GetSegment(segmentId).GetName())
        self._log.begin(text)
        self._run.showStatus(text)
        self._results.measure(onlyChanged=True)
        self._onChanged()
