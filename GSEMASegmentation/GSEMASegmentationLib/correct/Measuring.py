"""The measurements of all segmentations: made, kept up to date, and known to be out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import slicer
from slicer.i18n import tr as _

from gsema_core.errors import UserError
from GSEMASegmentationLib.correct.BackgroundMeasurement import BackgroundMeasurement, Found
from GSEMASegmentationLib.measure.MeasurementLines import updateLines
from GSEMASegmentationLib.measure.MeasurementTable import tableOf, updateTable
from GSEMASegmentationLib.measure.SegmentDrawing import SegmentDrawing, drawingOf, stateOf
from GSEMASegmentationLib.measure.SegmentMeasurement import (
    MeasuredSegment,
    Memory,
    measureSegments,
    ordered,
    statesOf,
)
from GSEMASegmentationLib.measure.TableRecord import (
    TableRecord,
    keepRecord,
    recordOf,
    showEdited,
)
from GSEMASegmentationLib.scene.Coordinates import checkLinear

State = tuple[Any, ...]
Told = Callable[[str], None]


class Measuring:
    """Measures segmentations, at once or in the background, and remembers what was measured."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}  # by segmentation
        self._fingerprints: dict[State, str] = {}  # of the states that were looked at last
        self._running: BackgroundMeasurement | None = None

    @property
    def isRunning(self) -> bool:
        """Whether something is measured in the background."""
        return self._running is not None

    def measure(self, node: Any, volumeNode: Any, lines: bool, onlyChanged: bool) -> Any:
        """See ``GSEMASegmentationLogic.measure``."""
        _check(node)
        self.stop()
        if not onlyChanged:
            self._memories.pop(node.GetID(), None)
        measureSegments(node, self._memoryOf(node))
        return self._show(node, volumeNode, lines)

    def begin(self, node: Any, volumeNode: Any, lines: bool, onDone: Told) -> None:
        """Measure in the background what has changed; what is edited meanwhile, once more.

        Args:
            node, volumeNode, lines: as for ``measure``.
            onDone: called once, when the table is up to date, or with a sentence why it is not.
                Not when it is stopped, or begun anew, before.

        Raises:
            UserError: as for ``measure``.
        """
        _check(node)
        checkLinear(node)
        self.stop()
        memory, states = self._memoryOf(node), statesOf(node)
        changed: dict[str, SegmentDrawing] = {}
        for one, state in states.items():
            if one not in memory or memory[one].state != state:
                changed[one] = drawingOf(node, one)

        def onMeasured(found: Found, message: str) -> None:
            self._running = None
            if not slicer.mrmlScene.IsNodePresent(node):
                onDone("")
                return
            for one, aneurysms in found.items():
                memory[one] = MeasuredSegment.of(states[one], changed[one], aneurysms)
            if message:
                onDone(message)
            elif statesOf(node) == states:
                self._show(node, volumeNode, lines)
                onDone("")
            else:
                self._beginAgain(node, volumeNode, lines, onDone)

        self._running = BackgroundMeasurement(changed, onMeasured)
        self._running.start()

    def _beginAgain(self, node: Any, volumeNode: Any, lines: bool, onDone: Told) -> None:
        try:
            self.begin(node, volumeNode, lines, onDone)
        except UserError as error:
            onDone(str(error))

    def look(self, node: Any) -> set[str]:
        """Find out which segments are not what the table says, and mark their rows.

        Returns:
            Their ids, also of segments that were added or are gone; none without a table.
        """
        table = tableOf(node)
        if table is None:
            return set()
        fingerprints = {}
        for one, state in statesOf(node).items():
            if state not in self._fingerprints:
                self._fingerprints[state] = drawingOf(node, one).fingerprint()
            fingerprints[one] = self._fingerprints[state]
            known = self._memoryOf(node).get(one)
            if known is not None and known.fingerprint == fingerprints[one]:
                self._memoryOf(node)[one] = replace(known, state=state)
        self._fingerprints = {state: self._fingerprints[state] for state in statesOf(node).values()}
        edited = recordOf(table).edited(fingerprints)
        showEdited(table, edited)
        return edited

    def known(self, node: Any, segmentId: str) -> MeasuredSegment | None:
        """What was measured of a segment, if it is still what was measured."""
        found = self._memoryOf(node).get(segmentId)
        isCurrent = found is not None and found.state == stateOf(node, segmentId)
        return found if isCurrent else None

    def stop(self) -> None:
        """End what runs in the background; the table stays as it is."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()

    def _memoryOf(self, node: Any) -> Memory:
        present = slicer.mrmlScene.GetNodeByID
        for one in [one for one in self._memories if present(one) is None]:
            del self._memories[one]
        return self._memories.setdefault(node.GetID(), {})

    def _show(self, node: Any, volumeNode: Any, lines: bool) -> Any:
        memory, states = self._memoryOf(node), statesOf(node)
        for one in [one for one in memory if one not in states]:
            del memory[one]
        rows = ordered(memory[one] for one in states)
        updateLines(node, rows if lines else [])
        table = updateTable(node, rows, volumeNode)
        fingerprints = {one: measured.fingerprint for one, measured in memory.items()}
        ids, statuses = [row.segmentId for row in rows], [row.status for row in rows]
        keepRecord(table, TableRecord(ids, statuses, fingerprints))
        return table


def _check(node: Any) -> None:
    if node is None or not node.IsA("vtkMRMLSegmentationNode"):
        raise UserError(_("Nothing can be measured: choose a segmentation."))
