"""The benchmark's loop: train a cell, score it on the center it has not seen, go on."""

from __future__ import annotations

import sys
from collections.abc import Callable

from gsema_core.benchmark.plan import Cell, Plan
from gsema_core.benchmark.records import read_records, training_numbers, write_record
from gsema_core.benchmark.report import write_tables
from gsema_core.errors import Cancelled, UserError
from gsema_core.inference.settings import SegmentationSettings

Report = Callable[[str], None]


def scoring_settings(threads: int | None) -> SegmentationSettings:
    """How unseen scans are segmented: as everywhere, but the likeliest class wins.

    The certainty that an aneurysm must reach elsewhere was chosen for the bundled teacher, and
    networks that were trained briefly are less sure, each row in its own way.
    """
    return SegmentationSettings(minimum_certainty=0.0, threads=threads)


def run_benchmark(
    plan: Plan, report: Report | None = None, stop: Callable[[], bool] = bool
) -> bool:
    """Do what is left of a benchmark, and write its tables after every cell.

    Args:
        plan: what is to be done; cells with a record are left alone.
        report: gets one line of text now and then; default: prints to stderr.
        stop: asked between steps and windows; True ends the benchmark, which the same call
            resumes.

    Returns:
        Whether all cells are finished.

    Raises:
        UserError: the data, the settings or the folder cannot be used.
    """
    report = report or (lambda line: print(line, file=sys.stderr, flush=True))
    plan.begin()
    cells = plan.cells
    for number, cell in enumerate(cells, start=1):
        if cell in read_records(plan):
            continue
        about = f"{cell.method.title} without {cell.center}, seed {cell.seed}"
        report(f"Cell {number} of {len(cells)}: {about}")
        if stop() or not _run_cell(plan, cell, report, stop):
            return False
        write_tables(plan, read_records(plan))
    write_tables(plan, read_records(plan))
    return True


def _run_cell(plan: Plan, cell: Cell, report: Report, stop: Callable[[], bool]) -> bool:
    """Train and score; False where it was stopped."""
    from gsema_core.evaluation.teacher_score import score_teacher
    from gsema_core.inference import Segmenter
    from gsema_core.teachers import load_teacher
    from gsema_core.training import train

    config = plan.config(cell)
    result = train(config, lambda line: report(f"  {line}"), stop)
    if not result.finished:
        return False
    if result.teacher is None:
        raise UserError(f"The run in {config.run.output} left no teacher: delete it to try again.")
    cases = plan.unseen(cell.center)
    report(f"  Scoring {len(cases)} cases of {cell.center}.")
    try:
        scores = score_teacher(
            Segmenter(load_teacher(result.teacher), config.run.device),
            cases,
            scoring_settings(config.run.threads or None),
            cancelled=stop,
        )
    except Cancelled:
        return False
    write_record(plan, cell, training_numbers(config.run.output), scores)
    mean = sum(score.aneurysm["dice"] for score in scores) / len(scores)
    report(f"  Mean aneurysm Dice on the unseen center: {mean:.3f}")
    return True
