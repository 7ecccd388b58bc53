"""The benchmark's loop: train a cell, score it on the center it has not seen, go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from gsema_core.benchmark.budget import go_on_with
from gsema_core.benchmark.plan import SETTINGS, Cell, Plan
from gsema_core.benchmark.records import other_budgets, read_records, training_numbers, write_record
from gsema_core.benchmark.result_tables import write_tables
from gsema_core.datasets.case_summary import summary, summary_lines
from gsema_core.datasets.examination import Examined, examine_usable
from gsema_core.datasets.label_checks import check_accepted
from gsema_core.errors import Cancelled, UserError
from gsema_core.files.label_maps import dropped_were_told
from gsema_core.training.run_reporter import told_while

Report = Callable[[str], None]

NNUNET_S = 600.0
"""How often it is said that nnU-Net, which logs into its own file, is at work (ours)."""


def run_benchmark(
    plan: Plan,
    report: Report | None = None,
    stop: Callable[[], bool] = bool,
    cells: Sequence[Cell] | None = None,
) -> bool:
    """Run the unfinished cells of a benchmark, and write its tables after every cell.

    Args:
        plan: what is to be done; finished cells are left alone.
        cells: the part of the plan's that is done here; default: all. Others may be done by other
            processes at the same time, in the same folder.
        report: gets one line of text now and then; default: prints to stderr.
        stop: asked between steps and windows; True ends the benchmark, which the same call
            resumes.

    Returns:
        Whether these cells are finished.

    Raises:
        UserError: the data, the settings or the folder cannot be used. All cases are read before
            the first cell, and those that cannot be used are named.
    """
    report = report or (lambda line: print(line, file=sys.stderr, flush=True))
    if not (plan.output / SETTINGS).exists() and not _look(plan, report, stop):
        return False  # and nothing is written that a corrected list would contradict
    plan.begin()
    for budget, count in other_budgets(plan).items():
        report(f"Cells finished with {budget}: {count}. They go on to {plan.budget}.")
    cells = plan.cells if cells is None else cells
    for number, cell in enumerate(cells, start=1):
        if cell in read_records(plan):
            continue
        about = f"{plan.method(cell.row).title} without {cell.center}, seed {cell.seed}"
        report(f"Cell {number} of {len(cells)}: {about}")
        with dropped_were_told():
            if stop() or not _run_cell(plan, cell, report, stop):
                return False
        write_tables(plan, read_records(plan))
    return True


def report_benchmark(plan: Plan, report: Report | None = None, *, figures: bool = True) -> None:
    """Write tables and figures of the cells that are finished.

    Raises:
        UserError: no cell is finished, or a file cannot be written.
    """
    report = report or (lambda line: print(line, file=sys.stderr, flush=True))
    plan.begin()
    records = read_records(plan)
    if not records:
        raise UserError(f"No cell of {plan.output} is finished: run it without --report first.")
    write_tables(plan, records)
    if figures:
        from gsema_core.benchmark.figures.drawing import draw_figures

        draw_figures(plan, records, report)


def _look(plan: Plan, report: Report, stop: Callable[[], bool]) -> bool:
    """Read all cases before any cell is trained, and say what they hold; False where stopped.

    Raises:
        UserError: cases cannot be used, or the labels look wrong as a whole.
    """

    def after(_: Examined) -> None:
        if stop():
            raise Cancelled

    try:
        with told_while(report, "Examining the cases", plan.base.run.progress_s):
            values = summary(examine_usable(plan.cases, after))
    except Cancelled:
        return False
    for line in summary_lines(values):
        report(line)
    check_accepted(values["suspicions"], plan.base.data.accept_labels)
    return True


def _run_cell(plan: Plan, cell: Cell, report: Report, stop: Callable[[], bool]) -> bool:
    """Train and score; False where it was stopped."""
    from gsema_core.benchmark.prediction import score_cell

    go_on_with(plan.output / cell.folder, plan.budget, plan.oldest_budget)
    numbers = _train(plan, cell, report, stop)
    if numbers is None:
        return False
    scoring = f"  Scoring {len(plan.unseen(cell.center))} cases of {cell.center}"
    report(f"{scoring}.")
    try:
        with told_while(report, scoring, plan.base.run.progress_s):
            scores = score_cell(plan, cell, stop)
    except Cancelled:
        return False
    write_record(plan, cell, numbers, scores)
    mean = sum(score.aneurysm["dice"] for score in scores) / len(scores)
    report(f"  Mean aneurysm Dice on the unseen center: {mean:.3f}")
    return True


def _train(
    plan: Plan, cell: Cell, report: Report, stop: Callable[[], bool]
) -> dict[str, Any] | None:
    """What the training measured; None where it was stopped."""
    if plan.method(cell.row).external:
        from gsema_core.benchmark.nnunet import NnUnet

        with told_while(report, "  nnU-Net at work", NNUNET_S):
            return NnUnet(plan, cell, report, stop).run()
    from gsema_core.training import train

    config = plan.config(cell)
    result = train(config, lambda line: report(f"  {line}"), stop)
    if not result.finished:
        return None
    if result.teacher is None:
        raise UserError(f"The run in {config.run.output} left no teacher: delete it to try again.")
    return {**training_numbers(config.run.output), "gate_scope": config.method.gate_scope}
