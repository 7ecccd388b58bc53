"""What several commands take and do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from gsema_core.plugins import FORM
from gsema_core.progress_line import ProgressLine
from gsema_core.stop_signals import stop_signals

DATALIST = "JSON list of the cases, or a folder of them as gsema cases takes it"


def names(text: str) -> list[str]:
    """Names between commas, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def say(sentence: str) -> None:
    """Print what the user should read beside a command's result."""
    print(sentence, file=sys.stderr)


def add_case_choice(parser: argparse.ArgumentParser) -> None:
    """Options that choose cases of a list, for ``choose_cases``."""
    parser.add_argument(
        "--centers", metavar="C,D", type=names, default=[], help="only cases of these centers"
    )
    parser.add_argument(
        "--patients", metavar="P,Q", type=names, default=[], help="only cases of these patients"
    )
    parser.add_argument(
        "--use",
        choices=("training", "validation", "test"),
        default="",
        help="only cases that the list marks for this use",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """On what a network runs, and whether it may be one from outside."""
    parser.add_argument(
        "--network",
        metavar=FORM,
        default="",
        help="import this network of your own, for a teacher that was trained with it: a teacher "
        "file alone has nothing imported",
    )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)"
    )


def add_computing(parser: argparse.ArgumentParser) -> None:
    """On what a network runs, where no settings say how many threads."""
    add_device(parser)
    parser.add_argument(
        "--threads", metavar="N", type=int, help="CPU threads (default: one per core)"
    )


@contextmanager
def watched(*, quiet: bool = False) -> Iterator[dict[str, Any]]:
    """Show on stderr how far the block's work is, and let SIGTERM end it between two steps.

    Yields:
        ``progress`` and ``cancelled``, as segmenting and scoring take them.
    """
    with closing(ProgressLine(sys.stderr)) as line, stop_signals() as cancelled:
        yield {"progress": None if quiet else line, "cancelled": cancelled}
