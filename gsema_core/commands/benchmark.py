"""``gsema benchmark``: rows x unseen centers x seeds, each trained and scored alike."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.commands.arguments import names, say
from gsema_core.exit_codes import EXIT_STOPPED
from gsema_core.plugins import FORM

if TYPE_CHECKING:
    from gsema_core.benchmark import Plan

HELP = "Train every row of the paper's table without one center and score it there."
DEFAULT_ROWS = "no_ema,ema,gs_ema,gs_ema_bacl_v,gs_ema_bacl_b,gs_ema_bacl,vaseg,feddg,cmdg"
DETAILS = f"""
Rows: {DEFAULT_ROWS.replace(",", ", ")} and nnunet (needs the extra "nnunet"); those that the file
of --config has as tables [rows.NAME]; and {FORM} of your own (docs/how-to/own_parts.md).
A cell is one row, one unseen center and one seed: a training run in DIR/cells on the cases of the
other centers, then its scores on all cases of the unseen one. All rows share the settings of
--config, the budget, the patients kept out for choosing the teacher and the prepared cases. A
benchmark that was stopped or killed goes on by the same command; rows, centers and seeds may be
added then. A larger --steps or --minutes than before lets every cell go on from its checkpoint,
where its schedule is constant; a schedule that falls over the whole training cannot be lengthened.
Several processes may do one benchmark at the same time, each with its --share. DIR gets table.md,
table.csv and cases.csv after every cell, and figures at the end (with the extra "benchmark").
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DETAILS
    parser.add_argument(
        "datalist", metavar="DATALIST", type=Path, help="JSON list of cases, or a folder"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, required=True, help="folder of cells and tables"
    )
    parser.add_argument(
        "--rows",
        metavar="R,R",
        type=names,
        default=DEFAULT_ROWS,
        help="methods (default: all but nnunet)",
    )
    parser.add_argument(
        "--centers", metavar="C,C", type=names, help="centers to leave out in turn (default: all)"
    )
    parser.add_argument("--seeds", metavar="N,N", default="0", help="default: %(default)s")
    parser.add_argument("--steps", metavar="N", type=int, help="budget: steps of every training")
    parser.add_argument(
        "--minutes", metavar="M", type=float, help="budget: a training ends at them at the latest"
    )
    parser.add_argument(
        "--config", metavar="base.toml", type=Path, help="settings that all rows share"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--report", action="store_true", help="only write tables and figures of what is finished"
    )
    part.add_argument(
        "--share",
        metavar="K/N",
        help="only every N-th cell from the K-th on, as a cluster's tasks share them; --report "
        "makes the figures when all are done",
    )
    parser.add_argument("--yes", action="store_true", help="yes, labels that look wrong are right")
    parser.add_argument("--no-figures", action="store_true", help="only tables")
    parser.add_argument(
        "--simulated", action="store_true", help="say with all results that images are simulated"
    )


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.benchmark import report_benchmark, run_benchmark
    from gsema_core.inference.folders.shards import parse_share, shard
    from gsema_core.stop_signals import stop_signals

    plan = _plan(arguments)
    if not arguments.report:
        cells = shard(plan.cells, parse_share(arguments.share)) if arguments.share else plan.cells
        with stop_signals() as stopped:
            finished = run_benchmark(plan, stop=stopped, cells=cells)
        if not finished:
            print("Stopped; the same command goes on from there.", file=sys.stderr)
            return EXIT_STOPPED
        if arguments.share:
            print(f"Cells done, of {len(plan.cells)} in all: {len(cells)}.", file=sys.stderr)
            return 0
    report_benchmark(plan, figures=not arguments.no_figures)
    print(plan.output / "table.md")
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    from gsema_core import plugins
    from gsema_core.benchmark.own_rows import own_rows
    from gsema_core.benchmark.plan import Plan, parse_seeds
    from gsema_core.configuration.toml_files import read_toml
    from gsema_core.datasets import find_cases
    from gsema_core.training.config import TrainingConfig
    from gsema_core.training.presets import with_preset_file

    tables = {}
    if arguments.config:
        folder = arguments.config.parent
        tables = with_preset_file(read_toml(arguments.config), folder)
        if plugins.outside_names(tables):
            plugins.make_importable(folder)
    own = own_rows(arguments.rows, tables.pop("rows", {}))
    given = {"steps": arguments.steps, "minutes": arguments.minutes}
    budget = {name: value for name, value in given.items() if value is not None}
    cases = find_cases(arguments.datalist, tell=say)
    if arguments.yes:
        tables = {**tables, "data": {**tables.get("data", {}), "accept_labels": True}}
    return Plan(
        cases=tuple(cases),
        base=TrainingConfig.from_dict({**tables, "run": {**tables.get("run", {}), **budget}}),
        rows=tuple(arguments.rows),
        centers=tuple(arguments.centers or sorted({case.center for case in cases})),
        seeds=parse_seeds(arguments.seeds),
        output=arguments.output.resolve(),
        simulated=arguments.simulated,
        own_rows=own,
        lengthen=bool(budget) and not arguments.report,
    )
