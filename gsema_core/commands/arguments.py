"""What several commands take and do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsema_core.errors import Cancelled
from gsema_core.plugins import FORM
from gsema_core.progress_line import ProgressLine
from gsema_core.stop_signals import stop_signals

if TYPE_CHECKING:
    from gsema_core.datasets import Case
    from gsema_core.files.label_rules import LabelRules

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


def add_label_rules(parser: argparse.ArgumentParser, whose: str = "") -> None:
    """Options that say what labels mean, for ``label_rules``."""
    parser.add_argument(
        "--label",
        metavar="MEANING=NAME,VALUE",
        action="append",
        default=[],
        help=f"names and values of {whose}labels that are vessel, aneurysm, background or ignore",
    )
    parser.add_argument(
        "--label-words",
        metavar="FILE",
        type=Path,
        help="words in names of labels, in your language, to look for before the built-in list",
    )


def label_rules(arguments: argparse.Namespace) -> LabelRules:
    """What ``--label`` and ``--label-words`` say."""
    from gsema_core.files.label_rules import LabelRules

    return LabelRules.from_options(arguments.label, arguments.label_words)


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
        "--threads",
        metavar="N",
        type=int,
        help="CPU threads (default: one for each core that it may use)",
    )


@contextmanager
def watched(*, quiet: bool = False) -> Iterator[dict[str, Any]]:
    """Show on stderr how far the block's work is, and let SIGTERM end it between two steps.

    Yields:
        ``progress`` and ``cancelled``, as segmenting and scoring take them.
    """
    with closing(ProgressLine(sys.stderr)) as line, stop_signals() as cancelled:
        yield {"progress": None if quiet else line, "cancelled": cancelled}


def check_cases(cases: Sequence[Case], watch: Mapping[str, Any]) -> list[str]:
    """Read labelled cases before anything takes long, and tell what nobody should miss of them.

    Args:
        cases: to be scored.
        watch: as ``watched`` gives it.

    Returns:
        What looks wrong about the labels as a whole, a sentence each.

    Raises:
        Cancelled: the user asked to stop.
        UserError: some cannot be used; all of them are named.
    """
    from gsema_core.datasets.case_summary import label_lines, summary
    from gsema_core.datasets.examination import Examined, examine_usable

    def after(each: Examined) -> None:
        if watch["cancelled"]():
            raise Cancelled
        if watch["progress"] is not None:
            watch["progress"](0.0, f"read case {each.number} of {len(cases)}")

    values = summary(examine_usable(cases, after))
    for sentence in label_lines(values):
        say(sentence)
    suspicions: list[str] = values["suspicions"]
    return suspicions
