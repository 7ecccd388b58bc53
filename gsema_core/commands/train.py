"""``gsema train CONFIG.toml``"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gsema_core.exit_codes import EXIT_STOPPED
from gsema_core.machine.ranks_environment import RanksEnvironment, left_alone

if TYPE_CHECKING:
    from gsema_core.training import TrainingConfig

HELP = "Train a teacher by GS-EMA, or go on with a run that was stopped."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="training configuration (.toml)")
    add_set(parser)
    parser.add_argument(
        "--yes",
        action="store_true",
        help="train although the labels look wrong (exchanged, without vessels, of other scans)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="examine the cases, make a few steps, tell memory, seconds and the expected end, and "
        "write nothing into the run's folder",
    )


def add_set(parser: argparse.ArgumentParser) -> None:
    """An option that sets single settings of a configuration."""
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="assignments",
        help="a setting that wins over the file's, such as optimization.learning_rate=3e-4 or "
        "data.centers=A,B; may be repeated. gsema settings train lists all of them",
    )


def run(arguments: argparse.Namespace) -> int:
    if RanksEnvironment.of(os.environ).rank == 0:  # it reports for all
        _say(f"Reading {arguments.config}.")
    config = _config(arguments)
    if left := left_alone(os.environ):
        _say(f"note: {left} is set, but torchrun did not start this process: it trains alone.")
    if RanksEnvironment.of(os.environ).rank == 0:
        _say("Loading PyTorch, which takes some seconds.")
        _load(config.run.progress_s)
    if arguments.dry_run:
        return _dry_run(config)
    return _train(config)


def _config(arguments: argparse.Namespace) -> TrainingConfig:
    from gsema_core.training.config import TrainingConfig

    accepted = ["data.accept_labels=true"] if arguments.yes else []
    assignments = [*arguments.assignments, *accepted]
    return TrainingConfig.from_toml(arguments.config, assignments, _say)


def _load(every_s: float) -> None:
    """Import what trains; a busy machine takes long for that, which is told."""
    from gsema_core.training.run_reporter import told_while

    with told_while(_say, "Loading PyTorch", every_s):
        importlib.import_module("gsema_core.training.training_run")


def _train(config: TrainingConfig) -> int:
    from gsema_core.training.training_run import train

    result = train(config, summarize=True)
    if result.rank == 0:
        if not result.finished:
            _say(f"Stopped at step {result.step}; the same command goes on from there.")
        if result.teacher is not None:
            print(result.teacher)
    return 0 if result.finished else EXIT_STOPPED


def _dry_run(config: TrainingConfig) -> int:
    from gsema_core.training.dry_run import dry_run

    print(dry_run(config, _say))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
