"""The measurements of all segmentations: made, kept up to date, and known to be out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, eq=False)
class _Background:
    """What is being measured.

    Attributes:
        node: the segmentation.
        states: of its segments when it was begun.
        tell: called once the table is up to date, or with a sentence why it is not.
        process: measures.
    """

    node: Any
    states: dict[str, State]
    tell: Told
    process: BackgroundMeasurement


class Measuring:
    """Measures segmentations, at once or in the background, and remembers what was measured."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}  # by segmentation
        self._fingerprints: dict[State, str] = {}  # of the states that were looked at last
        self._running: _Background | None = None

    @property
    def isRunning(self) -> bool:
        """Whether something is measured in the background."""
        return self._running is not None

    def isCurrent(self, node: Any) -> bool:
        """Whether a segmentation is being measured in the background, as it is now."""
        running = self._running
        return running is not None and running.node is node and running.states == statesOf(node)

    def measure(self, node: Any, volumeNode: Any, lines: bool, onlyChanged: bool) -> Any:
        """See ``GSEMASegmentationLogic.measure``."""
        _check(node)
        if not onlyChanged:
            self._memories.pop(node.GetID(), None)
        measureSegments(node, self._memoryOf(node))
        table = self._show(node, volumeNode, lines)
        if self._running is not None and self._running.node is node:
            tell = self._running.tell
            self.stop()
            tell("")
        return table

    def begin(
        self, node: Any, volumeNode: Any, lines: bool, onlyChanged: bool, onDone: Told
    ) -> None:
        """Measure in the background; what is edited meanwhile, once more.

        Args:
            node, volumeNode, lines, onlyChanged: as for ``measure``.
            onDone: called once, when the table is up to date, or with a sentence why it is not.
                Not when it is stopped, or begun anew, before.

        Raises:
            UserError: as for ``measure``.
        """
        _check(node)
        checkLinear(node)
        self._giveWay(node)
        memory, states = self._memoryOf(node), statesOf(node)
        changed = self._changed(node, states, memory if onlyChanged else {})

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

        process = BackgroundMeasurement(changed, onMeasured)
        self._running = _Background(node, states, onDone, process)
        process.start()

    def _changed(
        self, node: Any, states: dict[str, State], memory: Memory
    ) -> dict[str, SegmentDrawing]:
        """What is to be measured: the segments that are other ones than in the memory."""
        changed = {}
        for one, state in states.items():
            known = memory.get(one)
            if known is None or known.state != state:
                drawing = drawingOf(node, one)
                if known is None or known.fingerprint != drawing.fingerprint():
                    changed[one] = drawing
                else:
                    memory[one] = replace(known, state=state)
        return changed

    def _giveWay(self, node: Any) -> None:
        """End what runs; whoever waits for another segmentation hears that it was not measured."""
        running = self._running
        self.stop()
        if running is not None and running.node is not node:
            running.tell(_("another segmentation was measured instead"))

    def _beginAgain(self, node: Any, volumeNode: Any, lines: bool, onDone: Told) -> None:
        try:
            self.begin(node, volumeNode, lines, True, onDone)
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
            running.process.stop()

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
