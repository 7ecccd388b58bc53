"""The cases of the table, kept in the scene's parameter node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
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
            answers = json.loads(self._parameters.segmentLabels or "{}")
            return {str(name): int(value) for name, value in answers.items()}
        except (AttributeError, TypeError, ValueError):
            return {}

    def rememberLabels(self, labels: dict[str, int]) -> None:
        self._parameters.segmentLabels = json.dumps({**self.segmentLabels, **labels})

    def add(self, case: TrainingCase, volume: Any = None, segmentation: Any = None) -> TrainingCase:
        """Append a case, or replace the one of the same files or nodes; its key is chosen here."""
        present = {one.key: one for one in self.cases}
        same = self.find(case, volume, segmentation)
        key = same.key if same else str(1 + max(map(int, present), default=0))
        present[key] = case = replace(case, key=key)
        node = self._parameters.parameterNode
        with slicer.util.NodeModify(node):
            if volume is not None:
                node.SetNodeReferenceID(VOLUME_ROLE + key, volume.GetID())
                node.SetNodeReferenceID(SEGMENTATION_ROLE + key, segmentation.GetID())
            self._write(list(present.values()))
        return case

    def change(self, key: str, **changes: Any) -> None:
        """Change fields of a case; a use holds for all cases of the patient."""
        cases = {one.key: one for one in self.cases}
        if key not in cases:
            return
        changed = cases[key] = replace(cases[key], **changes)
        others = [
            one for one in cases.values() if one.patient == changed.patient and one.key != key
        ]
        if "use" in changes:
            cases.update((one.key, replace(one, use=changed.use)) for one in others)
        elif "patient" in changes and others:
            cases[key] = replace(changed, use=others[0].use)
        self._write(list(cases.values()))

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

    def find(self, case: TrainingCase, volume: Any, segmentation: Any) -> TrainingCase | None:
        """The case of the same nodes or, without a volume, of the same files; None without one."""
        for one in self.cases:
            if volume is None:
                if (one.image, one.label) == (case.image, case.label):
                    return one
            elif one.isOfScene and self.nodes(one) == (volume, segmentation):
                return one
        return None

    def _write(self, cases: Sequence[TrainingCase]) -> None:
        self._parameters.cases = json.dumps([asdict(one) for one in cases])
