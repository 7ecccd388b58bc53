"""The ``gsema`` command: one subcommand a file in ``gsema_core/commands``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gsema_core.errors import ERROR_PREFIX, BrokenOffError, Cancelled, UserError
from gsema_core.exit_codes import (
    EXIT_BROKEN_PIPE,
    EXIT_SOME_FAILED,
    EXIT_STOPPED,
    EXIT_UNEXPECTED,
    EXIT_USER_ERROR,
)
from gsema_core.machine.cores import wait_passively
from gsema_core.stop_signals import ends_in_time
from gsema_core.version import __version__

COMMANDS = (
    "segment",
    "series",
    "cases",
    "train",
    "benchmark",
    "evaluate",
    "surface",
    "simulate",
    "teacher",
    "settings",
    "worker",
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gsema",
        description="Cerebral aneurysm segmentation in 3D rotational angiography with GS-EMA. "
        "For research use; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"gsema {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = importlib.import_module(f"gsema_core.commands.{name}")
        subparser = subparsers.add_parser(name, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def program() -> int:
    """`main` as a process of its own: it ends soon after it is asked to, and has streams.

    A file that is opened while no standard output is would take its place, and get what libraries
    print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        stream.reconfigure(errors="backslashreplace")  # names in letters that a terminal lacks
        setattr(sys, name, stream)
    wait_passively()
    with ends_in_time():
        return main()


def _note(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Tell a warning of this program as a sentence; others as Python does."""
    if category.__module__.startswith("gsema_core."):
        print(f"note: {message}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, *where[:2]), file=sys.stderr, end="")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the process's exit code."""
    try:
        arguments = build_parser().parse_args(argv)
        with warnings.catch_warnings():
            warnings.showwarning = _note
            exit_code: int = arguments.run(arguments)
        return exit_code
    except UserError as error:
        print("\n".join([f"{ERROR_PREFIX}{error}", *error.table]), file=sys.stderr)
        return EXIT_SOME_FAILED if isinstance(error, BrokenOffError) else EXIT_USER_ERROR
    except (Cancelled, KeyboardInterrupt):
        print("cancelled: no file is left half-written.", file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        # Whoever read (head, less) has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        what = error.filename or "A file"
        print(
            f"{ERROR_PREFIX}{what} could not be used ({error.strerror or error}): check that it is "
            "there, that you may use it and that the disk has space.",
            file=sys.stderr,
        )
        return EXIT_USER_ERROR
    except Exception as error:
        traceback.print_exc()
        print(
            f"{ERROR_PREFIX}An unexpected {type(error).__name__} occurred: please report it with "
            "its traceback.",
            file=sys.stderr,
        )
        return EXIT_UNEXPECTED
