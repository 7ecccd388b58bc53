"""The cases of the table, kept in the scene's parameter node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import slicer.util

from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses

VOLUME_ROLE = "GSEMATraining.volume."
SEGMENTATION_ROLE = "GSEMATraining.segmentation."


class CaseList:
    """Reads and writes the list; saved with the scene, and gone with it.

    Volumes and segmentations are node references, so that they are found again in a loaded scene.

    Args:
        parameterNode: the module's wrapped parameter node.
    """

    def __init__(self, parameterNode: Any) -> None:
        self._parameters = parameterNode

    @property
    def cases(self) -> list[TrainingCase]:
        try:
            entries = json.loads(self._parameters.cases or "[]")
            return [TrainingCase.fromDict(one) for one in entries]
        except (TypeError, ValueError):  # an edited or damaged scene
            return []

    @property
    def segmentLabels(self) -> dict[str, int]:
        """What the user said that segments of a name are: label values, 0 for nothing."""
        try:
            return {str(name): int(value) for name, value in self._answers().items()}
        except (TypeError, ValueError):
            return {}

    def rememberLabels(self, labels: dict[str, int]) -> None:
        self._parameters.segmentLabels = json.dumps({**self.segmentLabels, **labels})

    def add(self, case: TrainingCase, volume: Any = None, segmentation: Any = None) -> TrainingCase:
        """Append a case, or replace the one of the same files or nodes; its key is chosen here."""
        present = self.cases
        key = self._keyOf(case, volume, segmentation, present)
        isNew = key is None
        if key is None:
            key = str(1 + max((int(one.key) for one in present), default=0))
        case = replace(case, key=key)
        node = self._parameters.parameterNode
        with slicer.util.NodeModify(node):
            if volume is not None:
                node.SetNodeReferenceID(VOLUME_ROLE + key, volume.GetID())
                node.SetNodeReferenceID(SEGMENTATION_ROLE + key, segmentation.GetID())
            if isNew:
                self._write([*present, case])
            else:
                self._write([case if one.key == key else one for one in present])
        return case

    def change(self, key: str, **changes: Any) -> None:
        """Change fields of a case; a use holds for all cases of the patient."""
        cases = [replace(one, **changes) if one.key == key else one for one in self.cases]
        changed = next((one for one in cases if one.key == key), None)
        if changed is not None and "use" in changes:
            cases = [
                replace(one, use=changed.use) if one.patient == changed.patient else one
                for one in cases
            ]
        elif changed is not None and "patient" in changes:
            same = [one for one in cases if one.patient == changed.patient and one.key != key]
            if same:
                cases = [replace(one, use=same[0].use) if one.key == key else one for one in cases]
        self._write(cases)

    def remove(self, keys: Iterable[str]) -> None:
        gone = set(keys)
        node = self._parameters.parameterNode
        with slicer.util.NodeModify(node):
            for key in gone:
                node.RemoveNodeReferenceIDs(VOLUME_ROLE + key)
                node.RemoveNodeReferenceIDs(SEGMENTATION_ROLE + key)
            self._write([one for one in self.cases if one.key not in gone])

    def decideUses(self) -> None:
        """Give a use to every case that has none."""
        cases = self.cases
        uses = suggestedUses(cases)
        self._write([replace(one, use=uses[one.patient]) for one in cases])

    def nodes(self, case: TrainingCase) -> tuple[Any, Any]:
        """The volume and the segmentation of a case; None where they left the scene."""
        node = self._parameters.parameterNode
        return (
            node.GetNodeReference(VOLUME_ROLE + case.key),
            node.GetNodeReference(SEGMENTATION_ROLE + case.key),
        )

    def _keyOf(
        self, case: TrainingCase, volume: Any, segmentation: Any, present: Sequence[TrainingCase]
    ) -> str | None:
        for one in present:
            if volume is None:
                if (one.image, one.label) == (case.image, case.label):
                    return one.key
            elif one.isOfScene and self.nodes(one) == (volume, segmentation):
                return one.key
        return None

    def _answers(self) -> dict[str, Any]:
        answers = json.loads(self._parameters.segmentLabels or "{}")
        return answers if isinstance(answers, dict) else {}

    def _write(self, cases: Sequence[TrainingCase]) -> None:
        self._parameters.cases = json.dumps([one.toDict() for one in cases])
