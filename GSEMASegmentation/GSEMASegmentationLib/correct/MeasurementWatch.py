"""Noticing that a measured segmentation was edited, whoever does it, and measuring it anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from gsema_core.errors import UserError
from GSEMASegmentationLib.correct.Measuring import Measuring
from GSEMASegmentationLib.measure.MeasurementTable import tableOf

PAUSE_MS = 800
"""So long after the last edit it is measured anew: strokes of a brush follow each other faster.
Ours."""


def measuringText() -> str:
    """The line below the table while somebody waits for it."""
    return _("Measuring...")


class MeasurementWatch(VTKObservationMixin):
    """Looks after one segmentation at a time, as soon as nothing has changed for a moment.

    Args:
        measuring: measures.
        wantsLines: whether the measurements are shown as lines.
        onChange: called when the table may have changed, with a sentence for the line below it.
    """

    def __init__(
        self,
        measuring: Measuring,
        wantsLines: Callable[[], bool],
        onChange: Callable[[str], None],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._measuring, self._wantsLines, self._onChange = measuring, wantsLines, onChange
        self._node: Any = None
        self._volume: Any = None
        self._text = ""
        self.hasFailed = False
        """Whether the background could not do it the last time."""
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.connect("timeout()", self.lookNow)

    def watch(self, segmentationNode: Any, volumeNode: Any) -> None:
        """Look after this segmentation; None for none."""
        self._volume = volumeNode
        if segmentationNode is self._node:
            return
        self.stop()
        self._node = segmentationNode
        if segmentationNode is None:
            return
        segmentation = slicer.vtkSegmentation
        for event in (
            segmentation.SourceRepresentationModified,
            segmentation.RepresentationModified,
            segmentation.SegmentAdded,
            segmentation.SegmentRemoved,
            segmentation.SegmentModified,
            slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
        ):
            self.addObserver(segmentationNode, event, self._onEdited)
        self._timer.start()

    def stop(self) -> None:
        """Look after nothing, and end what is being measured."""
        self._timer.stop()
        self.removeObservers()
        self._measuring.stop()
        self._node = None

    def lookNow(self) -> None:
        """Mark what was edited, and begin to measure it anew."""
        self._timer.stop()
        node = self._node
        if node is None or not slicer.mrmlScene.IsNodePresent(node) or tableOf(node) is None:
            return  # what was never measured is not out of date; its first table may be on its way
        edited = self._measuring.look(node)
        if self._measuring.isCurrent(node):
            self._say(self._text)
        elif edited:
            names = self._namesOf(edited)
            self._say(_("Edited: {names}. Measuring again...").format(names=names))
            self._begin(True, _("Edited since it was measured: {names}.").format(names=names))
        elif self._measuring.isRunning:  # what it measures was taken back
            self._begin(True, _("The measurements are out of date."))
        else:
            self._say("")

    def measureNow(self, onlyChanged: bool = True) -> None:
        """Begin to measure, also where nothing was measured yet.

        Args:
            onlyChanged: measure only what has changed since the last measurement.
        """
        self._timer.stop()
        node = self._node
        if node is None or not slicer.mrmlScene.IsNodePresent(node):
            return
        self._say(measuringText())
        hasTable = tableOf(node) is not None
        excuse = _("The measurements are out of date.") if hasTable else _("Not measured yet.")
        self._begin(onlyChanged, excuse)

    def _begin(self, onlyChanged: bool, excuse: str) -> None:
        def onDone(problem: str) -> None:
            self.hasFailed = bool(problem)
            reason = problem.rstrip(".")
            text = _("{excuse} Press Measure ({reason}).").format(excuse=excuse, reason=reason)
            self._say(text if problem else "")

        try:
            self._measuring.begin(self._node, self._volume, self._wantsLines(), onlyChanged, onDone)
        except UserError as error:  # pressing Measure would not help
            self.hasFailed = False
            self._say(f"{excuse} {error}")
        except ImportError as error:
            onDone(str(error))

    def _say(self, text: str) -> None:
        self._text = text
        self._onChange(text)

    def _namesOf(self, segmentIds: set[str]) -> str:
        segmentation = self._node.GetSegmentation()
        here = [one for one in segmentation.GetSegmentIDs() if one in segmentIds]
        names = [segmentation.GetSegment(one).GetName() for one in here]
        gone = [_("removed segments")] if len(here) < len(segmentIds) else []
        return ", ".join(names + gone)

    def _onEdited(self, caller: Any, event: str) -> None:
        self._timer.start()
