"""``gsema train CONFIG.toml``"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gsema_core.exit_codes import EXIT_STOPPED
from gsema_core.machine.ranks_environment import left_alone

HELP = "Train a teacher by GS-EMA, or go on with a run that was stopped."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="training configuration (.toml)")


def run(arguments: argparse.Namespace) -> int:
    from gsema_core.training import TrainingConfig, train

    if left := left_alone(os.environ):
        print(
            f"note: {left} is set, but torchrun did not start this process: it trains alone.",
            file=sys.stderr,
        )
    result = train(TrainingConfig.from_toml(arguments.config), summarize=True)
    if result.rank == 0:  # it reports for all
        if not result.finished:
            print(
                f"Stopped at step {result.step}; the same command goes on from there.",
                file=sys.stderr,
            )
        if result.teacher is not None:
            print(result.teacher)
    return 0 if result.finished else EXIT_STOPPED
