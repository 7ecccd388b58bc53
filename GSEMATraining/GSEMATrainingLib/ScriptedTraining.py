"""A whole training for a console or a script: cases, training, comparison, one outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from gsema_core.errors import UserError
from gsema_core.training.status import Status
from GSEMATrainingLib.cases.CaseReader import CaseReader
from GSEMATrainingLib.cases.SceneCases import ScenePair, guessedLabels, sceneCase
from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses
from GSEMATrainingLib.comparison.Comparison import comparisonProblem
from GSEMATrainingLib.run.RunFolder import RunFolder
from GSEMATrainingLib.run.RunWatch import RunView, RunWatch
from GSEMATrainingLib.run.TrainingChoices import TrainingChoices

if TYPE_CHECKING:
    from GSEMATrainingLib.TrainingLogic import GSEMATrainingLogic


@dataclass(frozen=True)
class TrainingOutcome:
    """How a training ended.

    Attributes:
        folder: the run's.
        teacher: the new teacher's file; None where there is none yet.
        status: what the training said last.
        report: of the comparison; None without one.
        message: why it failed, one sentence; empty where it did not.
    """

    folder: Path
    teacher: Path | None = None
    status: Status | None = None
    report: dict[str, Any] | None = None
    message: str = ""


class ScriptedTraining:
    """Runs once; ``onDone`` is called once.

    Args:
        logic: begins and compares.
        folder: the run's.
        choices: how to train.
        compare: whether the teachers are compared at the end.
        onDone: called with the outcome.
    """

    def __init__(
        self,
        logic: GSEMATrainingLogic,
        folder: RunFolder,
        choices: TrainingChoices,
        compare: bool,
        onDone: Callable[[TrainingOutcome], None],
    ) -> None:
        self._logic, self._folder, self._choices = logic, folder, choices
        self._compare, self._onDone = compare, onDone
        self._cases: list[TrainingCase] = []
        self._nodes: dict[str, tuple[Any, Any]] = {}
        self._reader = CaseReader(self._add, self._onRead, logic.command)
        self._watch = RunWatch(self._onLook)
        self._isDone = False

    def start(self, cases: Any) -> None:
        if isinstance(cases, (str, Path)):
            self._reader.read(str(cases))
            return
        for one in cases:
            if isinstance(one, TrainingCase):
                self._add(one)
            else:
                self._addPair(*one)
        self._onRead("")

    def stop(self) -> None:
        """Look no longer; a training that has begun goes on."""
        self._isDone = True
        self._watch.stop()
        self._reader.stop()

    def _addPair(self, volume: Any, segmentation: Any) -> None:
        byName = guessedLabels([ScenePair(volume, segmentation, "")])
        case = sceneCase(volume, segmentation, byName, volume.GetName(), _("local"))
        self._add(case, (volume, segmentation))

    def _add(self, case: TrainingCase, nodes: tuple[Any, Any] = (None, None)) -> None:
        key = str(len(self._cases) + 1)
        self._cases.append(replace(case, key=key))
        self._nodes[key] = nodes

    def _onRead(self, message: str) -> None:
        if message:
            self._end(message)
            return
        uses = suggestedUses(self._cases)
        cases = [replace(one, use=uses[one.patient]) for one in self._cases]
        with self._failuresTold():
            self._logic.begin(
                self._folder,
                cases,
                lambda case: self._nodes[case.key],
                self._choices,
                lambda fraction: None,
                self._onBegun,
            )

    def _onBegun(self, message: str) -> None:
        if message:
            self._end(message)
        else:
            path = self._folder.path
            self._watch.watch(path, self._logic.processIn(path))

    def _onLook(self, view: RunView) -> None:
        if view.isRunning or self._isDone:
            return
        self._watch.stop()
        if view.problem or not self._compare or comparisonProblem(self._folder):
            self._end(view.problem)
        else:
            with self._failuresTold():
                self._logic.compare(self._folder, self._end)

    @contextlib.contextmanager
    def _failuresTold(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            self._end(str(error))

    def _end(self, message: str) -> None:
        if self._isDone:
            return
        self._isDone = True
        folder = self._folder
        self._onDone(
            TrainingOutcome(
                folder.path,
                folder.teacher if folder.teacher.is_file() else None,
                folder.status(),
                folder.comparisonReport(),
                message,
            )
        )
