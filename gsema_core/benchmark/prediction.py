"""Scans of unseen centers, segmented by what a cell has trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gsema_core.benchmark.nnunet import predicted_file
from gsema_core.benchmark.plan import SCORING, Cell, Plan
from gsema_core.datasets.case_files import read_case, read_case_image
from gsema_core.datasets.datalist import Case
from gsema_core.errors import Cancelled
from gsema_core.evaluation.cases import CaseScore, score_case
from gsema_core.evaluation.teacher_score import score_teacher
from gsema_core.files import read_labels
from gsema_core.grids import Volume
from gsema_core.inference import Segmenter
from gsema_core.teachers import Teacher, load_teacher
from gsema_core.training.run_files import TEACHER


def score_cell(plan: Plan, cell: Cell, stop: Callable[[], bool] = bool) -> list[CaseScore]:
    """The scores of a trained cell on its unseen center, in the order of ``plan.unseen``.

    Raises:
        Cancelled: ``stop`` said True.
        UserError: a scan or label map cannot be read.
    """
    cases, patients = plan.unseen(cell.center), plan.unseen_patients(cell.center)
    if not plan.method(cell.row).external:
        settings = replace(SCORING, threads=plan.base.run.threads or None)
        segmenter = _segmenter(plan, cell)
        return score_teacher(segmenter, cases, settings, patients=patients, cancelled=stop)
    scores = []
    for number, (case, patient) in enumerate(zip(cases, patients, strict=True), start=1):
        if stop():
            raise Cancelled
        _, reference = read_case(case)
        predicted = Volume(read_labels(_file(plan, cell, number)).array, reference.geometry)
        scores.append(score_case(str(number), predicted, reference, case.center, patient))
    return scores


def predict(plan: Plan, cell: Cell, case: Case) -> Volume:
    """The label map of one case of the cell's unseen center, as it was scored."""
    if plan.method(cell.row).external:
        return read_labels(_file(plan, cell, plan.unseen(cell.center).index(case) + 1))
    settings = replace(SCORING, threads=plan.base.run.threads or None)
    return _segmenter(plan, cell).segment(read_case_image(case), settings).labels


def _segmenter(plan: Plan, cell: Cell) -> Segmenter:
    return Segmenter(load_cell(plan, cell), plan.config(cell).run.device)


def load_cell(plan: Plan, cell: Cell) -> Teacher:
    """The teacher that a cell has trained."""
    config = plan.config(cell)
    return load_teacher(config.run.output / TEACHER, network=config.network.kind)


def _file(plan: Plan, cell: Cell, number: int) -> Path:
    return plan.output / cell.folder / predicted_file(number)
