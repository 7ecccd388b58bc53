"""A teacher's scores on labelled scans, and their way into its file.

The scores are those of ``gsema segment``: the scans as they are stored, the whole way through
windows, the scan's own grid and post-processing.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gsema_core.datasets.case_files import read_case
from gsema_core.datasets.datalist import Case
from gsema_core.evaluation.cases import CaseScore, plain, score_case
from gsema_core.evaluation.patients import patient_numbers
from gsema_core.evaluation.score_summary import summarize_cases
from gsema_core.inference.monitor import CancelCheck, Monitor, ProgressCallback
from gsema_core.inference.settings import SegmentationSettings
from gsema_core.teachers.card import TeacherCard
from gsema_core.teachers.teacher_file import read_checked, write_weights
from gsema_core.version import __version__

if TYPE_CHECKING:
    from gsema_core.inference.segmenter import Segmenter

METRICS_KEY = "test"
"""Where on a card the scores stand; ``validation``, which chose the weights, is another matter."""


def score_teacher(
    segmenter: Segmenter,
    cases: Sequence[Case],
    settings: SegmentationSettings | None = None,
    *,
    patients: Sequence[int] | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck = bool,
) -> list[CaseScore]:
    """Segment and score labelled scans one after the other.

    Args:
        segmenter: the teacher on its device.
        cases: scans with reference labels on the same grid.
        settings: default ``SegmentationSettings()``.
        patients: each case's patient as a number; default: as they come in the cases.
        progress: called with the fraction of all cases done and a text.
        cancelled: called between windows; True ends the work.

    Returns:
        The scores in the order of the cases, named 1, 2, 3...; patients are numbers too.

    Raises:
        Cancelled: ``cancelled`` said True.
        UserError: a file cannot be read or segmented, or image and labels differ in grid.
    """
    scores: list[CaseScore] = []
    whose = patient_numbers(cases) if patients is None else patients
    settings = dataclasses.replace(settings or SegmentationSettings(), refuse_implausible=False)
    for number, (case, patient) in enumerate(zip(cases, whose, strict=True), start=1):
        monitor = Monitor(_of_all(progress, scores, len(cases)), cancelled)
        with monitor.phase("read"):
            scan, reference = read_case(case)
        labels = segmenter.segment(scan, settings, monitor=monitor).labels
        scores.append(score_case(str(number), labels, reference, case.center, patient))
    return scores


def scored_card(
    card: TeacherCard,
    scores: Sequence[CaseScore],
    settings: SegmentationSettings,
    *,
    simulated: bool = False,
) -> TeacherCard:
    """The card with the scores under ``metrics["test"]``, in place of older ones.

    Args:
        card: the teacher's card.
        scores: as ``score_teacher`` gives them.
        settings: with which they were made.
        simulated: say that the images are simulated.
    """
    centers = sorted({score.center for score in scores})
    seen = card.training.get("centers")
    results: dict[str, Any] = {"images": "simulated"} if simulated else {}
    results["centers_scored"] = centers
    if isinstance(seen, list):  # as far as the card knows
        results["centers_unseen_in_training"] = [name for name in centers if name not in seen]
    results |= {
        "settings": settings.deciding,
        "program_version": __version__,
        **summarize_cases(scores),
        "per_case": [card_row(score) for score in scores],
    }
    return dataclasses.replace(card, metrics={**card.metrics, METRICS_KEY: results})


def card_row(score: CaseScore) -> dict[str, Any]:
    """One case in one short row of plain values: what a card keeps of it."""
    names = ("dice", "sensitivity", "precision", "jaccard", "volume_similarity", "hd95_mm")
    return {
        "case": score.name,
        **({} if score.patient is None else {"patient": score.patient}),
        "center": score.center,
        "aneurysms": len(score.lesions),
        "reference_ml": plain(score.reference_ml),
        "largest_diameter_mm": plain(round(score.largest_diameter_mm, 2)),
        **{name: plain(score.aneurysm[name]) for name in names},
        "missed": score.missed,
        "false_positives": score.false_positives,
        "lesion_f1": plain(score.lesion_counts.f1),
    }


def write_with_card(
    teacher: str | os.PathLike[str], card: TeacherCard, path: str | os.PathLike[str]
) -> None:
    """Write a copy of a teacher file with another card; the weights stay bit for bit.

    Raises:
        UserError: the teacher cannot be read, the card is too large, or the file not be written.
    """
    from safetensors.torch import load

    content, _ = read_checked(teacher)  # refuses what is no teacher, with a sentence
    write_weights(path, load(content), card)


def _of_all(
    progress: ProgressCallback | None, done: list[CaseScore], total: int
) -> Callable[[float, str], None] | None:
    if progress is None:
        return None
    mean = sum(score.aneurysm["dice"] for score in done) / max(1, len(done))
    so_far = f", mean aneurysm Dice so far {mean:.3f}" if done else ""
    before, text = len(done), f"case {len(done) + 1} of {total}{so_far}"
    return lambda fraction, _phase: progress((before + fraction) / total, text)
